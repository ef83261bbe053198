-- deltaglider_config.db, version 3: what anybody may read of a bucket of the registry, a JSON array of prefixes.

ALTER TABLE buckets ADD COLUMN public_prefixes_json TEXT NOT NULL DEFAULT '[]';
