//! What a file and an environment amount to, and where each value came from.

use crate::domain::config::model::{Authentication, Backend, Config, LogFormat, SecretRef};
use crate::domain::config::scalar::Environment;
use crate::domain::config::table::{self, Kind, keys};
use crate::domain::config::tree::Origin;
use crate::domain::config::{Loaded, annotated, check, load};
use crate::domain::names::BackendName;
use std::time::Duration;

pub(super) fn loaded(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let environment: Environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    load(text, &environment).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

pub(super) fn roots(config: &Config) -> Vec<(&str, &str)> {
    let backends = config.storage.backends.iter();
    let root = |(name, backend)| {
        let (name, Backend { kind, .. }): (&BackendName, &Backend) = (name, backend);
        (name.as_str(), kind.directory().map_or("", |path| path.as_str()))
    };
    backends.map(root).collect()
}

#[test]
fn nothing_configured_is_one_directory_on_loopback_with_authentication() {
    let loaded = loaded("", &[]);
    assert_eq!(roots(&loaded.config), [("default", "./data")]);
    assert_eq!(loaded.config.advanced.listen_addr.to_string(), "127.0.0.1:9000");
    assert_eq!(loaded.config.access.authentication, Authentication::Required);
    assert_eq!(loaded.config.advanced.clock_skew, Duration::from_secs(900));
    assert_eq!(loaded.config.backup.limits, Default::default());
    assert!(loaded.origins.values().all(|origin| *origin == Origin::Default));
    assert!(loaded.warnings.is_empty());
}

#[test]
fn the_three_forms_of_storage_mean_the_same() {
    for text in [
        "storage: {filesystem: /srv}",
        "storage: {backend: {type: filesystem, path: /srv}}",
        "storage: {backends: [{name: default, type: filesystem, path: /srv}], default_backend: default}",
        "backend: {type: filesystem, path: /srv}",
    ] {
        assert_eq!(roots(&loaded(text, &[]).config), [("default", "/srv")], "{text}");
    }
}

#[test]
fn the_older_flat_shape_is_read_with_a_warning() {
    let text = "listen_addr: 127.0.0.1:1\nlog_level: warn\naccess_key_id: AKID\nsecret_access_key: {env: X}\nauthentication: none\n\
                backends: [{name: a, type: filesystem, path: /a}]\ndefault_backend: a\nbuckets: {logs: {backend: a}}\n";
    let loaded = loaded(text, &[]);
    assert_eq!(loaded.config.advanced.log_level, "warn");
    assert_eq!(loaded.config.storage.buckets.len(), 1);
    assert!(loaded.warnings.iter().any(|warning| warning.contains("older flat shape")));
    assert!(loaded.tree.find(&["advanced", "listen_addr"]).is_some());
}

#[test]
fn the_environment_wins_over_the_file_and_every_origin_is_known() {
    let text = "advanced:\n  log_level: warn\n  log_format: json\n  clock_skew_seconds: 60\n";
    let loaded = loaded(
        text,
        &[
            ("DGP_LOG_LEVEL", "debug"),
            ("DGP_ADVANCED__CLOCK_SKEW_SECONDS", "120"),
            ("DGP_BACKUP__LIMITS__BODY", "1GiB"),
            ("DGP_ADVANCED__DATA_ROOTS", "/a, /b"),
            ("DGP_STATE_DIR", "/elsewhere"),
        ],
    );
    let advanced = &loaded.config.advanced;
    assert_eq!((advanced.log_level.as_str(), advanced.log_format), ("debug", LogFormat::Json));
    assert_eq!((advanced.clock_skew.as_secs(), advanced.data_roots.len()), (120, 2));
    assert_eq!(loaded.config.backup.limits.body, 1 << 30);
    let origin = |path: &str| loaded.origins[path].to_string();
    assert_eq!(origin("advanced.log_level"), "env:DGP_LOG_LEVEL");
    assert_eq!(loaded.origins["advanced.log_format"], Origin::File { line: 3, column: 15 });
    assert_eq!(origin("advanced.region"), "default");
    assert_eq!(origin("advanced.data_roots"), "env:DGP_ADVANCED__DATA_ROOTS");
}

#[test]
fn a_secret_from_the_environment_is_a_reference_to_it() {
    let loaded = loaded("", &[("DGP_ACCESS_KEY_ID", "AKID"), ("DGP_SECRET_ACCESS_KEY", "s3cretvalue")]);
    assert_eq!(loaded.config.access.secret_access_key, Some(SecretRef::Env("DGP_SECRET_ACCESS_KEY".to_owned())));
    let text = "access: {access_key_id: AKID, secret_access_key: \"${env:ELSEWHERE}\"}";
    assert_eq!(self::loaded(text, &[]).config.access.secret_access_key, Some(SecretRef::Env("ELSEWHERE".to_owned())));
}

#[test]
fn the_data_directory_of_the_environment_is_that_of_the_default_backend() {
    let two = "storage: {backends: [{name: a, type: filesystem, path: /a}, {name: b.c, type: filesystem, path: /b}], default_backend: b.c}";
    let loaded_two = loaded(two, &[("DGP_DATA_DIR", "/env")]);
    assert_eq!(roots(&loaded_two.config), [("a", "/a"), ("b.c", "/env")]);
    let named = loaded(two, &[("DGP_STORAGE__BACKENDS__A__PATH", "/x")]);
    assert_eq!(roots(&named.config), [("a", "/x"), ("b.c", "/b")]);
    assert_eq!(roots(&loaded("", &[("DGP_DATA_DIR", "/env")]).config), [("default", "/env")]);
}

#[test]
fn an_unknown_short_variable_that_looks_like_one_of_ours_is_a_warning() {
    let warnings = loaded("", &[("DGP_LISTEN_ADR", "x"), ("DGP_MY_OWN_SECRET", "x")]).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("did you mean DGP_LISTEN_ADDR?"));
}

#[test]
fn every_default_of_the_table_follows_its_own_rule_and_every_key_has_its_parent() {
    for key in keys() {
        if let Some(default) = key.default {
            assert!(check::typed(key.kind, default).is_ok(), "{}", key.path);
        }
        let parent = key.parent().trim_end_matches("[]").trim_end_matches(".*");
        assert!(parent.is_empty() || table::key(parent).is_some_and(|parent| parent.is_container()), "{}", key.path);
        assert!(key.doc.ends_with('.'), "{}", key.path);
        assert!(
            !key.is_container() || matches!(key.kind, Kind::Section | Kind::Items | Kind::Named(_) | Kind::Variant(_))
        );
    }
    let host: Vec<&str> = table::host_settings().collect();
    let expected =
        ["listen_addr", "tls.enabled", "tls.cert_path", "tls.key_path", "log_level", "log_format", "audit.file"];
    assert_eq!(host, expected.map(|name| format!("advanced.{name}")));
}

#[test]
fn the_printed_defaults_load_as_the_defaults() {
    let printed = annotated::annotated();
    assert_eq!(loaded(&printed, &[]).config, loaded("", &[]).config);
    for key in keys() {
        assert!(printed.contains(key.doc), "{}", key.path);
    }
}
