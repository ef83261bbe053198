//! The way back: canonical YAML, the file that is rewritten, the archive's part, the schema, the example.

use super::effective::loaded;
use crate::domain::clock::Timestamp;
use crate::domain::config::canonical::{Literals, archive_tree, file_tree, literal_secrets, to_tree};
use crate::domain::config::check::Form;
use crate::domain::config::emit::emit;
use crate::domain::config::reader;
use crate::domain::config::scalar::Environment;
use crate::domain::config::schema::schema;
use crate::domain::config::table::keys;
use crate::domain::config::{Loaded, Source, load_from};
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use serde_json::Value;

const EXAMPLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/example.yaml"));

fn canonical(loaded: &Loaded) -> String {
    emit(&to_tree(&loaded.config, &loaded.written, Literals::Store))
}

#[test]
fn the_defaults_are_written_as_nothing() {
    assert_eq!(canonical(&loaded("", &[])), "");
}

#[test]
fn what_is_written_reads_back_as_the_same_configuration() {
    let every = "admission: {blocks: [{name: a.b, match: {method: [get, PUT], operation: [read, \"s3:Put*\"], source_ip: 10.0.0.1, \
                 bucket: b.c, path_glob: \"a$$$$/**/{x,y}\", authenticated: true, config_flag: maintenance_mode}, action: continue}, \
                 {name: c, action: {type: reject, status: 429, message: \"no: more\"}}, {name: d, match: {source_ip_list: \
                 [10.0.0.0/8, \"::1\"]}, action: {type: deny}}, {name: e, match: {}, action: allow-anonymous}]}\naccess: {authentication: none, access_key_id: AKID, secret_access_key: {file: /run/s}, reauth_window: 90s, \
                 session_lifetime: 1d, session_idle: 30m, sso_allowed_hosts: [id.lan, 10.0.0.1], iam_mode: declarative, iam_users: [{name: a.b, access_key_id: AK1, secret_access_key: {env: S}, \
                 groups: [g], permissions: [{effect: Allow, actions: [read], resources: [\"home/${iam:username}/$$\"], conditions: {Bool: {\"aws:SecureTransport\": true}}}]}, \
                 {name: b, enabled: false, access_keys: [{access_key_id: AK2, active: false, expires_at: \"2027-01-01T00:00:00Z\"}]}], \
                 iam_groups: [{name: g, description: \"$$${x\", permissions: [{id: mine, effect: Deny, actions: [\"*\"], resources: [\"*\"]}]}], \
                 auth_providers: [{name: p, priority: -3, client_secret: {file: ./s}, extra_config: {allowed_domains: [x, \"1\"], n: 1}}], \
                 group_mapping_rules: []}\nstorage: {backends: [{name: z, type: filesystem, path: ./z}, \
                 {name: a.b, type: filesystem, path: \"/a$$$$b\", read_only: true}], default_backend: z, buckets: {b.c: {backend: a.b, alias: real}, \
                 empty: {}, pub: {public_prefixes: [b/, \"a $$$$ü/\"]}, all: {public: true}, none: {public: false}, \
                 set: {quota_bytes: 3GiB, read_only: true, tags: {a: b, n: \"1\"}, cors: [{allowed_origins: [\"*\"], allowed_methods: [GET]}], \
                 lifecycle: [{id: x, enabled: false, filter: {prefix: \"\"}, expire_days: 3}]}}}\nadvanced: {listen_addr: \"[::1]:80\", tls: {enabled: false, cert_path: ./c.pem, key_path: /k.pem}, log_level: \"warn,actors=debug\", log_format: json, \
                 bootstrap_password_hash: {stored: hash}, data_roots: [/a, ./b], secret_roots: [/run], clock_skew_seconds: 60, auth_sigv2_post: true, \
                 region: eu-1, public_url: \"https://a.b/\", domains: [s3.a.b, c], console_host: d.e, trusted_proxies: [10.0.0.0/8, \"2001:db8::/32\"], max_requests: 9, idle_timeout: 2m}\nbackup: {schedule: \"0 2  * * *\", on_change: 10m, to: {bucket: \
                 ops, prefix: dgp}, keep: {last: 14, days: 60}, verify: false, plaintext_in_bucket: true, recipients: \
                 [age1eranlhwht855g2qys4e45duj0sc003f35lgj2vhla67v2546ld7qawycct], trusted_signers: \
                 [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=], limits: {body: 1GiB, entry: 2MB, total: 3000000, entries: 20, ratio: 50}}\n";
    for text in [every, EXAMPLE, "storage: {filesystem: /srv}", "storage: {backend: {type: filesystem, path: ./x y}}"] {
        let first = loaded(text, &[]);
        let yaml = canonical(&first);
        let second = loaded(&yaml, &[]);
        assert_eq!(first.config, second.config, "{yaml}");
        assert_eq!(canonical(&second), yaml);
        assert!(second.warnings.iter().all(|warning| !warning.contains("flat")));
    }
}

