//! Which host is what, by example.

use super::*;
use actix_web::http::Uri;
use actix_web::http::header::HeaderValue;
use actors::domain::config::load;

fn advanced(yaml: &str) -> Advanced {
    load(&format!("advanced: {{{yaml}}}"), &Default::default()).unwrap().config.advanced
}

fn of(advanced: &Advanced, target: &str, hosts: &[&str]) -> Place {
    let mut head = RequestHead::default();
    head.uri = target.parse::<Uri>().unwrap();
    for host in hosts {
        head.headers.append(HOST, HeaderValue::from_str(host).unwrap());
    }
    Place::of(&head, advanced)
}

#[test]
fn a_bucket_is_named_before_a_domain_and_everything_else_is_path_style() {
    let advanced = advanced("domains: [s3.example.com, example.com, local]");
    let bucket = |name: &str| Place::Bucket(name.to_owned());
    let service = Place::Service { console: true };
    for (host, place) in [
        ("photos.s3.example.com", bucket("photos")),
        ("photos.s3.example.com:9000", bucket("photos")),
        ("PHOTOS.S3.Example.COM.", bucket("photos")),
        ("a.b.c.s3.example.com", bucket("a.b.c")),
        ("photos.example.com", bucket("photos")),
        ("under_score.local", bucket("under_score")),
        ("s3.example.com", service.clone()),
        ("S3.EXAMPLE.COM:443", service.clone()),
        ("xs3.example.net", service.clone()),
        ("notexample.com", service.clone()),
        ("127.0.0.1:9000", service.clone()),
        ("[::1]:9000", service.clone()),
        ("localhost", service.clone()),
    ] {
        assert_eq!(of(&advanced, "/k", &[host]), place, "{host}");
    }
    assert_eq!(of(&advanced, "http://photos.local/k", &[]), bucket("photos"));
    assert_eq!(of(&advanced, "http://photos.local/k", &["Photos.local"]), bucket("photos"));
}

#[test]
fn what_is_no_host_is_garbage() {
    let advanced = advanced("domains: [local]");
    assert_eq!(of(&advanced, "/", &[]), Place::Unnamed);
    for host in [
        "",
        ".",
        "a b",
        "a/b",
        "a:b",
        "a:70000",
        "[::1",
        "[nonsense]",
        "[::1]9",
        "a@b",
        "ä.local",
        "a:1:2",
        "%61.local",
    ] {
        assert_eq!(of(&advanced, "/", &[host]), Place::Garbage, "{host:?}");
    }
    assert_eq!(of(&advanced, "http://a.local/", &["b.local"]), Place::Garbage);
    assert_eq!(of(&advanced, "/", &["a.local", "a.local"]), Place::Garbage);
}

#[test]
fn a_host_of_its_own_takes_the_console_away_from_all_others() {
    let advanced = advanced("domains: [example.com], console_host: console.example.com");
    assert_eq!(of(&advanced, "/", &["console.example.com:9000"]), Place::Service { console: true });
    assert_eq!(of(&advanced, "/", &["example.com"]), Place::Service { console: false });
    assert_eq!(of(&advanced, "/", &["127.0.0.1"]), Place::Service { console: false });
    assert!(!of(&advanced, "/", &["b.example.com"]).has_console());
    assert!(of(&advanced, "/", &["127.0.0.1"]).has_probes() && of(&advanced, "/", &[]).has_probes());
}
