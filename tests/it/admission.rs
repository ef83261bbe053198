//! Who is looked at at all: rules of admission, guessers of passwords, and where a request comes from behind proxies.

use crate::support::client::{Reply, Request};
use crate::support::eventually;
use crate::support::server::{Host, PASSWORD, S3, login_request, target};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const API: &str = "/_/api/admin";

/// A server with this config, a client that may do everything, and some objects.
pub fn host(config: &str) -> (Host, S3) {
    let mut host = Host::prepare().config(config);
    host.up();
    let s3 = host.admin_user("owner");
    for (bucket, key) in
        [("docs", "releases/1.0"), ("docs", "private/x"), ("docs", "releases-internal"), ("other", "k")]
    {
        s3.send(Request::new("PUT", &format!("/{bucket}")));
        // Where a rule of the config stops it, the object is not there.
        s3.put(bucket, key, key);
    }
    (host, s3)
}

/// A request without credentials.
pub fn anonymous(host: &Host, method: &str, target: &str) -> Reply {
    Request::new(method, target).send(host.addr())
}

const BLOCKS: &str = "storage:
  buckets:
    docs: {public_prefixes: [releases/]}
admission:
  blocks:
    - name: office
      match: {source_ip_list: [198.51.100.0/24]}
      action: continue
    - name: secret
      match: {path_glob: \"secret dir/**\"}
      action: deny
    - name: maintenance
      match: {bucket: other, operation: [write, delete]}
      action: {type: reject, status: 503, message: \"down <for> a while\"}
    - name: gone
      match: {bucket: gone}
      action: {type: reject, status: 410}
    - name: teapot
      match: {method: [DELETE], authenticated: false}
      action: {type: reject, status: 418, message: no}
    - name: open
      match: {bucket: docs}
      action: allow-anonymous
advanced:
  trusted_proxies: [127.0.0.1]
";

#[test]
fn the_first_block_that_matches_decides_before_anybody_is_asked_who_they_are() {
    let (host, s3) = host("advanced:\n  trusted_proxies: []\n");
    s3.put("docs", "secret dir/x", "hidden").expect(200);
    let mut host = host.config(BLOCKS);
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };

    let denied = s3.get("docs", "secret dir/x").expect(403);
    assert_eq!(denied.s3_code(), "AccessDenied");
    assert!(!denied.text().contains("secret</") && !denied.text().contains("block"), "{}", denied.text());
    s3.get("docs", "secret dir").expect(404);
    for spelling in ["/docs/secret%20dir/x", "/docs/%73ecret%20dir%2Fx", "/%64ocs/secret%20dir%2fx"] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let signed = s3.signer.sign(Request::new(method, spelling), host.addr()).send(host.addr());
            signed.expect(403);
            Request::new(method, spelling).send(host.addr()).expect(403);
        }
    }
    // A copy is about both sides.
    let copy = |from: &str, to: &str| s3.send(Request::new("PUT", to).header("x-amz-copy-source", from)).status;
    assert_eq!(copy("/docs/secret%20dir/x", "/docs/copy"), 403);
    assert_eq!(copy("/docs/releases/1.0", "/docs/secret%20dir/y"), 403);
    assert_eq!(copy("/docs/releases/1.0", "/docs/copy"), 200);
    // A batch is about each of its keys.
    let body = "<Delete><Object><Key>secret dir/x</Key></Object><Object><Key>copy</Key></Object></Delete>";
    let batch = s3.send(Request::new("POST", "/docs?delete").body(body)).expect(200).text();
    assert!(batch.contains("<Key>secret dir/x</Key><Code>AccessDenied</Code>"), "{batch}");
    assert!(batch.contains("<Deleted><Key>copy</Key></Deleted>"), "{batch}");
    let listed = s3.send(Request::new("GET", "/docs?list-type=2&prefix=secret%20dir%2F")).expect(403);
    assert_eq!(listed.s3_code(), "AccessDenied");

    s3.get("other", "k").expect(200);
    let busy = s3.put("other", "k", "x").expect(503);
    assert_eq!((busy.s3_code().as_str(), busy.header("retry-after")), ("SlowDown", Some("1")));
    assert!(busy.text().contains("<Message>down &lt;for&gt; a while</Message>"), "{}", busy.text());
    assert_eq!(busy.header("content-type"), Some("application/xml"));
    s3.send(Request::new("DELETE", "/other/k")).expect(503);
    assert_eq!(anonymous(&host, "GET", "/gone/x").expect(410).s3_code(), "InvalidRequest");
    assert_eq!(anonymous(&host, "GET", "/gone/x?nonsense").expect(410).s3_code(), "InvalidRequest");
    assert_eq!(anonymous(&host, "DELETE", "/docs/releases/1.0").expect(418).s3_code(), "InvalidRequest");
    // Allowed without credentials is what public prefixes grant, no more.
    anonymous(&host, "GET", "/docs/releases/1.0").expect(200);
    anonymous(&host, "GET", "/docs/private/x").expect(403);
    // The admin API is not S3.
    host.login(PASSWORD).expect(200);
    let from_office = |request: Request| s3.send(request.header("X-Forwarded-For", "198.51.100.7"));
    assert_eq!(from_office(Request::new("GET", "/docs/secret%20dir/x")).expect(200).text(), "hidden");
    from_office(Request::new("PUT", "/other/k").body("x")).expect(200);
}