#[test]
fn the_canonical_form_is_sorted_and_short() {
    let text = "advanced: {region: eu-1, log_level: info}\nstorage: {backends: [{name: b, type: filesystem, path: ./b}, \
                {name: a, type: filesystem, path: ./a}]}\naccess: {authentication: none}\n";
    let expected = "access:\n  authentication: none\nstorage:\n  backends:\n    - name: a\n      type: filesystem\n      path: ./a\n    \
                    - name: b\n      type: filesystem\n      path: ./b\n  default_backend: b\nadvanced:\n  region: eu-1\n";
    assert_eq!(canonical(&loaded(text, &[])), expected);
}

#[test]
fn references_stay_references_and_literals_are_never_written() {
    let text = "access: {access_key_id: \"${env:WHO:-AKID}\", secret_access_key: plainsecret}\nadvanced: {region: \"${env:R}-1\", \
                data_roots: [\"${env:HOME}/d\", /x]}\nstorage: {filesystem: \"${env:HOME}/data\"}\n";
    let loaded = loaded(text, &[("R", "eu"), ("HOME", "/root")]);
    let stored = canonical(&loaded);
    for part in
        ["${env:WHO:-AKID}", "${env:R}-1", "${env:HOME}/d", "${env:HOME}/data", "stored: access.secret_access_key"]
    {
        assert!(stored.contains(part), "{part} in\n{stored}");
    }
    let redacted = emit(&to_tree(&loaded.config, &loaded.written, Literals::Omit));
    assert!(!stored.contains("plainsecret") && !redacted.contains("secret_access_key"), "{redacted}");
    assert_eq!(literal_secrets(&loaded.config).keys().collect::<Vec<_>>(), ["access.secret_access_key"]);
}

#[test]
fn the_audit_webhook_is_written_as_it_was_read_and_its_literal_is_not() {
    let text = "advanced: {audit: {keep_days: 30, file: ./a.ndjson, webhook: {url: \"https://siem.example.com/x\", \
                headers: [{name: X-Key, value: plainsecret}, {name: Authorization, value: {env: TOKEN}}]}}}\n";
    let loaded = loaded(text, &[("DGP_ADVANCED__AUDIT__WEBHOOK__HEADERS__X_KEY__VALUE", "from-environment")]);
    let expected = "advanced:\n  audit:\n    keep_days: 30\n    file: ./a.ndjson\n    webhook:\n      url: https://siem.example.com/x\n      \
                    headers:\n        - name: Authorization\n          value:\n            env: TOKEN\n        - name: X-Key\n";
    let written = emit(&file_tree(&loaded, Literals::Store));
    assert_eq!(written, expected, "what the environment hides today is not repeated in the clear");
    let secrets: Vec<String> = loaded.config.secrets().map(|(path, _)| path).collect();
    assert_eq!(secrets.len(), 2, "{secrets:?}");
}

