//! The documents that configure a bucket: printed in many ways, spoiled, and compared with what the strict reader makes of them.

use crate::dice::{Dice, asked, report};
use crate::strict_settings::{as_cors, as_lifecycle, as_tags, list_of};
use crate::strict_xml;
use crate::xml::{SCRAPS, document, element, print};
use actors::domain::bucket::cors::CorsRule;
use actors::domain::bucket::lifecycle::{Filter, LifecycleRule};
use actors::domain::clock::Timestamp;
use deltaglider_proxy::http::s3::xml::read;

/// What a document says.
#[derive(Debug, PartialEq)]
enum Said {
    Tags(Vec<(String, String)>),
    Cors(Vec<CorsRule>),
    Lifecycle(Vec<LifecycleRule>),
}

const MORE_SCRAPS: [&[u8]; 16] = [
    b"<Tag>",
    b"</Tag>",
    b"<Value/>",
    b"<CORSRule>",
    b"<AllowedMethod>GET</AllowedMethod>",
    b"<ID>a</ID>",
    b"<MaxAgeSeconds>1</MaxAgeSeconds>",
    b"<Rule>",
    b"</Rule>",
    b"<Prefix/>",
    b"<Filter/>",
    b"<And>",
    b"</And>",
    b"<Status>Enabled</Status>",
    b"<Expiration><Days>1</Days></Expiration>",
    b"<Transition><Days>1</Days></Transition>",
];

fn leaf(dice: &mut Dice, name: &str, text: &str) -> String {
    let printed = print(dice, text);
    element(dice, name, &printed)
}

/// Elements in any order, with blanks and comments between them.
fn together(dice: &mut Dice, mut parts: Vec<String>) -> String {
    if dice.once_in(2) {
        parts.reverse();
    }
    parts.join(dice.pick(&["", "\n  ", "<!-- b -->"]))
}

fn a_tag(dice: &mut Dice, name: &str, value: &str) -> String {
    let parts = vec![leaf(dice, "Key", name), leaf(dice, "Value", value)];
    let inside = together(dice, parts);
    element(dice, "Tag", &inside)
}

fn some_tags(dice: &mut Dice) -> (Said, String) {
    let (mut pairs, mut inside) = (Vec::new(), String::new());
    for _ in 0..dice.below(4) {
        let (name, value) = (dice.text(6), dice.text(6));
        inside += &a_tag(dice, &name, &value);
        pairs.push((name, value));
    }
    let set = element(dice, "TagSet", &inside);
    let root = element(dice, "Tagging", &set);
    (Said::Tags(pairs), document(dice, &root))
}

fn some_cors(dice: &mut Dice) -> (Said, String) {
    let (mut rules, mut inside) = (Vec::new(), String::new());
    for _ in 0..=dice.below(2) {
        let mut parts = Vec::new();
        let mut rule = CorsRule { id: dice.once_in(3).then(|| dice.text(5)), ..CorsRule::default() };
        rule.max_age_seconds = dice.once_in(3).then(|| dice.below(5000) as u32);
        if let Some(id) = &rule.id {
            parts.push(leaf(dice, "ID", id));
        }
        if let Some(seconds) = rule.max_age_seconds {
            parts.push(leaf(dice, "MaxAgeSeconds", &seconds.to_string()));
        }
        for (name, least) in [("AllowedOrigin", 1), ("AllowedMethod", 1), ("AllowedHeader", 0), ("ExposeHeader", 0)] {
            let texts: Vec<String> = (0..least + dice.below(2)).map(|_| dice.text(6)).collect();
            parts.extend(texts.iter().map(|text| leaf(dice, name, text)).collect::<Vec<_>>());
            *list_of(&mut rule, name).expect("a known list") = texts;
        }
        // The order within one name is the order of the list.
        inside += &element(dice, "CORSRule", &parts.join("\n"));
        rules.push(rule);
    }
    let root = element(dice, "CORSConfiguration", &inside);
    (Said::Cors(rules), document(dice, &root))
}

fn a_filter(dice: &mut Dice) -> (Filter, String) {
    if dice.once_in(4) {
        let prefix = dice.text(5);
        let printed = leaf(dice, "Prefix", &prefix);
        return (Filter { prefix: Some(prefix), older_form: true, ..Filter::default() }, printed);
    }
    let mut filter = Filter::default();
    let mut parts = Vec::new();
    let wanted = dice.below(4);
    for kind in 0..wanted {
        match kind {
            0 => {
                let prefix = dice.text(5);
                parts.push(leaf(dice, "Prefix", &prefix));
                filter.prefix = Some(prefix);
            }
            1 => {
                let (name, value) = (format!("k{}", dice.text(3)), dice.text(3));
                parts.push(a_tag(dice, &name, &value));
                filter.tags.insert(name, value);
            }
            _ => {
                let size = dice.below(100_000) as u64;
                parts.push(leaf(dice, "ObjectSizeGreaterThan", &size.to_string()));
                filter.size_greater_than = Some(size);
            }
        }
    }
    let inside = match parts.len() {
        0 | 1 => parts.concat(),
        _ => {
            let all = together(dice, parts);
            element(dice, "And", &all)
        }
    };
    (filter, element(dice, "Filter", &inside))
}

