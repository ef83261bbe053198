//! Credentials in the `Authorization` header.

use super::claim::{self, ALGORITHM, Claim};
use super::refusal::Refusal;
use super::request::RawRequest;
use actors::domain::clock::Timestamp;

/// Reads the claim of a request in header form.
pub(super) fn read(raw: &RawRequest<'_>, authorization: &str) -> Result<Claim, Refusal> {
    let malformed = Refusal::Malformed;
    let (scheme, parameters) = authorization.split_once([' ', '\t']).unwrap_or((authorization, ""));
    match scheme {
        ALGORITHM => {}
        "AWS" => {
            return Err(Refusal::WrongScheme(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            ));
        }
        _ => return Err(Refusal::WrongScheme("Unsupported Authorization Type")),
    }
    let (mut credential, mut headers, mut signature) = (None, None, None);
    for parameter in parameters.split(',') {
        let (name, value) = parameter
            .trim()
            .split_once('=')
            .ok_or_else(|| malformed("it must be a comma-separated list of name=value.".into()))?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut headers,
            "Signature" => &mut signature,
            _ => return Err(malformed(format!("it has the unknown parameter \"{name}\"."))),
        };
        if slot.replace(value).is_some() {
            return Err(malformed(format!("it has the parameter \"{name}\" twice.")));
        }
    }
    let need = |value: Option<&str>, name: &str| {
        value.map(str::to_owned).ok_or_else(|| malformed(format!("it lacks the parameter \"{name}\".")))
    };
    let (access_key_id, date, region) = claim::credential(&need(credential, "Credential")?).map_err(malformed)?;
    let signed_headers = claim::signed_headers(&need(headers, "SignedHeaders")?).map_err(malformed)?;
    let signature = claim::signature(&need(signature, "Signature")?).map_err(malformed)?;
    let timestamp = claim::timestamp(&time_of(raw, &signed_headers)?, &date).map_err(malformed)?;
    let payload = raw.once("x-amz-content-sha256")?.ok_or(Refusal::MissingHeader("x-amz-content-sha256"))?;
    Ok(Claim {
        access_key_id,
        date,
        region,
        signed_headers,
        signature,
        timestamp,
        payload: payload.to_owned(),
        expires: None,
    })
}

/// `x-amz-date`, or the `Date` header where it is signed.
fn time_of(raw: &RawRequest<'_>, signed: &[String]) -> Result<String, Refusal> {
    if let Some(text) = raw.once("x-amz-date")? {
        return Ok(text.to_owned());
    }
    let missing = Refusal::MissingHeader("x-amz-date");
    let text = raw.once("date")?.ok_or(missing.clone())?;
    if !signed.iter().any(|name| name == "date") {
        return Err(missing);
    }
    Ok(Timestamp::parse_http_date(text).map_or_else(|| text.to_owned(), Timestamp::compact))
}