#[test]
fn a_literal_of_iam_is_left_to_the_database() {
    let text = "access: {iam_mode: declarative, iam_users: [{name: ann, access_key_id: AK, secret_access_key: plainsecret}, \
                {name: \"${env:WHO}\", access_key_id: AK2, secret_access_key: \"${env:SECRET}\"}]}";
    let yaml = canonical(&loaded(text, &[("WHO", "bob")]));
    let expected = "access:\n  iam_mode: declarative\n  iam_users:\n    - name: ann\n      access_key_id: AK\n    \
                    - name: \"${env:WHO}\"\n      access_key_id: AK2\n      secret_access_key:\n        env: SECRET\n";
    assert_eq!(yaml, expected);
    let gui = loaded("access: {iam_users: [{name: ann}]}", &[]);
    assert!(gui.warnings.iter().any(|warning| warning.contains("iam_mode is `gui`")), "{:?}", gui.warnings);
}

#[test]
fn a_file_is_rewritten_without_what_the_environment_gave() {
    let text = "advanced: {log_level: warn}\nstorage: {backend: {type: filesystem, path: ./mine}}\naccess: {access_key_id: AKID, secret_access_key: plainsecret}\n";
    let variables = [
        ("DGP_LOG_LEVEL", "trace"),
        ("DGP_REGION", "env-1"),
        ("DGP_DATA_DIR", "/env"),
        ("DGP_BACKUP__LIMITS__RATIO", "20"),
        ("DGP_BOOTSTRAP_PASSWORD_HASH", "$2b$12$abcdefghijklmnopqrstuv"),
    ];
    let file = emit(&file_tree(&loaded(text, &variables), Literals::Store));
    let expected = "access:\n  access_key_id: AKID\n  secret_access_key:\n    stored: access.secret_access_key\nstorage:\n  filesystem: ./mine\nadvanced:\n  log_level: warn\n";
    assert_eq!(file, expected);
}

fn bucket(name: &str, alias: Option<&str>) -> Bucket {
    Bucket {
        name: BucketName::new(name).unwrap(),
        backend: BackendName::new("default").unwrap(),
        alias: alias.map(|alias| BucketName::new(alias).unwrap()),
        owner: "$bootstrap".to_owned(),
        created_at: Timestamp::from_secs(1_700_000_000),
        public_prefixes: alias.map(|alias| format!("{alias}/")).into_iter().collect(),
        settings: crate::domain::bucket::settings::tests::full(),
    }
}

#[test]
fn an_archive_carries_the_effective_values_and_both_parts_of_every_bucket() {
    let text = "storage: {buckets: {both: {alias: pinned, quota_bytes: 0, tags: {}}, only-file: {backend: default}}}\naccess: {access_key_id: AKID, secret_access_key: plainsecret}\n";
    let source = loaded(text, &[("DGP_REGION", "env-1"), ("DGP_DATA_DIR", "/env")]);
    let registry = [bucket("photos", Some("real")), bucket("both", None)];
    let yaml = emit(&archive_tree(&source, &registry));
    assert!(
        yaml.contains("region: env-1 # from DGP_REGION") && yaml.contains("filesystem: /env # from DGP_DATA_DIR"),
        "{yaml}"
    );
    assert!(!yaml.contains("plainsecret"), "{yaml}");
    let environment = Environment::new();
    let set = [("storage.filesystem".to_owned(), "/new".to_owned())];
    let back = load_from(&Source { text: &yaml, environment: &environment, set: &set, form: Form::Archive }).unwrap();
    assert_eq!(back.config.storage.buckets, source.config.storage.buckets);
    assert_eq!(back.config.advanced.region.as_deref(), Some("env-1"));
    assert_eq!(super::effective::roots(&back.config), [("default", "/new")]);
    let mut names: Vec<(String, Option<String>)> = back
        .registry
        .iter()
        .map(|bucket| (bucket.name.to_string(), bucket.alias.as_ref().map(ToString::to_string)))
        .collect();
    names.sort();
    let mut registered = back.registry.clone();
    registered.sort_by(|a, b| b.name.cmp(&a.name));
    assert_eq!(registered, registry, "{yaml}");
    assert_eq!(names, [("both".to_owned(), None), ("photos".to_owned(), Some("real".to_owned()))]);
    assert!(
        back.registry.iter().all(|bucket| bucket.owner == "$bootstrap" && bucket.created_at.secs() == 1_700_000_000)
    );
}

