//! The console as a browser meets it: its entry page, its files, and what their headers permit.

use crate::support::client::{Reply, Request};
use crate::support::server::Host;

/// The first view, compressed, is at most this long.
const FIRST_VIEW: usize = 250 * 1024;

fn get(host: &Host, path: &str, accept: &str, encoding: &str) -> Reply {
    Request::new("GET", path).header("Accept", accept).header("Accept-Encoding", encoding).send(host.addr())
}

/// What the text names between `start` and the next quote.
fn named<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split('"').next())
}

#[track_caller]
fn guarded(reply: &Reply) {
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let policy = reply.header("content-security-policy").expect("every answer of the console has a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe-"), "{policy}");
}

#[test]
fn the_entry_page_is_there_for_people_and_is_never_stale() {
    let host = Host::start();
    let entry = get(&host, "/_/", "text/html", "").expect(200);
    guarded(&entry);
    assert_eq!(entry.header("cache-control"), Some("no-cache"));
    assert_eq!(entry.header("content-type"), Some("text/html; charset=utf-8"));
    // A deep link, as a reload or a bookmark asks for it.
    assert_eq!(get(&host, "/_/access/users/u1?tab=keys", "text/html,*/*;q=0.8", "").expect(200).body, entry.body);
    get(&host, "/_/access/users/u1", "application/json", "").expect(404);
    let api = get(&host, "/_/api/admin/nothing", "text/html", "").expect(404);
    assert_eq!(api.header("content-type"), Some("application/problem+json"));
    Request::new("POST", "/_/").send(host.addr()).expect(405);
    let head = Request::new("HEAD", "/_/").send(host.addr()).expect(200);
    assert_eq!(head.header("content-length"), Some(entry.body.len().to_string().as_str()));
}

#[test]
fn its_files_are_kept_for_ever_and_sent_in_the_form_that_is_taken() {
    let host = Host::start();
    let entry = get(&host, "/_/", "text/html", "").expect(200).text();
    let gone = get(&host, "/_/assets/gone-0.js", "text/html", "br").expect(404);
    assert_ne!(gone.header("content-type"), Some("text/html; charset=utf-8"), "a missing file is no page");
    let assets: Vec<&str> = named(&entry, "src=\"").chain(named(&entry, "href=\"")).collect();
    if entry.contains("npm") {
        assert!(entry.contains("cargo build --release"), "a build without the console says how to get it");
        return;
    }
    assert!(assets.iter().any(|path| path.ends_with(".js")), "{entry}");
    let mut first_view = 0;
    for path in assets {
        assert!(path.starts_with("/_/"), "{path} is not of this server");
        let forms = ["br", "gzip", "identity"].map(|coding| get(&host, path, "*/*", coding).expect(200));
        for (form, coding) in forms.iter().zip([Some("br"), Some("gzip"), None]) {
            guarded(form);
            assert_eq!(form.header("content-encoding"), coding, "{path}");
            assert_eq!(form.header("vary"), Some("accept-encoding"));
            let hashed = path.starts_with("/_/assets/");
            let kept = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
            assert_eq!(form.header("cache-control"), Some(kept), "{path}");
        }
        assert!(forms[1].body.starts_with(&[0x1f, 0x8b]), "{path} is no gzip");
        assert!(forms[0].body.len() < forms[2].body.len(), "{path}");
        assert!(!forms[2].text().contains("sourceMappingURL"), "{path}");
        get(&host, &format!("{path}.map"), "*/*", "").expect(404);
        get(&host, &format!("{path}.br"), "*/*", "").expect(404);
        first_view += forms[0].body.len();
    }
    assert!(first_view <= FIRST_VIEW, "the first view has {first_view} bytes");
}

#[test]
fn nothing_stands_in_the_entry_page_that_its_policy_forbids() {
    let host = Host::start();
    let entry = get(&host, "/_/", "text/html", "").expect(200).text();
    for script in entry.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').expect("a tag ends");
        assert!(tag.contains(" src=") && rest.starts_with("</script>"), "an inline script: {script}");
    }
    for forbidden in [" style=", " onclick=", " onload=", "javascript:", "http-equiv"] {
        assert!(!entry.contains(forbidden), "{forbidden} in {entry}");
    }
}
