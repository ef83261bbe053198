//! The list of every `code` that an error of the admin API may have: part of the interface, so a code is never taken away.

use actors::domain::archive::fault::ArchiveFault;
use std::collections::BTreeSet;

/// The codes beside those of bad archives, sorted.
const CODES: &[&str] = &[
    "access_key_taken",
    "admin_untouchable",
    "audit_checkpoint_forged",
    "backend_exists",
    "backend_foreign",
    "backend_id_taken",
    "backend_in_use",
    "backend_initialised",
    "backend_is_default",
    "backend_locked",
    "backend_not_initialised",
    "backend_not_mounted",
    "backend_quarantined",
    "backend_read_only",
    "backend_root_refused",
    "backend_unfit",
    "backend_unusable",
    "backup_destination_unusable",
    "backup_in_progress",
    "backup_name_taken",
    "bad_digest",
    "bad_origin",
    "bad_parameter",
    "bucket_collision",
    "bucket_exists",
    "bucket_not_empty",
    "bucket_read_only",
    "conditional_conflict",
    "config_changed_on_disk",
    "config_invalid",
    "config_read_only",
    "config_unfit",
    "conflict",
    "cross_site",
    "db_corrupt",
    "db_key_mismatch",
    "declared_in_config",
    "disk_full",
    "entity_too_large",
    "fence_lost",
    "forbidden",
    "generation_changed",
    "grant_exceeds_own",
    "group_exists",
    "group_name_taken",
    "iam_declarative",
    "iam_empty",
    "iam_secret_missing",
    "idempotency_key_reused",
    "identity_taken",
    "incomplete_body",
    "internal_error",
    "invalid_access_key",
    "invalid_bucket_name",
    "invalid_cors",
    "invalid_description",
    "invalid_expiry",
    "invalid_identity",
    "invalid_lifecycle",
    "invalid_mapping_rule",
    "invalid_name",
    "invalid_password",
    "invalid_password_hash",
    "invalid_permission",
    "invalid_provider",
    "invalid_public_prefix",
    "invalid_quota",
    "invalid_range",
    "invalid_request",
    "invalid_tags",
    "key_conflict",
    "key_too_long",
    "last_verified_backup",
    "later_changes",
    "locked",
    "mapping_rule_exists",
    "metadata_stripped",
    "metadata_too_large",
    "method_not_allowed",
    "missing_keys",
    "newer_schema",
    "no_backup_destination",
    "no_own_keys",
    "no_recipients",
    "no_signing_key",
    "no_such_backend",
    "no_such_backup",
    "no_such_bucket",
    "no_such_group",
    "no_such_identity",
    "no_such_key",
    "no_such_principal",
    "no_such_provider",
    "no_such_restore",
    "no_such_route",
    "no_such_rule",
    "no_such_secret",
    "no_such_session",
    "no_such_signer",
    "no_such_token",
    "no_such_user",
    "not_found",
    "not_implemented",
    "not_locked",
    "nothing_to_undo",
    "object_exists",
    "older_schema",
    "outcome_unknown",
    "password_pinned",
    "precondition_failed",
    "provider_exists",
    "provider_in_use",
    "provider_name_taken",
    "public_url_missing",
    "quota_exceeded",
    "reauthentication_required",
    "restore_in_progress",
    "route_changed",
    "salt_not_16_bytes",
    "same_secret",
    "secret_missing",
    "shadowed_by_environment",
    "slow_down",
    "sso_address_refused",
    "sso_answer_too_large",
    "sso_bad_algorithm",
    "sso_bad_signature",
    "sso_discovery_invalid",
    "sso_domain_not_allowed",
    "sso_email_missing",
    "sso_email_unverified",
    "sso_exchange_refused",
    "sso_issuer_insecure",
    "sso_not_provisioned",
    "sso_provider_changed",
    "sso_provider_disabled",
    "sso_provider_redirects",
    "sso_provider_timeout",
    "sso_provider_unreachable",
    "sso_refused_by_provider",
    "sso_state_mismatch",
    "sso_state_unknown",
    "sso_token_expired",
    "sso_token_invalid",
    "sso_token_not_yet_valid",
    "sso_unknown_key",
    "sso_user_disabled",
    "sso_userinfo_failed",
    "sso_wrong_audience",
    "sso_wrong_issuer",
    "sso_wrong_nonce",
    "state_db_key_mismatch",
    "state_dir_locked",
    "stored_backup_damaged",
    "timeout",
    "token_exists",
    "token_name_taken",
    "too_large",
    "too_many_failures",
    "too_many_keys",
    "too_many_providers",
    "too_many_requests",
    "too_many_rules",
    "too_many_sign_ins",
    "unauthenticated",
    "unavailable",
    "undo_unavailable",
    "unknown_revive",
    "untrusted_backup",
    "user_exists",
    "user_name_taken",
    "wrong_credentials",
    "wrong_instance",
];

/// Every code, sorted.
pub(super) fn codes() -> BTreeSet<&'static str> {
    CODES.iter().copied().chain(ArchiveFault::all().map(ArchiveFault::code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The codes that a file's text gives to errors: the first text in the brackets of what makes one.
    fn given(text: &str, found: &mut Vec<String>) {
        for maker in [
            "with_code(",
            "conflict(",
            "missing(",
            "not_found(",
            "later(",
            "invalid(",
            "refuse(ErrorKind::",
            "refuse(",
            ", Kind::",
        ] {
            for (at, _) in text.match_indices(maker) {
                let after =
                    text[at + maker.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == ',').trim_start();
                let Some(code) = after.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
                if code.contains('_') && code.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())
                {
                    found.push(code.to_owned());
                }
            }
        }
    }

    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                given(&std::fs::read_to_string(&path).unwrap(), found);
            }
        }
    }

    #[test]
    fn every_code_in_the_sources_is_on_the_list() {
        let mut found = Vec::new();
        for folder in ["src", "actors/src"] {
            walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
        }
        assert!(found.len() > 60, "the codes were not found: {found:?}");
        let known = codes();
        let unknown: Vec<&String> = found.iter().filter(|code| !known.contains(code.as_str())).collect();
        assert!(unknown.is_empty(), "add to src/http/admin/codes.rs: {unknown:?}");
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
    }
}
