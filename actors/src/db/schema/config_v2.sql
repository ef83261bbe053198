-- deltaglider_config.db, version 2: which of a user's groups came from mapping rules, so that a sign-in takes those away again and no others.

ALTER TABLE external_identities ADD COLUMN rule_group_ids_json TEXT NOT NULL DEFAULT '[]';
