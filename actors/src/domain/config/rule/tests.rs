//! What each rule takes, and what it refuses.

use super::*;

#[test]
fn a_base64_hash_is_the_hash() {
    let hash = "$2b$12$abcdefghijklmnopqrstuv";
    assert_eq!(decode_hash(hash).as_deref(), Ok(hash));
    assert_eq!(decode_hash(&STANDARD.encode(hash)).as_deref(), Ok(hash));
    assert!(decode_hash("hunter2").is_err());
    assert!(!decode_hash("hunter2").unwrap_err().message.contains("hunter2"));
}

#[test]
fn a_host_name_with_more_around_it_is_told_apart() {
    for text in ["*.s3.example.com", ".S3.example.com", "https://s3.example.com/", "s3.example.com:9000"] {
        let suggestion = Rule::Host.check(text).unwrap_err().suggestion.unwrap();
        assert_eq!(suggestion, "did you mean `s3.example.com`?", "{text}");
    }
    assert!(Rule::Host.check("a..b").is_err() && Rule::Host.check("a b").is_err());
}

#[test]
fn a_prefix_is_a_plain_path() {
    for text in ["/", "/a", "a//b", "a/../b", "a*", "${x}", "a b", "ä"] {
        assert!(Rule::KeyPrefix.check(text).is_err(), "{text}");
    }
}

#[test]
fn what_opens_too_much_or_nothing_is_refused() {
    for (rule, text) in [
        (Rule::PublicPrefix, "releases"),
        (Rule::PublicPrefix, "/"),
        (Rule::PublicPrefix, "/releases/"),
        (Rule::PublicPrefix, "a//"),
        (Rule::PublicPrefix, "a/../b/"),
        (Rule::PublicPrefix, "a\0/"),
        (Rule::BlockName, "public-prefix:x"),
        (Rule::BlockName, "two words"),
        (Rule::Method, "FETCH"),
        (Rule::Operation, "s3:Frobnicate"),
        (Rule::Operation, "backup:export"),
        (Rule::Network, "10.0.0.0/33"),
        (Rule::Glob, "{a"),
    ] {
        assert!(rule.check(text).is_err(), "{text}");
    }
}

#[test]
fn rules_accept_what_is_right() {
    for (rule, text) in [
        (Rule::LogFilter, "info,actors=debug, actix_web = WARN"),
        (Rule::Origin, "https://s3.example.com:8443/"),
        (Rule::Host, "s3.eu-1.example.com"),
        (Rule::Host, "localhost"),
        (Rule::Region, "eu-central-1"),
        (Rule::Path, "/srv/my data/a..b"),
        (Rule::AccessKeyId, "AKIAIOSFODNN7EXAMPLE"),
        (Rule::Timestamp, "2026-11-22T09:00:00Z"),
        (Rule::Cron, "*/5 2-4 * * MON"),
        (Rule::KeyPrefix, "ops/dgp-1.x/"),
        (Rule::Network, "2001:db8::/32"),
        (Rule::BlockName, "office:only_1.a-b"),
        (Rule::Method, "delete"),
        (Rule::Operation, "s3:Get*"),
        (Rule::Operation, "write"),
        (Rule::Glob, "**/*.{key,pem}"),
        (Rule::PublicPrefix, ""),
        (Rule::PublicPrefix, "a b/ü/"),
    ] {
        assert_eq!(rule.check(text), Ok(()), "{text}");
    }
}