#[test]
fn the_example_names_every_key() {
    let tree = reader::read(EXAMPLE).unwrap();
    for key in keys() {
        let name = key.name().trim_end_matches("[]");
        let parts: Vec<&str> = key.path.split('.').collect();
        let commented = EXAMPLE
            .lines()
            .any(|line| line.trim_start().trim_start_matches(['#', ' ', '-']).starts_with(&format!("{name}:")));
        assert!(tree.find(&parts).is_some() || commented, "{}", key.path);
    }
    assert_eq!(loaded(EXAMPLE, &[]).warnings, Vec::<String>::new());
}

#[test]
fn the_schema_accepts_the_example_and_refuses_what_the_reader_refuses() {
    let schema = schema();
    let valid = |text: &str| valid(&schema, &serde_yaml::from_str(text).unwrap());
    assert!(valid(EXAMPLE));
    assert!(valid("storage: {filesystem: ./data}"));
    for bad in [
        "storge: {}",
        "advanced: {max_requests: 1}",
        "advanced: {max_requests: many}",
        "access: {authentication: maybe}",
        "access: {secret_access_key: {envv: X}}",
        "storage: {filesystem: /a, backend: {type: filesystem, path: /b}}",
        "storage: {backends: [{name: a}]}",
        "storage: {buckets: {photos: {quota: 1}}}",
        "admission: {blocks: [1]}",
        "admission: {blocks: [{name: a}]}",
        "admission: {blocks: [{name: a, action: alow}]}",
        "admission: {blocks: [{name: a, action: {status: 503}}]}",
        "admission: {blocks: [{name: a, action: deny, match: {sourceip: 1.1.1.1}}]}",
    ] {
        assert!(!valid(bad), "{bad}");
    }
    for key in keys().filter(|key| !key.path.contains(['[', '*'])) {
        let pointer: String = key.path.split('.').map(|part| format!("/properties/{part}")).collect();
        assert_eq!(
            schema.pointer(&pointer).map(|found| &found["description"]),
            Some(&Value::from(key.doc)),
            "{}",
            key.path
        );
    }
}

/// As much of JSON Schema as ours uses, but for `pattern`.
fn valid(schema: &Value, value: &Value) -> bool {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &&str| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    };
    let list = |name: &str| schema[name].as_array().cloned().unwrap_or_default();
    let number = |name: &str| schema[name].as_u64();
    let children = value.as_object().into_iter().flatten().all(|(name, child)| match &schema["properties"][name] {
        Value::Null => match &schema["additionalProperties"] {
            Value::Bool(allowed) => *allowed,
            Value::Null => true,
            other => valid(other, child),
        },
        property => valid(property, child),
    });
    (types.is_empty() || types.iter().any(is))
        && children
        && (schema["enum"].is_null() || list("enum").contains(value))
        && (schema["anyOf"].is_null() || list("anyOf").iter().any(|any| valid(any, value)))
        && (schema["not"].is_null() || !valid(&schema["not"], value))
        && list("required").iter().filter_map(Value::as_str).all(|name| value.get(name).is_some())
        && value.as_array().into_iter().flatten().all(|item| valid(&schema["items"], item))
        && value.as_array().is_none_or(|items| items.len() as u64 <= number("maxItems").unwrap_or(u64::MAX))
        && value
            .as_u64()
            .is_none_or(|n| (number("minimum").unwrap_or(0)..=number("maximum").unwrap_or(u64::MAX)).contains(&n))
        && (schema["pattern"] != *r"\$\{env:" || value.as_str().is_some_and(|text| text.contains("${env:")))
}