#[test]
fn audit_and_metrics_name_the_block() {
    let (host, s3) = host(BLOCKS);
    s3.get("docs", "secret dir/x").expect(403);
    anonymous(&host, "GET", "/docs/releases/1.0").expect(200);
    let body = "<Delete><Object><Key>secret dir/y</Key></Object><Object><Key>copy</Key></Object></Delete>";
    s3.send(Request::new("POST", "/docs?delete").body(body)).expect(200);
    // A denial is written a little after its answer.
    eventually("the row names the block", || {
        let rows = host.admin(Request::new("GET", &format!("{API}/audit?action=admission"))).expect(200).json();
        let by_block = |row: &Value| row["detail"]["rule"] == "secret" && row["outcome"] == "denied";
        rows.as_array().unwrap().iter().any(|row| by_block(row) && row["target"] == "docs")
    });
    let metrics = Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text();
    for line in [r#"{rule="secret",action="deny"} 2"#, r#"{rule="open",action="allow-anonymous"} 1"#] {
        assert!(metrics.contains(&format!("dgp_admission_total{line}\n")), "{line}\n{metrics}");
    }
}

#[test]
fn a_trace_says_which_block_decides_and_explain_names_the_one_that_stops() {
    let (host, _) = host(BLOCKS);
    let trace =
        |body: Value| host.admin(Request::new("POST", &format!("{API}/config/trace")).json(&body)).expect(200).json();
    let found = trace(json!({"method": "GET", "path": "/docs/secret%20dir/x", "authenticated": true}));
    assert_eq!((&found["admission"]["decision"], &found["admission"]["matched"]), (&json!("deny"), &json!("secret")));
    let resolved = json!({"method": "GET", "bucket": "docs", "key": "secret dir/x", "authenticated": true});
    for field in ["method", "bucket", "key", "authenticated"] {
        assert_eq!(found["resolved"][field], resolved[field], "{field}");
    }
    let office = json!({"method": "PUT", "path": "/other/k", "authenticated": false, "source_ip": "198.51.100.7"});
    let found = trace(office);
    assert_eq!(
        (&found["admission"]["decision"], &found["admission"]["matched"]),
        (&json!("continue"), &json!("office"))
    );
    let found = trace(json!({"method": "PUT", "path": "/other/k"}));
    assert_eq!((&found["admission"]["status"], &found["admission"]["matched"]), (&json!(503), &json!("maintenance")));
    let found = trace(json!({"method": "GET", "path": "/docs", "query": "list-type=2&prefix=a%20b"}));
    assert_eq!((&found["resolved"]["list_prefix"], &found["admission"]["matched"]), (&json!("a b"), &json!("open")));
    let found = trace(json!({"method": "GET", "path": "/elsewhere/x"}));
    assert_eq!((&found["admission"]["decision"], &found["admission"]["matched"]), (&json!("continue"), &Value::Null));
    let get = format!("{API}/config/trace?method=GET&path=%2Fdocs%2Fsecret%2520dir%2Fx&authenticated=true");
    assert_eq!(host.admin(Request::new("GET", &get)).expect(200).json()["admission"]["matched"], "secret");
    for bad in
        [json!({"method": "GET"}), json!({"method": "GET", "path": "/%zz"}), json!({"method": "GET", "path": "x"})]
    {
        host.admin(Request::new("POST", &format!("{API}/config/trace")).json(&bad)).expect(400);
    }

    let explain = |principal: &str, action: &str, resource: &str| {
        let body = json!({"principal": principal, "action": action, "resource": resource});
        host.admin(Request::new("POST", &format!("{API}/explain")).json(&body)).expect(200).json()
    };
    let stopped = explain("owner", "s3:PutObject", "other/k");
    assert_eq!((&stopped["allowed"], &stopped["admission"]), (&json!(false), &json!("maintenance")));
    assert!(stopped["reason"].as_str().unwrap().contains("`maintenance`"), "{stopped}");
    let read = explain("owner", "s3:GetObject", "other/k");
    assert_eq!((&read["allowed"], &read["admission"]), (&json!(true), &Value::Null));
    let anybody = explain("$anonymous", "s3:GetObject", "docs/releases/1.0");
    assert_eq!((&anybody["allowed"], &anybody["rule"]["id"]), (&json!(true), &json!("public-prefix:releases/")));
    assert_eq!(explain("$anonymous", "s3:GetObject", "docs/private/x")["allowed"], false);
}

