//! Files that are refused: path, line and suggestion of every problem.

use crate::domain::config::load;
use crate::domain::config::scalar::Environment;

/// What is wrong with a file, in an environment.
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let environment: Environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    load(text, &environment)
        .err()
        .map(|problems| problems.0.iter().map(ToString::to_string).collect())
        .unwrap_or_default()
}

#[test]
fn every_bad_file_is_refused_with_path_line_and_suggestion() {
    // The file, and a part of its first problem as it is printed.
    let table: &[(&str, &str)] = &[
        ("storge:\n  filesystem: ./data\n", "line 1, column 1: storge: unknown key (did you mean `storage`?)"),
        ("acces: {}\n", "line 1, column 1: acces: unknown key (did you mean `access`?)"),
        (
            "advanced:\n  log_levl: info\n",
            "line 2, column 3: advanced.log_levl: unknown key (did you mean `log_level`?)",
        ),
        ("advanced:\n  listen_address: x\n", "did you mean `listen_addr`?"),
        ("region: eu\n", "region: unknown key (it stands in `advanced`: `advanced.region`)"),
        ("access:\n  iam_mode: file\n", "access.iam_mode: `file` is none of gui, declarative"),
        ("access:\n  iam_user: []\n", "access.iam_user: unknown key (did you mean `iam_users`?)"),
        (
            "access:\n  iam_users:\n    - {name: a, groop: x}\n",
            "line 3, column 17: access.iam_users[0].groop: unknown key",
        ),
        ("access:\n  iam_users:\n    - {enabled: true}\n", "access.iam_users[0].name: is missing"),
        ("access:\n  iam_users: [{name: a}, {name: a}]\n", "access.iam_users[1].name: another user is named `a`"),
        ("access:\n  iam_users: [{name: $root}]\n", "access.iam_users[0].name: the user's name begins with `$`"),
        (
            "access:\n  iam_users: [{name: a, access_key_id: K}, {name: b, access_keys: [{access_key_id: K}]}]\n",
            "access.iam_users[1].access_keys[0].access_key_id: the key `K` is here twice",
        ),
        (
            "access:\n  iam_users: [{name: a, secret_access_key: abcdefgh}]\n",
            "access.iam_users[0].secret_access_key: a secret without its access key id",
        ),
        (
            "access:\n  iam_groups: [{name: dev}]\n  iam_users: [{name: a, groups: [devs]}]\n",
            "access.iam_users[0].groups: there is no group `devs` in the file (did you mean `dev`?)",
        ),
        (
            "access:\n  iam_groups:\n    - name: dev\n      permissions:\n        - {effect: Allow, actions: [reed], resources: [x]}\n",
            "line 5, column 11: access.iam_groups[0].permissions[0]: `reed` is no action",
        ),
        (
            "access:\n  iam_groups: [{name: dev, permissions: [{effect: Allow, action: [read], resources: [x]}]}]\n",
            "access.iam_groups[0].permissions[0]: is no rule: unknown field `action`",
        ),
        (
            "access:\n  auth_providers: []\n  group_mapping_rules: [{provider: x, match_type: email_domain, match_value: y, group: z}]\n",
            "access.group_mapping_rules[0].provider: there is no provider `x` in the file",
        ),
        (
            "access:\n  group_mapping_rules: [{match_type: email, match_value: y, group: z}]\n",
            "access.group_mapping_rules[0].match_type: `email` is none of email_exact",
        ),
        ("advanced:\n  cache_size_mb: 100\n", "advanced.cache_size_mb: unknown key"),
        ("storage:\n  replication: {}\n", "line 2, column 3: storage.replication: unknown key"),
        ("storage:\n  s3: https://s3.example.com\n", "storage.s3: unknown key"),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a, encryption: {mode: rot13}}\n",
            "storage.backends[0].encryption.mode: `rot13` is none of none, aes256-gcm-proxy",
        ),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a, encryption: {mode: aes256-gcm-proxy}}\n",
            "storage.backends[0].encryption: this mode needs an active key",
        ),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a, encryption: {keys: {k: {env: A, stored: b}}}}\n",
            "storage.backends[0].encryption.keys.k: a key is exactly one reference",
        ),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a, encryption: {keys: {k: {env: A}}, active: x}}\n",
            "storage.backends[0].encryption.active: `x` is none of the keys",
        ),
        (
            "storage:\n  buckets:\n    photos:\n      quota_byte: 1\n",
            "line 4, column 7: storage.buckets.photos.quota_byte: unknown key",
        ),
        (
            "storage:\n  buckets: {photos: {tags: {n: 1}}}\n",
            "storage.buckets.photos.tags: is not a map of tags; a value that looks",
        ),
        (
            "storage:\n  buckets: {photos: {tags: {\"aws:n\": a}}}\n",
            "storage.buckets.photos.tags: `aws:n` is no key of a tag",
        ),
        (
            "storage:\n  buckets: {photos: {tags: {n: \"${env:X}\"}}}\n",
            "storage.buckets.photos.tags: no variable of the environment",
        ),
        (
            "storage:\n  buckets: {photos: {cors: [{allowed_origins: [\"*\"], allowed_methods: [get]}]}}\n",
            "storage.buckets.photos.cors: Found unsupported HTTP method in CORS config. Unsupported method is get",
        ),
        (
            "storage:\n  buckets: {photos: {lifecycle: [{id: a, expire_dayz: 1}]}}\n",
            "storage.buckets.photos.lifecycle: is not a list of lifecycle rules: unknown field `expire_dayz`",
        ),
        (
            "storage:\n  buckets: {photos: {quota_bytes: much}}\n",
            "storage.buckets.photos.quota_bytes: `much` is no size",
        ),
        ("storage:\n  buckets:\n    photos: {origin: registry}\n", "storage.buckets.photos.origin: unknown key"),
        ("backup:\n  limits: {boddy: 1MiB}\n", "backup.limits.boddy: unknown key (did you mean `body`?)"),
        (
            "backup:\n  schedule: 0 2 * *\n",
            "backup.schedule: `0 2 * *` has 4 fields, not five (write it as `0 2 * * *`",
        ),
        ("backup:\n  schedule: 0 2 * * *\n", "backup.schedule: says when, and nothing says where to"),
        ("backup:\n  on_change: 1m\n", "backup.on_change: says when, and nothing says where to"),
        ("backup:\n  to: {directory: /b, bucket: ops}\n", "backup.to.bucket: backups go to one place"),
        ("backup:\n  to: {prefix: dgp/}\n", "backup.to.prefix: a prefix without its bucket"),
        ("backup:\n  to: {bucket: ops}\n", "(set backup.recipients, or backup.plaintext_in_bucket: true)"),
        ("backup:\n  keep: {last: 0}\n", "backup.keep.last: `0` is out of range (use 1 to 100000)"),
        ("<<: {a: 1}\n", "<<: unknown key"),
        ("- a\n", "line 1, column 1: the file must be a map of keys"),
        ("just text\n", "the file must be a map of keys"),
        ("access: [1]\n", "line 1, column 1: access: must be a map of keys"),
        (
            "advanced: {audit: {webhook: {url: \"http://169.254.169.254/latest\"}}}\n",
            "nothing is sent to 169.254.169.254: it is a link-local address",
        ),
        ("advanced: {audit: {webhook: {url: siem.example.com}}}\n", "it does not begin with `https://` or `http://`"),
        (
            "advanced: {audit: {webhook: {headers: [{name: A, value: {env: B}}]}}}\n",
            "headers without an address (set advanced.audit.webhook.url, too)",
        ),
        (
            "advanced: {audit: {webhook: {url: \"https://a\", headers: [{name: Host, value: {env: B}}]}}}\n",
            "`Host` is set by the server itself (remove it)",
        ),
        (
            "advanced: {audit: {webhook: {url: \"https://a\", headers: [{name: A}]}}}\n",
            "advanced.audit.webhook.headers[0]: the key `value` is missing",
        ),
        ("admission:\n  blocks: [{name: x}]\n", "admission.blocks[0]: the key `action` is missing"),
        (
            "storage:\n  buckets: {docs: {public: true, public_prefixes: [a/]}}\n",
            "storage.buckets.docs.public: `public_prefixes` is here, too; a bucket has one of them (remove one)",
        ),
        (
            "storage:\n  buckets: {docs: {public_prefixes: [a/, releases]}}\n",
            "storage.buckets.docs.public_prefixes: `releases` does not end in a slash",
        ),
        ("advanced:\n  trusted_proxies: [10.0.0.0/40]\n", "advanced.trusted_proxies: `10.0.0.0/40` is no address"),
        ("defaults: v2\n", "defaults: `v2` is none of v1"),
        (
            "access:\n  authentication: nonne\n",
            "line 2, column 19: access.authentication: `nonne` is none of required, none (did you mean `none`?)",
        ),
        ("access:\n  authentication: false\n", "use required or none"),
        (
            "access:\n  authentication:\n",
            "line 2, column 3: access.authentication: has no value (remove the key or give it a value)",
        ),
        (
            "access:\n  access_key_id: AKID\n",
            "access.access_key_id: an access key id without its secret (set access.secret_access_key, too)",
        ),
        ("access:\n  secret_access_key: longenough\n", "a secret without its access key id"),
        (
            "access: {access_key_id: AKID, secret_access_key: short}\n",
            "access.secret_access_key: is shorter than 8 characters",
        ),
        (
            "access: {access_key_id: AKID, secret_access_key: {envv: X}}\n",
            "`envv` is no kind of reference (did you mean `env`?)",
        ),
        (
            "access: {access_key_id: AKID, secret_access_key: {env: A B}}\n",
            "`env:` needs the name of an environment variable",
        ),
        ("access: {access_key_id: AKID, secret_access_key: {env: A, file: /b}}\n", "a reference has exactly one key"),
        ("access: {access_key_id: AKID, secret_access_key: {file: ../b}}\n", "holds `..`"),
        ("access: {access_key_id: a/b, secret_access_key: {env: A}}\n", "is no access key id"),
        ("access:\n  reauth_window: 300\n", "write it with its unit: `300s`, `300m` or `300h`"),
        ("access:\n  session_idle: 5 minutes\n", "`5 minutes` is no duration"),
        ("access:\n  session_lifetime: 1s\n", "`1s` is out of range (use 5m to 90d)"),
        ("advanced:\n  idle_timeout: 500ms\n", "`500ms` is out of range (use 1s to 1h)"),
        (
            "advanced:\n  listen_addr: localhost:9000\n",
            "line 2, column 16: advanced.listen_addr: `localhost:9000` is no address (did you mean `127.0.0.1:9000`?)",
        ),
        ("advanced:\n  listen_addr: \":9000\"\n", "did you mean `0.0.0.0:9000`?"),
        ("advanced:\n  listen_addr: 9000\n", "did you mean `127.0.0.1:9000`?"),
        ("advanced:\n  listen_addr: 10.0.0.1\n", "did you mean `10.0.0.1:9000`?"),
        ("advanced:\n  listen_addr: [a]\n", "must be one value, not a list"),
        ("advanced:\n  log_level: inof\n", "`inof` is no log filter (did you mean `info`?)"),
        ("advanced:\n  log_format: jsn\n", "did you mean `json`?"),
        ("advanced:\n  clock_skew_seconds: 15m\n", "`15m` is no whole number"),
        ("advanced:\n  clock_skew_seconds: 0\n", "`0` is out of range (use 1 to 3600)"),
        ("advanced:\n  clock_skew_seconds: \"900\"\n", "must be a number (write it without quotes)"),
        ("advanced:\n  max_requests: -1\n", "`-1` is no whole number"),
        ("advanced:\n  public_url: s3.example.com\n", "did you mean `https://s3.example.com`?"),
        ("advanced:\n  public_url: https://s3.example.com/console\n", "is more than a host name and a port"),
        ("advanced:\n  region: EU West\n", "`EU West` is no region"),
        ("advanced:\n  data_roots: /srv\n", "advanced.data_roots: must be a list (write `[/srv]`)"),
        ("advanced:\n  data_roots: [~/data]\n", "`~` is not expanded"),
        (
            "advanced:\n  bootstrap_password_hash: hunter2\n",
            "is no password hash (make one with `deltaglider_proxy hash-password`)",
        ),
        ("advanced:\n  region: ${env:NOT_SET}\n", "the environment variable NOT_SET is not set"),
        ("backup:\n  limits: {body: 10 Gigs}\n", "`10 Gigs` is no size (write it as `512MiB` or `10GiB`)"),
        ("backup:\n  limits: {body: 5TiB}\n", "`5TiB` is out of range (use 1MiB to 1TiB)"),
        ("backup:\n  limits: {entry: 10GiB}\n", "one entry may weigh more than all together"),
        ("backup:\n  trusted_signers: [abc]\n", "is no Ed25519 public key"),
        ("backup:\n  recipients: [age1abc]\n", "is no age recipient (write the `age1…` that `age-keygen` shows"),
        ("storage:\n  filesystem: \"\"\n", "storage.filesystem: is empty"),
        ("storage:\n  filesystem: s3://bucket\n", "is an address, not a path"),
        (
            "storage:\n  filesystem: /a\n  backend: {type: filesystem, path: /b}\n",
            "line 3, column 19: storage.backend: `storage.filesystem` is here, too",
        ),
        ("storage:\n  backend: {path: /b}\n", "storage.backend: the key `type` is missing"),
        ("storage:\n  backend: {type: gcs}\n", "`gcs` is none of filesystem, s3"),
        ("storage:\n  backends: []\n", "storage.backends: the list names no backend"),
        ("storage:\n  backends: {hot: /a}\n", "storage.backends: must be a list"),
        (
            "storage:\n  backends:\n    - {type: filesystem, path: /a}\n",
            "line 3, column 7: storage.backends[0]: the key `name` is missing",
        ),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a}\n    - {name: a, type: filesystem, path: /b}\n",
            "storage.backends[1].name: another backend is named `a`",
        ),
        (
            "storage:\n  backends:\n    - {name: a, type: filesystem, path: /a}\n    - {name: b, type: filesystem, path: /a}\n",
            "another backend has the directory `/a`",
        ),
        ("storage:\n  default_backend: defualt\n", "there is no backend `defualt` (did you mean `default`?)"),
        ("storage:\n  buckets:\n    photos: {backend: cold}\n", "there is no backend `cold` (known backends: default)"),
        (
            "storage:\n  buckets:\n    My_Photos: {}\n",
            "line 3, column 5: storage.buckets.My_Photos: `My_Photos` is no bucket name (did you mean `my-photos`?)",
        ),
        (
            "storage:\n  buckets:\n    aaa: {backend: default, alias: real}\n    bbb: {backend: default, alias: real}\n",
            "line 4, column 5: storage.buckets.bbb: `storage.buckets.aaa` is `real` on the backend `default`, too",
        ),
        ("storage:\n  buckets: [a]\n", "storage.buckets: must be a map by name"),
        ("access: {}\naccess: {}\n", "line 2, column 1: access: the key is here twice, first on line 1"),
        (
            "listen_addr: 127.0.0.1:1\nadvanced: {log_level: info}\n",
            "line 1, column 1: listen_addr: the older flat shape is mixed with the section `advanced` (move it to `advanced.listen_addr`)",
        ),
        ("log_level: inof\n", "line 1, column 12: advanced.log_level: `inof` is no log filter"),
        ("access:\n\tregion: x\n", "this is not valid YAML"),
    ];
    for (text, expected) in table {
        let problems = problems(text, &[]);
        let first = problems.first().map(String::as_str).unwrap_or("(accepted)");
        assert!(first.contains(expected), "{text}\n  is: {first}\n  not: {expected}");
    }
}

