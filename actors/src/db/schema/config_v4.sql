-- deltaglider_config.db, version 4: what is set of a bucket: tags (an object), CORS and lifecycle rules (arrays), quota, flags.

ALTER TABLE buckets ADD COLUMN tags_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE buckets ADD COLUMN cors_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE buckets ADD COLUMN lifecycle_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE buckets ADD COLUMN quota_bytes INTEGER;
ALTER TABLE buckets ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