#[test]
fn only_a_trusted_proxy_says_where_a_request_comes_from() {
    let rule = json!([
        {"effect": "Allow", "actions": ["*"], "resources": ["*"]},
        {"effect": "Deny", "actions": ["s3:GetObject"], "resources": ["*"],
         "conditions": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
    ]);
    let (mut host, _) = host("advanced:\n  trusted_proxies: [127.0.0.0/8, \"::1\"]\n");
    let user = host.user("roaming", rule);
    let get = |user: &S3, forwarded: &[&str]| {
        let request = Request::new("GET", &target("docs", "private/x"));
        let request = forwarded.iter().fold(request, |request, line| request.header("X-Forwarded-For", line));
        user.send(request).status
    };
    for good in
        [&["203.0.113.9"][..], &["203.0.113.9:4711"], &["6.6.6.6, 203.0.113.9"], &["6.6.6.6", "203.0.113.9,127.0.0.1"]]
    {
        assert_eq!(get(&user, good), 200, "{good:?}");
    }
    for bad in
        [&[][..], &["203.0.113.9, 6.6.6.6"], &["203.0.113.9, unknown"], &["[203.0.113.9"], &[""], &["2001:db8::1"]]
    {
        assert_eq!(get(&user, bad), 403, "{bad:?}");
    }
    let rows = |host: &Host| host.admin(Request::new("GET", &format!("{API}/audit?limit=1000"))).expect(200).json();
    login_request("wrong").header("X-Forwarded-For", "2001:db8::5").send(host.addr()).expect(401);
    assert!(rows(&host).as_array().unwrap().iter().any(|row| row["action"] == "login" && row["ip"] == "2001:db8::5"));
    let secure = login_request(PASSWORD).header("X-Forwarded-Proto", "https").send(host.addr()).expect(200);
    assert!(secure.header("set-cookie").unwrap().contains("; Secure"));

    let mut host = {
        host = host.config("advanced:\n  trusted_proxies: [10.0.0.0/8]\n");
        host
    };
    host.restart();
    let user = S3 { addr: host.addr(), ..user };
    assert_eq!(get(&user, &["203.0.113.9"]), 403, "nobody believes a stranger");
    let plain = login_request(PASSWORD).header("X-Forwarded-Proto", "https").send(host.addr()).expect(200);
    assert!(!plain.header("set-cookie").unwrap().contains("Secure"));
}

#[test]
fn two_hundred_wrong_passwords_keep_nobody_else_out() {
    let (host, _) = host("advanced:\n  trusted_proxies: [127.0.0.1]\n");
    let from = |address: &str, password: &str| {
        login_request(password).header("X-Forwarded-For", address).send(host.addr()).status
    };
    let statuses: Vec<u16> = (0..200).map(|n| from("203.0.113.9", &format!("wrong {n}"))).collect();
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 429).count() > 100, "{statuses:?}");
    assert_eq!(from("198.51.100.1", PASSWORD), 200, "the admin does not wait with the guesser");
    // What the guesser writes itself does not make it another: five others could guess once each.
    let spoofed: Vec<u16> = (0..5).map(|n| from(&format!("6.6.6.{n}, 203.0.113.9"), "wrong")).collect();
    assert!(spoofed.contains(&429), "{spoofed:?}");
    // Its next guess that is looked at makes it wait for two seconds and more, whatever it guesses then.
    while from("203.0.113.9", "wrong again") != 401 {}
    assert_eq!(from("203.0.113.9", PASSWORD), 429);
}

