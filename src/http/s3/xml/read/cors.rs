//! The document of CORS rules.

use super::{Step, is_blank, once, walk};
use crate::http::s3::error::S3Error;
use actors::domain::bucket::cors::CorsRule;

/// Reads the rules, in the order of the document. Whether they may be is not decided here, but that there is one.
pub fn cors(body: &[u8]) -> Result<Vec<CorsRule>, S3Error> {
    const ROOT: &str = "CORSConfiguration";
    const RULE: &str = "CORSRule";
    let (mut rules, mut rule, mut id, mut age) = (Vec::new(), CorsRule::default(), None, None);
    walk(body, |path, step| match (path, step) {
        ([ROOT], Step::Open) => Ok(()),
        ([ROOT, RULE], Step::Open) => {
            (rule, id, age) = (CorsRule::default(), None, None);
            Ok(())
        }
        (
            [ROOT, RULE, "ID" | "AllowedOrigin" | "AllowedMethod" | "AllowedHeader" | "ExposeHeader" | "MaxAgeSeconds"],
            Step::Open,
        ) => Ok(()),
        ([ROOT, RULE, name], Step::Close(text)) => {
            let list = match *name {
                "ID" => return once(&mut id, text),
                "MaxAgeSeconds" => return once(&mut age, text),
                "AllowedOrigin" => &mut rule.allowed_origins,
                "AllowedMethod" => &mut rule.allowed_methods,
                "AllowedHeader" => &mut rule.allowed_headers,
                _ => &mut rule.expose_headers,
            };
            list.push(text.to_owned());
            Ok(())
        }
        ([ROOT, RULE], Step::Close(text)) if is_blank(text) => {
            let max_age_seconds = age.take().map(|text| super::number(&text)).transpose()?;
            let rule = CorsRule { id: id.take(), max_age_seconds, ..std::mem::take(&mut rule) };
            if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
                return Err(S3Error::malformed_xml());
            }
            rules.push(rule);
            Ok(())
        }
        ([ROOT], Step::Close(text)) if is_blank(text) => Ok(()),
        _ => Err(S3Error::malformed_xml()),
    })?;
    if rules.is_empty() { Err(S3Error::malformed_xml()) } else { Ok(rules) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(inner: &str) -> Result<Vec<CorsRule>, S3Error> {
        cors(format!("<CORSConfiguration>{inner}</CORSConfiguration>").as_bytes())
    }

    #[test]
    fn rules_are_read_in_their_order() {
        let rules = of("<CORSRule><ID>a</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
             <AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>30</MaxAgeSeconds></CORSRule>\
             <CORSRule><AllowedMethod>HEAD</AllowedMethod><AllowedOrigin>http://a</AllowedOrigin></CORSRule>")
        .unwrap();
        assert_eq!((rules.len(), rules[0].id.as_deref(), rules[0].max_age_seconds), (2, Some("a"), Some(30)));
        assert_eq!(rules[0].allowed_methods, ["GET", "PUT"]);
        assert_eq!(rules[1].max_age_seconds, None);
    }

    #[test]
    fn anything_else_is_refused() {
        let good = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";
        let with = |more: &str| format!("<CORSRule>{good}{more}</CORSRule>");
        let rows = [
            String::new(),
            "<CORSRule/>".to_owned(),
            "<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>".to_owned(),
            "<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>".to_owned(),
            with("<MaxAgeSeconds>-1</MaxAgeSeconds>"),
            with("<MaxAgeSeconds>1.5</MaxAgeSeconds>"),
            with("<MaxAgeSeconds>4294967296</MaxAgeSeconds>"),
            with("<MaxAgeSeconds/>"),
            with("<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>1</MaxAgeSeconds>"),
            with("<ID>a</ID><ID>b</ID>"),
            with("<AllowedHeaders>*</AllowedHeaders>"),
            with("text"),
        ];
        for row in rows {
            assert_eq!(of(&row).unwrap_err().code(), "MalformedXML", "{row}");
        }
    }
}
