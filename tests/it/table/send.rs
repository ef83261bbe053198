//! Makes a written request: signed as its options say, changed after that as they say.

use super::script::bytes;
use crate::support::client::{Reply, Request, exchange, exchange_and_end};
use crate::support::server::S3;
use crate::support::signer::sign_chunks;

/// Sends the parts of a request, in which all values are put in already.
pub fn send(s3: &S3, parts: &[String]) -> Reply {
    let mut request = Request::new("", "");
    let mut options = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index == 0 {
            let (method, target) = part.split_once(' ').unwrap_or_else(|| panic!("no target in `{part}`"));
            (request.method, request.target) = (method.to_owned(), target.to_owned());
        } else if let Some(body) = part.strip_prefix('>') {
            request.body = bytes(body.strip_prefix(' ').unwrap_or(body));
        } else if let Some(option) = part.strip_prefix('~') {
            options.push(option.split_once(' ').unwrap_or((option, "")));
        } else {
            request.headers.push(header(part));
        }
    }
    let option = |name: &str| options.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let mut signer = s3.signer.clone();
    if let Some(skew) = option("skew") {
        signer.skew = skew.parse().expect("a skew is seconds");
    }
    option("key").into_iter().for_each(|key| signer.key_id = key.to_owned());
    option("secret").into_iter().for_each(|secret| signer.secret = secret.to_owned());
    option("region").into_iter().for_each(|region| signer.region = region.to_owned());
    let mut request = match (option("anonymous"), option("presign")) {
        (Some(_), _) => request,
        (None, Some(life)) => signer.presign(request, s3.addr, life.parse().expect("a life is seconds")),
        (None, None) => signer.sign(request, s3.addr),
    };
    if let Some(sizes) = option("chunks") {
        let sizes: Vec<usize> = sizes.split(',').map(|size| size.parse().expect("sizes are numbers")).collect();
        request = sign_chunks(&signer, request, &sizes);
    }
    for (name, value) in &options {
        change(&mut request, name, value);
    }
    let raw = request.bytes(s3.addr);
    let sent = match option("end") {
        Some(_) => exchange_and_end(s3.addr, &raw, request.method == "HEAD"),
        None => exchange(s3.addr, &raw, request.method == "HEAD"),
    };
    sent.unwrap_or_else(|e| panic!("{} {} met {e}", request.method, request.target))
}

/// What is done to a request after it was signed.
fn change(request: &mut Request, name: &str, value: &str) {
    let swap = |text: &str| {
        let (from, to) = value.split_once(" -> ").unwrap_or_else(|| panic!("no ` -> ` in `{value}`"));
        assert!(text.contains(from), "`{from}` is not in {text}");
        text.replacen(from, to, 1)
    };
    match name {
        "add" => request.headers.push(header(value)),
        "drop" => request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(value)),
        "replace" => {
            let (name, value) = header(value);
            let known = request.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            known.unwrap_or_else(|| panic!("there is no header {name}")).1 = value;
        }
        "authorization" => {
            let known = request.headers.iter_mut().find(|(known, _)| known == "Authorization");
            let known = known.expect("the request is signed in its header");
            known.1 = swap(&known.1);
        }
        "method" => request.method = value.to_owned(),
        "target" => request.target = swap(&request.target),
        "body" => request.body = bytes(value),
        "spoil" => request.body = swap(&String::from_utf8_lossy(&request.body)).into_bytes(),
        "flip" => {
            let at: i64 = value.parse().expect("a place is a number");
            let at = if at < 0 { request.body.len().checked_add_signed(at as isize) } else { usize::try_from(at).ok() };
            request.body[at.expect("the place is in the body")] ^= 1;
        }
        "cut" => {
            let left = request.body.len() - value.parse::<usize>().expect("a length is a number");
            request.headers.push(("Content-Length".to_owned(), request.body.len().to_string()));
            request.body.truncate(left);
        }
        "skew" | "key" | "secret" | "region" | "anonymous" | "presign" | "chunks" | "end" => {}
        other => panic!("no option is called ~{other}"),
    }
}

fn header(text: &str) -> (String, String) {
    let (name, value) = text.split_once(':').unwrap_or_else(|| panic!("no header: `{text}`"));
    (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
}
