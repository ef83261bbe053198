//! What AWS says of condition operators, as tests.

use super::*;
use crate::domain::iam::context::RequestContext;

fn conditions(json: &str) -> Conditions {
    serde_json::from_str(json).unwrap()
}

fn holds(json: &str, context: &RequestContext) -> bool {
    let conditions = conditions(json);
    check(&conditions).unwrap();
    let asked = Asked {
        context,
        listing: true,
        prefix: &context.list.prefix,
        username: Some("bob"),
        user_id: Some("u1"),
        access_key_id: None,
    };
    hold(&conditions, &asked).unwrap()
}

fn from(ip: &str) -> RequestContext {
    RequestContext {
        source_ip: Some(ip.parse().unwrap()),
        time: Timestamp::parse_rfc3339("2026-11-22T09:00:00Z").unwrap(),
        ..RequestContext::default()
    }
}

#[test]
fn of_a_negated_operator_with_several_values_none_may_match() {
    let both = r#"{"NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "10.0.0.0/8"]}}"#;
    assert!(!holds(both, &from("127.0.0.1")));
    assert!(!holds(both, &from("10.1.2.3")));
    assert!(holds(both, &from("192.0.2.1")));
    let names = r#"{"StringNotEquals": {"aws:username": ["alice", "bob"]}}"#;
    assert!(!holds(names, &from("127.0.0.1")));
}

#[test]
fn several_values_are_alternatives_and_several_keys_all_hold() {
    let any = r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::1"]}}"#;
    assert!(holds(any, &from("::1")));
    assert!(holds(any, &from("::ffff:10.0.0.1")));
    assert!(!holds(any, &from("11.0.0.1")));
    let all = r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:SecureTransport": "true"}}"#;
    assert!(!holds(all, &from("10.0.0.1")));
    assert!(holds(all, &RequestContext { secure: true, ..from("10.0.0.1") }));
}

#[test]
fn a_missing_key_fails_all_but_negated_and_if_exists() {
    let context = from("127.0.0.1");
    assert!(!holds(r#"{"StringEquals": {"s3:x-amz-acl": "private"}}"#, &context));
    assert!(holds(r#"{"StringNotEquals": {"s3:x-amz-acl": "private"}}"#, &context));
    assert!(holds(r#"{"StringEqualsIfExists": {"s3:x-amz-acl": "private"}}"#, &context));
    assert!(holds(r#"{"Null": {"s3:x-amz-acl": "true"}}"#, &context));
    assert!(!holds(r#"{"Null": {"aws:SourceIp": "true"}}"#, &context));
    assert!(holds(r#"{"Null": {"aws:SourceIp": "false"}}"#, &context));
    assert!(holds(r#"{"StringLike": {"s3:prefix": ""}}"#, &context));
}

#[test]
fn numbers_times_and_texts_are_compared_by_their_kind() {
    let mut context = from("127.0.0.1");
    context.list.max_keys = Some(50);
    context.list.prefix = "home/bob/x".into();
    context.amz_headers.insert("x-amz-acl".into(), "Private".into());
    context.existing_tags.insert("Team".into(), "red".into());
    for yes in [
        r#"{"NumericLessThanEquals": {"s3:max-keys": "50"}}"#,
        r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-11-22T08:59:59+00:00"}}"#,
        r#"{"DateLessThan": {"aws:CurrentTime": "2026-11-23"}}"#,
        r#"{"NumericGreaterThan": {"aws:EpochTime": "1700000000"}}"#,
        r#"{"StringLike": {"s3:prefix": "home/${aws:username}/*"}}"#,
        r#"{"StringEqualsIgnoreCase": {"s3:x-amz-acl": "private"}}"#,
        r#"{"StringEquals": {"s3:ExistingObjectTag/Team": ["blue", "red"]}}"#,
    ] {
        assert!(holds(yes, &context), "{yes}");
    }
    for no in [
        r#"{"NumericLessThan": {"s3:max-keys": "50"}}"#,
        r#"{"StringEquals": {"s3:x-amz-acl": "private"}}"#,
        r#"{"StringEquals": {"s3:prefix": "home/*"}}"#,
        r#"{"StringEquals": {"s3:ExistingObjectTag/team": "red"}}"#,
    ] {
        assert!(!holds(no, &context), "{no}");
    }
}

#[test]
fn what_cannot_be_read_does_not_pass_the_check() {
    for bad in [
        r#"{"StringEqual": {"aws:username": "x"}}"#,
        r#"{"NullIfExists": {"aws:username": "true"}}"#,
        r#"{"StringEquals": {"aws:Nothing": "x"}}"#,
        r#"{"StringEquals": {"aws:username": []}}"#,
        r#"{"StringLike": {"s3:prefix": "${aws:nobody}"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}"#,
        r#"{"NumericEquals": {"s3:max-keys": "many"}}"#,
        r#"{"DateEquals": {"aws:CurrentTime": "tomorrow"}}"#,
        r#"{"Bool": {"aws:SecureTransport": "yes"}}"#,
    ] {
        assert!(check(&conditions(bad)).is_err(), "{bad}");
    }
}

#[test]
fn bare_numbers_and_flags_are_read_as_aws_reads_them() {
    let mut context = from("127.0.0.1");
    context.list.max_keys = Some(50);
    assert!(holds(r#"{"NumericEquals": {"s3:max-keys": [40, 50]}}"#, &context));
    assert!(holds(r#"{"Bool": {"aws:SecureTransport": false}}"#, &context));
}
