//! What the tree of a document that configures a bucket says, by AWS's schemas and apart from the server's readers.

use crate::strict_xml::Element;
use actors::domain::bucket::cors::CorsRule;
use actors::domain::bucket::lifecycle::{Filter, LifecycleRule};
use actors::domain::clock::Timestamp;
use std::collections::BTreeMap;

/// The list that the elements of a name go into.
pub fn list_of<'r>(rule: &'r mut CorsRule, name: &str) -> Option<&'r mut Vec<String>> {
    Some(match name {
        "AllowedOrigin" => &mut rule.allowed_origins,
        "AllowedMethod" => &mut rule.allowed_methods,
        "AllowedHeader" => &mut rule.allowed_headers,
        "ExposeHeader" => &mut rule.expose_headers,
        _ => return None,
    })
}

fn is_node(element: &Element, name: &str) -> bool {
    element.name == name && element.text.bytes().all(|b| b.is_ascii_whitespace())
}

fn text_of(element: &Element) -> Option<&str> {
    element.children.is_empty().then_some(element.text.as_str())
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The children by their names, each of which stands once.
fn fields<'e>(element: &'e Element, known: &[&str]) -> Option<BTreeMap<&'e str, &'e Element>> {
    let mut found = BTreeMap::new();
    for child in &element.children {
        if !known.contains(&child.name.as_str()) || found.insert(child.name.as_str(), child).is_some() {
            return None;
        }
    }
    Some(found)
}

fn as_tag(tag: &Element) -> Option<(String, String)> {
    let fields = fields(tag, &["Key", "Value"]).filter(|_| is_node(tag, "Tag"))?;
    Some((text_of(fields.get("Key")?)?.to_owned(), text_of(fields.get("Value")?)?.to_owned()))
}

pub fn as_tags(root: &Element) -> Option<Vec<(String, String)>> {
    let [set] = root.children.as_slice() else { return None };
    if !is_node(root, "Tagging") || !is_node(set, "TagSet") {
        return None;
    }
    set.children.iter().map(as_tag).collect()
}

pub fn as_cors(root: &Element) -> Option<Vec<CorsRule>> {
    let rules: Vec<CorsRule> = root.children.iter().map(as_cors_rule).collect::<Option<_>>()?;
    (is_node(root, "CORSConfiguration") && !rules.is_empty()).then_some(rules)
}

fn as_cors_rule(element: &Element) -> Option<CorsRule> {
    let mut rule = CorsRule::default();
    for child in &element.children {
        let text = text_of(child)?;
        match child.name.as_str() {
            "ID" if rule.id.is_none() => rule.id = Some(text.to_owned()),
            "MaxAgeSeconds" if rule.max_age_seconds.is_none() => rule.max_age_seconds = Some(number(text)?),
            name => list_of(&mut rule, name)?.push(text.to_owned()),
        }
    }
    let whole = !rule.allowed_origins.is_empty() && !rule.allowed_methods.is_empty();
    (is_node(element, "CORSRule") && whole).then_some(rule)
}

pub fn as_lifecycle(root: &Element) -> Option<Vec<LifecycleRule>> {
    let mut rules: Vec<LifecycleRule> = root.children.iter().map(as_rule).collect::<Option<_>>()?;
    for at in 0..rules.len() {
        let mut number = at + 1;
        while rules[at].id.is_empty() {
            let id = format!("rule-{number}");
            if rules.iter().all(|rule| rule.id != id) {
                rules[at].id = id;
            }
            number += 1;
        }
    }
    (is_node(root, "LifecycleConfiguration") && !rules.is_empty()).then_some(rules)
}

fn as_rule(element: &Element) -> Option<LifecycleRule> {
    let known = [
        "ID",
        "Prefix",
        "Filter",
        "Status",
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
    ];
    let parts = fields(element, &known).filter(|_| is_node(element, "Rule"))?;
    let filter = match (parts.get("Prefix"), parts.get("Filter")) {
        (Some(prefix), None) => {
            Filter { prefix: Some(text_of(prefix)?.to_owned()), older_form: true, ..Filter::default() }
        }
        (None, Some(filter)) => as_filter(filter)?,
        _ => return None,
    };
    let (mut days, mut date, mut markers) = (None, None, None);
    if let Some(expiration) = parts.get("Expiration") {
        let [one] = expiration.children.as_slice() else { return None };
        match (one.name.as_str(), text_of(one)?) {
            _ if !is_node(expiration, "Expiration") => return None,
            ("Days", text) => days = Some(number(text)?),
            ("Date", text) if text.len() == 10 => date = Some(Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"))?),
            ("Date", text) => date = Some(Timestamp::parse_rfc3339(text)?),
            ("ExpiredObjectDeleteMarker", "true") => markers = Some(true),
            ("ExpiredObjectDeleteMarker", "false") => markers = Some(false),
            _ => return None,
        }
    }
    let (mut noncurrent_days, mut noncurrent_keep, mut abort_uploads_days) = (None, None, None);
    if let Some(noncurrent) = parts.get("NoncurrentVersionExpiration") {
        let inner = fields(noncurrent, &["NoncurrentDays", "NewerNoncurrentVersions"])
            .filter(|_| is_node(noncurrent, "NoncurrentVersionExpiration"))?;
        noncurrent_days = Some(number(text_of(inner.get("NoncurrentDays")?)?)?);
        if let Some(keep) = inner.get("NewerNoncurrentVersions") {
            noncurrent_keep = Some(number(text_of(keep)?)?);
        }
    }
    if let Some(abort) = parts.get("AbortIncompleteMultipartUpload") {
        let inner =
            fields(abort, &["DaysAfterInitiation"]).filter(|_| is_node(abort, "AbortIncompleteMultipartUpload"))?;
        abort_uploads_days = Some(number(text_of(inner.get("DaysAfterInitiation")?)?)?);
    }
    let id = parts.get("ID").map_or(Some(""), |id| text_of(id))?.to_owned();
    let enabled = match text_of(parts.get("Status")?)? {
        "Enabled" => true,
        "Disabled" => false,
        _ => return None,
    };
    Some(LifecycleRule {
        id,
        enabled,
        filter,
        expire_days: days,
        expire_date: date,
        expire_delete_markers: markers,
        noncurrent_days,
        noncurrent_keep,
        abort_uploads_days,
    })
}

fn as_filter(element: &Element) -> Option<Filter> {
    let inside = match element.children.as_slice() {
        _ if !is_node(element, "Filter") => return None,
        [and] if and.name == "And" => {
            if !is_node(and, "And") || and.children.len() < 2 {
                return None;
            }
            &and.children
        }
        parts if parts.len() < 2 => &element.children,
        _ => return None,
    };
    let mut filter = Filter::default();
    for part in inside {
        let again = match part.name.as_str() {
            "Tag" => {
                let (name, value) = as_tag(part)?;
                filter.tags.insert(name, value).is_some()
            }
            "Prefix" => filter.prefix.replace(text_of(part)?.to_owned()).is_some(),
            "ObjectSizeGreaterThan" => filter.size_greater_than.replace(number(text_of(part)?)?).is_some(),
            "ObjectSizeLessThan" => filter.size_less_than.replace(number(text_of(part)?)?).is_some(),
            _ => return None,
        };
        if again {
            return None;
        }
    }
    Some(filter)
}