#[test]
fn all_problems_of_a_file_are_told_at_once_in_its_order() {
    let text = "storge: {}\nadvanced:\n  log_level: inof\n  listen_addr: x\naccess:\n  reauth_window: 5\n";
    let problems = problems(text, &[("DGP_REGION", "")]);
    assert_eq!(problems.len(), 5, "{problems:#?}");
    for (problem, begin) in
        problems.iter().zip(["line 1,", "line 3,", "line 4,", "line 6,", "advanced.region: is empty"])
    {
        assert!(problem.starts_with(begin), "{problem}");
    }
}

#[test]
fn a_bad_value_in_the_environment_refuses_to_start_and_names_the_variable() {
    for (name, value, expected) in [
        (
            "DGP_LISTEN_ADDR",
            "localhost:1",
            "advanced.listen_addr: `localhost:1` is no address (in the environment variable DGP_LISTEN_ADDR) (did you mean `127.0.0.1:1`?)",
        ),
        ("DGP_ADVANCED__MAX_REQUESTS", "many", "`many` is no whole number"),
        (
            "DGP_ADVANCED__LOG_LEVL",
            "info",
            "the environment variable DGP_ADVANCED__LOG_LEVL overrides no key (did you mean DGP_ADVANCED__LOG_LEVEL?)",
        ),
        ("DGP_STORAGE__BACKENDS__HOT__PATH", "/x", "overrides no key"),
        ("DGP_REPLICATION__TRANSFERS", "4", "overrides no key"),
        ("DGP_ACCESS_KEY_ID", "AKID", "without its secret"),
        ("DGP_AUTHENTICATION", "off", "use required or none"),
        ("DGP_DATA_DIR", "", "storage.filesystem: is empty"),
        ("DGP_BOOTSTRAP_PASSWORD_HASH", "hunter2", "is no password hash"),
    ] {
        let problems = problems("", &[(name, value)]);
        assert!(problems.first().is_some_and(|first| first.contains(expected)), "{name}={value}: {problems:#?}");
    }
    let both = problems("", &[("DGP_LOG_LEVEL", "info"), ("DGP_ADVANCED__LOG_LEVEL", "warn")]);
    assert!(both[0].contains("disagree"), "{both:#?}");
}

#[test]
fn no_problem_repeats_a_secret() {
    let text =
        "access: {access_key_id: AKID, secret_access_key: hunt3r}\nadvanced: {bootstrap_password_hash: tr0ub4dor}\n";
    let shown = problems(text, &[]).join("\n");
    assert!(!shown.is_empty() && !shown.contains("hunt3r") && !shown.contains("tr0ub4dor"), "{shown}");
}
