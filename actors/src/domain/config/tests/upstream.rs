//! Backends that are S3 accounts: what is read of them, what is wrong with them, and that their secrets are never written.

use super::effective::loaded;
use crate::domain::config::canonical::{Literals, file_tree, literal_secrets, to_tree};
use crate::domain::config::emit::emit;
use crate::domain::config::load;
use crate::domain::config::model::{BackendKind, S3Account, SecretRef};
use crate::domain::config::scalar::Environment;
use crate::domain::names::BackendName;
use crate::domain::secret::Secret;

fn account(text: &str, variables: &[(&str, &str)], name: &str) -> S3Account {
    let loaded = loaded(text, variables);
    match &loaded.config.storage.backends[&BackendName::new(name).unwrap()].kind {
        BackendKind::S3(account) => account.clone(),
        other => panic!("{other:?} is no account"),
    }
}

fn problems(text: &str, variables: &[(&str, &str)]) -> String {
    let environment: Environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    load(text, &environment).expect_err("it has problems").to_string()
}

const LISTED: &str = "storage: {backends: [{name: hot, type: filesystem, path: ./hot}, {name: cold, type: s3, \
                      endpoint: \"http://127.0.0.1:9000/\", access_key_id: AK, secret_access_key: plainsecret}]}";

#[test]
fn an_account_is_read_with_its_defaults() {
    let secret_access_key = Some(SecretRef::Literal(Secret::new("plainsecret")));
    let expected = S3Account {
        endpoint: Some("http://127.0.0.1:9000".to_owned()),
        region: "us-east-1".to_owned(),
        access_key_id: "AK".to_owned(),
        secret_access_key,
    };
    assert_eq!(account(LISTED, &[], "cold"), expected);
    let single = "storage: {backend: {type: s3, region: eu-1, access_key_id: AK, secret_access_key: {env: S}}}";
    let found = account(single, &[], "default");
    assert_eq!(found.url(), "https://s3.eu-1.amazonaws.com");
    assert_eq!(found.secret_access_key, Some(SecretRef::Env("S".to_owned())));
}

#[test]
fn the_short_variables_make_the_default_backend_an_account_and_go_where_it_stands() {
    let short = [
        ("DGP_S3_ENDPOINT", "http://10.0.0.7:3900"),
        ("DGP_S3_REGION", "garage"),
        ("DGP_BE_AWS_ACCESS_KEY_ID", "AK"),
        ("DGP_BE_AWS_SECRET_ACCESS_KEY", "plainsecret"),
    ];
    let found = account("", &short, "default");
    assert_eq!((found.url().as_str(), found.region.as_str()), ("http://10.0.0.7:3900", "garage"));
    assert_eq!(found.secret_access_key, Some(SecretRef::Env("DGP_BE_AWS_SECRET_ACCESS_KEY".to_owned())));
    // A file that was written from it meets the same variables at the next start.
    let written = emit(&to_tree(&loaded("", &short).config, &Default::default(), Literals::Store));
    assert_eq!(account(&written, &short, "default"), found, "{written}");
    let listed = format!("{LISTED}\n").replace("backends:", "default_backend: cold, backends:");
    assert_eq!(account(&listed, &short[..1], "cold").url(), "http://10.0.0.7:3900");
}

#[test]
fn a_secret_that_is_written_out_is_kept_beside_the_config_and_never_in_it() {
    let loaded = loaded(LISTED, &[]);
    let name = "storage.backends.cold.secret_access_key";
    assert_eq!(literal_secrets(&loaded.config).keys().collect::<Vec<_>>(), [name]);
    let stored = emit(&file_tree(&loaded, Literals::Store));
    assert!(stored.contains(&format!("stored: {name}")) && !stored.contains("plainsecret"), "{stored}");
    let omitted = emit(&to_tree(&loaded.config, &loaded.written, Literals::Omit));
    assert!(!omitted.contains("secret_access_key"), "{omitted}");
}

#[test]
fn what_is_wrong_with_an_account_is_said_all_at_once() {
    let said = problems(
        "storage: {backends: [{name: a, type: s3, path: ./x, force_path_style: false, endpoint: \"http://169.254.169.254\"}, \
         {name: b, type: filesystem, path: ./b, region: eu-1}]}",
        &[],
    );
    for part in ["no directory", "force_path_style", "169.254.169.254", "`access_key_id` is missing", "`type: s3`"] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let said = problems("storage: {filesystem: ./data}", &[("DGP_S3_ENDPOINT", "http://10.0.0.7:3900")]);
    assert!(said.contains("a file uses one form"), "{said}");
}