#[test]
fn a_hundred_addresses_that_guess_at_once_keep_no_admin_out() {
    let (host, _) = host("advanced:\n  trusted_proxies: [127.0.0.1]\n");
    let from = |address: &str, password: &str| {
        login_request(password).header("X-Forwarded-For", address).send(host.addr()).status
    };
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let guess = |n: usize| {
        let address = format!("203.0.113.{n}");
        let mut answers = Vec::new();
        while !over.load(Relaxed) {
            answers.push(from(&address, "a guess"));
            answered.fetch_add(usize::from(answers.len() == 2), Relaxed);
        }
        answers
    };
    let guess = &guess;
    std::thread::scope(|scope| {
        let guessers: Vec<_> = (0..100).map(|n| scope.spawn(move || guess(n))).collect();
        // From then on fewer first and second tries can come than may wait: before, a hundred strangers cannot be told from an
        // admin, who then signs in with the second try.
        while answered.load(Relaxed) < 95 {
            std::thread::yield_now();
        }
        // Each from an address that nobody has seen, at its first try; the last from one that signed in before.
        let admin: Vec<u16> = (0..8).map(|n| from(&format!("198.51.100.{}", n % 7), PASSWORD)).collect();
        over.store(true, Relaxed);
        let answers: Vec<u16> = guessers.into_iter().flat_map(|guesser| guesser.join().unwrap()).collect();
        assert_eq!(admin, [200; 8]);
        assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
        assert!(answers.contains(&429), "the siege was none");
    });
}

#[test]
fn eleven_admins_are_signed_in_at_once_and_stay_so_over_a_restart() {
    let (mut host, _) = host("");
    let cookies: Vec<String> = (0..11)
        .map(|n| {
            let reply =
                login_request(PASSWORD).header("User-Agent", &format!("admin {n}")).send(host.addr()).expect(200);
            reply.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap().to_owned()
        })
        .collect();
    let valid = |host: &Host| {
        let own = |cookie: &&String| {
            let request = Request::new("GET", &format!("{API}/session")).header("Cookie", cookie);
            request.send(host.addr()).status == 200
        };
        cookies.iter().filter(own).count()
    };
    assert_eq!(valid(&host), 11);
    host.restart();
    assert_eq!(valid(&host), 11);
}

#[test]
fn blocks_and_public_prefixes_travel_in_a_backup() {
    let (host, _) =
        host(&BLOCKS.replace("docs: {public_prefixes: [releases/]}", "docs: {public_prefixes: [releases/, \"x y/\"]}"));
    let archive = host.backup();
    let fresh = Host::start();
    fresh.restore(&archive).expect(200);
    let text = String::from_utf8_lossy(fresh.exported().entry("config.yaml")).into_owned();
    for part in ["name: office", "path_glob: \"secret dir/**\"", "- releases/", "status: 503", "127.0.0.1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(anonymous(&fresh, "GET", "/gone/x").expect(410).s3_code(), "InvalidRequest");
}
