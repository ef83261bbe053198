//! The document of lifecycle rules.

use super::{Step, is_blank, number, walk};
use crate::http::s3::error::S3Error;
use actors::domain::bucket::lifecycle::{Filter, LifecycleRule};
use actors::domain::clock::Timestamp;
use std::collections::BTreeMap;

const ROOT: &str = "LifecycleConfiguration";

/// Reads the rules, in the order of the document. Whether they may be is not decided here, but that there is one, and that
/// nothing asks for a storage class that is not there. A rule without an id gets one.
pub fn lifecycle(body: &[u8]) -> Result<Vec<LifecycleRule>, S3Error> {
    let (mut rules, mut read) = (Vec::new(), Read::default());
    walk(body, |path, step| match (path, step) {
        ([ROOT], Step::Open) => Ok(()),
        ([ROOT], Step::Close(text)) if is_blank(text) => Ok(()),
        ([ROOT, "Rule"], Step::Open) => {
            read = Read::default();
            Ok(())
        }
        ([ROOT, "Rule"], Step::Close(text)) => {
            if !is_blank(text) {
                return Err(S3Error::malformed_xml());
            }
            rules.push(std::mem::take(&mut read).rule()?);
            Ok(())
        }
        ([ROOT, "Rule", inner @ ..], Step::Open) => read.open(inner),
        ([ROOT, "Rule", inner @ ..], Step::Close(text)) => read.close(inner, text),
        _ => Err(S3Error::malformed_xml()),
    })?;
    if rules.is_empty() {
        return Err(S3Error::malformed_xml());
    }
    name(&mut rules);
    Ok(rules)
}

/// AWS makes up an id where there is none; here it is the first free number.
fn name(rules: &mut [LifecycleRule]) {
    for index in 0..rules.len() {
        if !rules[index].id.is_empty() {
            continue;
        }
        let free = (index + 1..).map(|number| format!("rule-{number}"));
        let mut free = free.filter(|id| rules.iter().all(|rule| rule.id != *id));
        rules[index].id = free.next().unwrap_or_default();
    }
}

/// A rule that is being read: the texts of its elements by their path, and the tags of its filter.
#[derive(Default)]
struct Read {
    texts: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    /// The elements that hold others and may come once.
    seen: Vec<String>,
    /// The tag that is being read.
    tag: (Option<String>, Option<String>),
}

impl Read {
    fn open(&mut self, path: &[&str]) -> Result<(), S3Error> {
        match path {
            ["Transition" | "NoncurrentVersionTransition", ..] => {
                Err(S3Error::not_implemented("transitions to other storage classes"))
            }
            // One tag stands for itself; several parts stand in `<And>`, and nothing beside it.
            ["Filter", "Tag"] if !self.tags.is_empty() || self.seen.iter().any(|seen| seen == "Filter/And") => {
                Err(S3Error::malformed_xml())
            }
            ["Filter", "And"] if !self.tags.is_empty() => Err(S3Error::malformed_xml()),
            ["Filter" | "Expiration" | "NoncurrentVersionExpiration" | "AbortIncompleteMultipartUpload"]
            | ["Filter", "And"] => {
                let name = path.join("/");
                if self.seen.contains(&name) {
                    return Err(S3Error::malformed_xml());
                }
                self.seen.push(name);
                Ok(())
            }
            ["Filter", "Tag"] | ["Filter", "And", "Tag"] => {
                self.tag = (None, None);
                Ok(())
            }
            ["ID" | "Prefix" | "Status"]
            | ["Filter", "Prefix" | "ObjectSizeGreaterThan" | "ObjectSizeLessThan"]
            | ["Filter", "And", "Prefix" | "ObjectSizeGreaterThan" | "ObjectSizeLessThan"]
            | ["Filter", "Tag", "Key" | "Value"]
            | ["Filter", "And", "Tag", "Key" | "Value"]
            | ["Expiration", "Days" | "Date" | "ExpiredObjectDeleteMarker"]
            | ["NoncurrentVersionExpiration", "NoncurrentDays" | "NewerNoncurrentVersions"]
            | ["AbortIncompleteMultipartUpload", "DaysAfterInitiation"] => Ok(()),
            _ => Err(S3Error::malformed_xml()),
        }
    }