fn some_rules(dice: &mut Dice) -> (Said, String) {
    let (mut rules, mut inside) = (Vec::new(), String::new());
    for number in 0..=dice.below(2) {
        let (filter, printed) = a_filter(dice);
        let mut rule = LifecycleRule {
            id: format!("{number}{}", dice.text(4)),
            enabled: dice.once_in(2),
            filter,
            expire_days: None,
            expire_date: None,
            expire_delete_markers: None,
            noncurrent_days: None,
            noncurrent_keep: None,
            abort_uploads_days: None,
        };
        let days = 1 + dice.below(400) as u32;
        let action = match dice.below(4) {
            0 => {
                rule.expire_days = Some(days);
                let inside = leaf(dice, "Days", &days.to_string());
                element(dice, "Expiration", &inside)
            }
            1 => {
                rule.expire_date = Timestamp::parse_rfc3339("2030-05-01T00:00:00Z");
                let text = dice.pick(&["2030-05-01", "2030-05-01T00:00:00Z", "2030-05-01T02:00:00.000+02:00"]);
                let inside = leaf(dice, "Date", text);
                element(dice, "Expiration", &inside)
            }
            2 => {
                (rule.noncurrent_days, rule.noncurrent_keep) = (Some(days), Some(3));
                let parts =
                    vec![leaf(dice, "NoncurrentDays", &days.to_string()), leaf(dice, "NewerNoncurrentVersions", "3")];
                let inside = together(dice, parts);
                element(dice, "NoncurrentVersionExpiration", &inside)
            }
            _ => {
                rule.abort_uploads_days = Some(days);
                let inside = leaf(dice, "DaysAfterInitiation", &days.to_string());
                element(dice, "AbortIncompleteMultipartUpload", &inside)
            }
        };
        let status = if rule.enabled { "Enabled" } else { "Disabled" };
        let parts = vec![leaf(dice, "ID", &rule.id), printed, leaf(dice, "Status", status), action];
        let all = together(dice, parts);
        inside += &element(dice, "Rule", &all);
        rules.push(rule);
    }
    let root = element(dice, "LifecycleConfiguration", &inside);
    (Said::Lifecycle(rules), document(dice, &root))
}

#[test]
fn a_configuration_means_what_was_printed_and_what_the_strict_reader_reads() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let scraps: Vec<&[u8]> = SCRAPS.iter().chain(&MORE_SCRAPS).copied().collect();
    let (mut same, mut accepted, mut refused) = (0, 0, 0);
    for round in 0..count {
        let (expected, text) = match dice.below(4) {
            0 => some_tags(&mut dice),
            1 => some_cors(&mut dice),
            _ => some_rules(&mut dice),
        };
        let mut body = text.into_bytes();
        let spoiled = !dice.once_in(4);
        if spoiled {
            dice.spoil(&mut body, &scraps);
        }
        let told = || format!("seed {seed}, round {round}: {:?}", String::from_utf8_lossy(&body));
        let strict = strict_xml::read(&body);
        let (found, strict) = match expected {
            Said::Tags(_) => {
                (read::tagging(&body).ok().map(Said::Tags), strict.and_then(|r| as_tags(&r)).map(Said::Tags))
            }
            Said::Cors(_) => (read::cors(&body).ok().map(Said::Cors), strict.and_then(|r| as_cors(&r)).map(Said::Cors)),
            Said::Lifecycle(_) => (
                read::lifecycle(&body).ok().map(Said::Lifecycle),
                strict.and_then(|r| as_lifecycle(&r)).map(Said::Lifecycle),
            ),
        };
        match found {
            _ if !spoiled => {
                assert_eq!(found, Some(expected), "{}", told());
                same += 1;
            }
            Some(_) => {
                assert_eq!(found, strict, "{}", told());
                accepted += 1;
            }
            None => refused += 1,
        }
    }
    assert!(same > count / 6 && accepted > count / 50 && refused > count / 4, "{same} {accepted} {refused}");
    report(&format!(
        "{same} printed and read, {accepted} spoiled and read as the strict reader does, {refused} refused"
    ));
}