    fn close(&mut self, path: &[&str], text: &str) -> Result<(), S3Error> {
        match path {
            [.., "Tag", "Key"] => super::once(&mut self.tag.0, text),
            [.., "Tag", "Value"] => super::once(&mut self.tag.1, text),
            [.., "Tag"] if is_blank(text) => match std::mem::take(&mut self.tag) {
                (Some(key), Some(value)) if !self.tags.contains_key(&key) => {
                    self.tags.insert(key, value);
                    Ok(())
                }
                _ => Err(S3Error::malformed_xml()),
            },
            ["Filter" | "Expiration" | "NoncurrentVersionExpiration" | "AbortIncompleteMultipartUpload"]
            | ["Filter", "And"] => is_blank(text).then_some(()).ok_or_else(S3Error::malformed_xml),
            _ => match self.texts.insert(path.join("/"), text.to_owned()) {
                None => Ok(()),
                Some(_) => Err(S3Error::malformed_xml()),
            },
        }
    }

    fn rule(mut self) -> Result<LifecycleRule, S3Error> {
        let filter = self.filter()?;
        let enabled = match self.texts.remove("Status").as_deref() {
            Some("Enabled") => true,
            Some("Disabled") => false,
            _ => return Err(S3Error::malformed_xml()),
        };
        let id = self.texts.remove("ID").unwrap_or_default();
        let expire_date = self.texts.remove("Expiration/Date").map(|text| date(&text)).transpose()?;
        let expire_delete_markers = match self.texts.remove("Expiration/ExpiredObjectDeleteMarker").as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => return Err(S3Error::malformed_xml()),
        };
        let mut count = |path: &str| self.texts.remove(path).map(|text| number(&text)).transpose();
        let rule = LifecycleRule {
            id,
            enabled,
            filter,
            expire_days: count("Expiration/Days")?,
            expire_date,
            expire_delete_markers,
            noncurrent_days: count("NoncurrentVersionExpiration/NoncurrentDays")?,
            noncurrent_keep: count("NoncurrentVersionExpiration/NewerNoncurrentVersions")?,
            abort_uploads_days: count("AbortIncompleteMultipartUpload/DaysAfterInitiation")?,
        };
        let given = |name: &str| self.seen.iter().any(|seen| seen == name);
        let expires = [rule.expire_days.is_some(), rule.expire_date.is_some(), rule.expire_delete_markers.is_some()];
        // An action says one thing of itself, and what it needs.
        let whole = expires.into_iter().filter(|there| *there).count() == usize::from(given("Expiration"))
            && rule.noncurrent_days.is_some() == given("NoncurrentVersionExpiration")
            && rule.abort_uploads_days.is_some() == given("AbortIncompleteMultipartUpload");
        if whole { Ok(rule) } else { Err(S3Error::malformed_xml()) }
    }

    /// One part, or several in `<And>`; in the older form the rule itself has a prefix.
    fn filter(&mut self) -> Result<Filter, S3Error> {
        let (within, joined) = (|name: &str| self.seen.iter().any(|seen| seen == name), "Filter/And/");
        let (has_filter, has_and) = (within("Filter"), within("Filter/And"));
        let prefix = self.texts.remove("Prefix");
        if has_filter == prefix.is_some() {
            return Err(S3Error::malformed_xml());
        }
        if let Some(prefix) = prefix {
            return Ok(Filter { prefix: Some(prefix), older_form: true, ..Filter::default() });
        }
        let place = if has_and { joined } else { "Filter/" };
        let mut take = |name: &str| self.texts.remove(&format!("{place}{name}"));
        let filter = Filter {
            prefix: take("Prefix"),
            size_greater_than: take("ObjectSizeGreaterThan").map(|text| number(&text)).transpose()?,
            size_less_than: take("ObjectSizeLessThan").map(|text| number(&text)).transpose()?,
            tags: std::mem::take(&mut self.tags),
            older_form: false,
        };
        let beside = self.texts.keys().any(|path| path.starts_with("Filter/"));
        let fits = if has_and { filter.parts() > 1 } else { filter.parts() <= 1 };
        if fits && !beside { Ok(filter) } else { Err(S3Error::malformed_xml()) }
    }
}

/// A day or a moment in ISO 8601.
fn date(text: &str) -> Result<Timestamp, S3Error> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse_rfc3339(&whole).ok_or_else(S3Error::malformed_xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(inner: &str) -> Result<Vec<LifecycleRule>, S3Error> {
        lifecycle(format!("<LifecycleConfiguration>{inner}</LifecycleConfiguration>").as_bytes())
    }

    fn rule(filter: &str, action: &str) -> Result<LifecycleRule, S3Error> {
        let inner = format!("<Rule>{filter}<Status>Enabled</Status>{action}</Rule>");
        of(&inner).map(|mut rules| rules.remove(0))
    }

    const DAYS: &str = "<Expiration><Days>3</Days></Expiration>";

    #[test]
    fn every_form_of_a_filter_is_read() {
        let filter = |text: &str| rule(text, DAYS).unwrap().filter;
        assert_eq!(filter("<Filter/>"), Filter::default());
        assert!(filter("<Prefix/>").older_form);
        assert_eq!(filter("<Filter><Prefix>a/</Prefix></Filter>").prefix.as_deref(), Some("a/"));
        assert_eq!(filter("<Filter><Tag><Key>k</Key><Value/></Tag></Filter>").tags.len(), 1);
        assert_eq!(
            filter("<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>").size_greater_than,
            Some(5)
        );
        let and = "<Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value/></Tag>\
                   <ObjectSizeLessThan>7</ObjectSizeLessThan></And></Filter>";
        assert_eq!(filter(and).parts(), 4);
    }

    #[test]
    fn a_rule_without_an_id_gets_one_that_no_other_has() {
        let one = |id: &str| format!("<Rule>{id}<Filter/><Status>Disabled</Status>{DAYS}</Rule>");
        let rules = of(&format!("{}{}{}", one(""), one("<ID>rule-3</ID>"), one("<ID/>"))).unwrap();
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["rule-1", "rule-3", "rule-4"]);
        assert!(!rules[0].enabled);
    }

    #[test]
    fn a_date_is_a_day_or_a_moment() {
        let of = |text: &str| rule("<Filter/>", &format!("<Expiration><Date>{text}</Date></Expiration>"));
        let midnight = of("2027-01-01T00:00:00.000Z").unwrap();
        assert_eq!(of("2027-01-01").unwrap(), midnight);
        assert_eq!(of("yesterday").unwrap_err().code(), "MalformedXML");
    }

    #[test]
    fn transitions_are_refused_by_name() {
        let transition = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";
        assert_eq!(rule("<Filter/>", transition).unwrap_err().code(), "NotImplemented");
        let noncurrent =
            "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionTransition>";
        assert_eq!(rule("<Filter/>", noncurrent).unwrap_err().code(), "NotImplemented");
    }

    #[test]
    fn anything_else_is_refused() {
        let bad = [
            rule("", DAYS),
            rule("<Prefix/><Filter/>", DAYS),
            rule("<Filter/><Filter/>", DAYS),
            rule("<Filter><Prefix/><Tag><Key>k</Key><Value/></Tag></Filter>", DAYS),
            rule("<Filter><And><Prefix/></And></Filter>", DAYS),
            rule("<Filter><And><Prefix/><Tag><Key>k</Key><Value/></Tag></And><Prefix/></Filter>", DAYS),
            rule("<Filter><Tag><Key>k</Key></Tag></Filter>", DAYS),
            rule(
                "<Filter><And><Prefix/><Tag><Key>k</Key><Value/></Tag></And><Tag><Key>l</Key><Value/></Tag></Filter>",
                DAYS,
            ),
            rule(
                "<Filter><Tag><Key>l</Key><Value/></Tag><And><Prefix/><Tag><Key>k</Key><Value/></Tag></And></Filter>",
                DAYS,
            ),
            rule("<Filter><Tag><Key>k</Key><Value/></Tag><Tag><Key>l</Key><Value/></Tag></Filter>", DAYS),
            rule("<Filter><ObjectSizeLessThan>x</ObjectSizeLessThan></Filter>", DAYS),
            rule("<Filter/>", "<Expiration/>"),
            rule("<Filter/>", "<Expiration><Days>1</Days><Date>2027-01-01</Date></Expiration>"),
            rule("<Filter/>", "<Expiration><Days>-1</Days></Expiration>"),
            rule("<Filter/>", "<Expiration><ExpiredObjectDeleteMarker>yes</ExpiredObjectDeleteMarker></Expiration>"),
            rule("<Filter/>", "<AbortIncompleteMultipartUpload/>"),
            rule(
                "<Filter/>",
                "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
            ),
            rule("<Filter/><ID>a</ID><ID>b</ID>", DAYS),
            rule("<Filter/><Status>Enabled</Status>", DAYS),
            rule("<Filter/><Unknown/>", DAYS),
            of(&format!("<Rule>></Rule><Rule><Filter/><Status>Enabled</Status>{DAYS}</Rule>"))
                .map(|mut rules| rules.remove(0)),
            of("").map(|mut rules| rules.remove(0)),
            of(&format!("<Rule><Filter/><Status>enabled</Status>{DAYS}</Rule>")).map(|mut rules| rules.remove(0)),
        ];
        for (index, outcome) in bad.into_iter().enumerate() {
            assert_eq!(outcome.map_err(|error| error.code()), Err("MalformedXML"), "{index}");
        }
    }
}
