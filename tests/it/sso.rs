//! Sign-in with a real provider, end to end: `oidc-provider` from npm, which the OpenID Foundation certified, in Node.

use crate::support::client::{Reply, Request};
use crate::support::idp::{parameter, session};
use crate::support::server::Host;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const AUTHORIZE: &str = "/_/api/admin/oauth/authorize/main";

/// The provider's process.
struct Provider {
    process: Child,
    addr: SocketAddr,
    issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Provider {
    fn start(host: &Host) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
        let installed = folder.join("node_modules/oidc-provider").exists();
        assert!(installed, "the provider is not installed: `tests/all --only packages` sets it up");
        let redirect = json!([format!("http://{}/_/api/admin/oauth/callback", host.addr())]);
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .env("REDIRECT_URIS", redirect.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node can be started");
        let mut issuer = String::new();
        let mut lines = BufReader::new(process.stdout.take().expect("its output is piped"));
        lines.read_line(&mut issuer).expect("the provider says where it is");
        let issuer = issuer.trim().to_owned();
        let addr = issuer.strip_prefix("http://").and_then(|addr| addr.parse().ok());
        Self { process, addr: addr.unwrap_or_else(|| panic!("no address: {issuer}")), issuer }
    }

    /// From now on this person is at the provider's keyboard, with these claims.
    fn person(&self, sub: &str, claims: Value) {
        self.send(Request::new("POST", "/control/person").json(&json!({"sub": sub, "claims": claims})));
    }

    fn send(&self, request: Request) -> Reply {
        let mut reply = request.try_send(self.addr).expect("the provider answers");
        reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        reply
    }
}

/// A browser: it follows redirects and keeps the cookies of each site apart.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<(SocketAddr, String), String>,
}

impl Browser {
    fn get(&mut self, site: SocketAddr, target: &str) -> Reply {
        let own = self.cookies.iter().filter(|((at, _), _)| *at == site);
        let sent: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = Request::new("GET", target).header("Accept", "text/html");
        if !sent.is_empty() {
            request = request.header("Cookie", &sent.join("; "));
        }
        let reply = request.try_send(site).expect("the site answers");
        for (_, cookie) in reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.insert((site, name.to_owned()), value.to_owned());
        }
        reply
    }

    /// Signs in: from the button on the sign-in page to where the redirects end.
    fn sign_in(&mut self, host: &Host, provider: &Provider, next: &str) -> Reply {
        let (mut site, mut target) = (host.addr(), format!("{AUTHORIZE}?next={next}"));
        for _ in 0..10 {
            let reply = self.get(site, &target);
            let Some(location) = reply.header("location").map(str::to_owned) else {
                panic!("the way ended at {target}: {} {}", reply.status, reply.text())
            };
            if site == host.addr() && location.starts_with("/_/") {
                return reply;
            }
            let bare = |base: &str| location.strip_prefix(base).map(str::to_owned);
            (site, target) = match (bare(&provider.issuer), bare(&format!("http://{}", host.addr()))) {
                (Some(path), _) => (provider.addr, path),
                (_, Some(path)) => (host.addr(), path),
                _ if location.starts_with('/') => (site, location),
                _ => panic!("led elsewhere: {location}"),
            };
        }
        panic!("the redirects do not end")
    }
}

fn group(host: &Host, name: &str) -> String {
    let made = host.admin(Request::new("POST", "/_/api/admin/groups").json(&json!({"name": name}))).expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn rule(host: &Host, kind: &str, field: &str, value: &str, group: &str) {
    let rule = json!({"match_type": kind, "match_field": field, "match_value": value, "group_id": group});
    host.admin(Request::new("POST", "/_/api/admin/ext-auth/mappings").json(&rule)).expect(201);
}

fn register(host: &Host, provider: &Provider) -> Value {
    let body = json!({"name": "main", "client_id": "dgp", "client_secret": "it is a secret", "issuer_url": provider.issuer,
                      "scopes": "openid email profile groups"});
    host.admin(Request::new("POST", "/_/api/admin/ext-auth/providers").json(&body)).expect(201).json()
}

fn whoami(host: &Host, cookie: &str) -> Value {
    Request::new("GET", "/_/api/whoami").header("Cookie", cookie).send(host.addr()).expect(200).json()
}

fn user(host: &Host, name: &str) -> Value {
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    users.as_array().unwrap().iter().find(|user| user["name"] == name).unwrap_or_else(|| panic!("{users}")).clone()
}

/// `epoch.generation`, as lists show it.
fn version(host: &Host) -> String {
    let list = host.admin(Request::new("GET", "/_/api/admin/users?limit=1")).expect(200);
    list.header("etag").unwrap().to_owned()
}

fn ann(groups: &[&str]) -> Value {
    json!({"email": "ann@example.com", "email_verified": true, "name": "Ann", "groups": groups})
}

#[test]
fn a_person_signs_in_gets_the_groups_of_the_rules_and_loses_them_at_the_next_sign_in() {
    let host = Host::start();
    let provider = Provider::start(&host);
    let made = register(&host, &provider);
    let test = format!("/_/api/admin/ext-auth/providers/{}/test", made["id"].as_str().unwrap());
    let report = host.admin(Request::new("POST", &test)).expect(200).json();
    assert_eq!((&report["success"], &report["error"]), (&json!(true), &Value::Null), "{report}");
    let (staff, ops, by_hand) = (group(&host, "staff"), group(&host, "ops"), group(&host, "by hand"));
    rule(&host, "email_domain", "email", "example.com", &staff);
    rule(&host, "claim_value", "groups", "operators", &ops);
    provider.person("ann", ann(&["operators"]));

    let mut browser = Browser::default();
    let back = browser.sign_in(&host, &provider, "/_/access/users");
    assert_eq!((back.status, back.header("location")), (303, Some("/_/access/users")), "{}", host.log());
    let cookie = session(&back).expect("a session is opened");
    assert_eq!(whoami(&host, &cookie)["user"]["name"], "ann@example.com");
    let first = user(&host, "ann@example.com");
    assert_eq!((&first["auth_source"], &first["access_key_id"]), (&json!("external"), &Value::Null));
    let of = |user: &Value| {
        user["group_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(of(&first), [staff.clone(), ops.clone()].into());
    let shut = Request::new("GET", "/_/api/admin/users").header("Cookie", &cookie).send(host.addr());
    assert_eq!(shut.status, 403, "to sign in with a provider gives nobody a right");

    let member = json!({"user_id": first["id"]});
    host.admin(Request::new("POST", &format!("/_/api/admin/groups/{by_hand}/members")).json(&member)).expect(200);
    let before = version(&host);
    session(&browser.sign_in(&host, &provider, "/_/")).expect("a session is opened");
    assert_eq!(version(&host), before, "a sign-in without another group writes nothing");

    provider.person("ann", ann(&[]));
    session(&browser.sign_in(&host, &provider, "/_/")).expect("a session is opened");
    assert_eq!(
        of(&user(&host, "ann@example.com")),
        [staff, by_hand].into(),
        "what the provider took is gone, the rest stays"
    );
    let logins = host.admin(Request::new("GET", "/_/api/admin/audit?limit=200")).expect(200).text();
    for trace in ["user.provision", "ann@example.com", "auth_provider.create"] {
        assert!(logins.contains(trace), "no row of {trace}");
    }

    let off = json!({"enabled": false});
    let path = format!("/_/api/admin/users/{}", first["id"].as_str().unwrap());
    host.admin(Request::new("PUT", &path).json(&off)).expect(200);
    let refused = browser.sign_in(&host, &provider, "/_/");
    assert_eq!(parameter(refused.header("location").unwrap(), "sso_error").as_deref(), Some("sso_user_disabled"));
    assert_eq!(session(&refused), None);
    assert!(!host.log().contains("it is a secret"));
}

#[test]
fn providers_rules_identities_and_secrets_come_back_with_a_backup() {
    let host = Host::start();
    let provider = Provider::start(&host);
    register(&host, &provider);
    let staff = group(&host, "staff");
    rule(&host, "email_glob", "email", "*@example.com", &staff);
    provider.person("ann", ann(&[]));
    session(&Browser::default().sign_in(&host, &provider, "/_/")).expect("a session is opened");
    let archive = host.backup();
    let identities = || host.admin(Request::new("GET", "/_/api/admin/ext-auth/identities")).expect(200).json();
    let before = identities();
    assert_eq!(before[0]["rule_group_ids"], json!([staff]));
    let exported = host.exported();
    assert_eq!(exported.json("secrets.json")["oauth_client_secrets"]["main"], "it is a secret");
    assert!(!String::from_utf8_lossy(exported.entry("iam.json")).contains("it is a secret"));

    let empty = json!({"enabled": false, "client_secret": "another"});
    let providers = host.admin(Request::new("GET", "/_/api/admin/ext-auth/providers")).expect(200).json();
    let path = format!("/_/api/admin/ext-auth/providers/{}", providers[0]["id"].as_str().unwrap());
    host.admin(Request::new("PUT", &path).json(&empty)).expect(200);
    host.restore(&archive).expect(200);
    assert_eq!(identities(), before);
    let back = Browser::default().sign_in(&host, &provider, "/_/");
    session(&back).unwrap_or_else(|| panic!("{:?}", back.header("location")));
    assert_eq!(user(&host, "ann@example.com")["group_ids"], json!([staff]));
}

#[test]
fn who_may_come_in_is_said_per_provider_and_where_to_come_back_by_the_config() {
    let host = Host::prepare().config("advanced: {public_url: \"http://127.0.0.1:1\"}\n");
    let mut host = host;
    host.up();
    let body = json!({"name": "main", "client_id": "dgp", "issuer_url": "https://id.example.com"});
    let made = host.admin(Request::new("POST", "/_/api/admin/ext-auth/providers").json(&body)).expect(201).json();
    assert_eq!(made["redirect_url"], "http://127.0.0.1:1/_/api/admin/oauth/callback");

    let host = Host::start();
    let provider = Provider::start(&host);
    let made = register(&host, &provider);
    let path = format!("/_/api/admin/ext-auth/providers/{}", made["id"].as_str().unwrap());
    let strict = json!({"extra_config": {"allowed_domains": ["example.org"], "auto_provision": false}});
    host.admin(Request::new("PUT", &path).json(&strict)).expect(200);
    let public = Request::new("GET", AUTHORIZE).header("Host", "s3.example.com").send(host.addr()).expect(409);
    assert_eq!(public.json()["code"], "public_url_missing");
    let sso_error = |host: &Host| {
        let back = Browser::default().sign_in(host, &provider, "/_/");
        assert_eq!(session(&back), None);
        parameter(back.header("location").unwrap(), "sso_error")
    };
    provider.person("ann", ann(&[]));
    assert_eq!(sso_error(&host).as_deref(), Some("sso_domain_not_allowed"));
    provider.person("bob", json!({"email": "bob@example.org", "email_verified": true}));
    assert_eq!(sso_error(&host).as_deref(), Some("sso_not_provisioned"));
    let user = host.admin(Request::new("POST", "/_/api/admin/users").json(&json!({"name": "bob"}))).expect(201).json();
    let bond = json!({"user_id": user["id"], "provider_id": made["id"], "external_sub": "bob"});
    host.admin(Request::new("POST", "/_/api/admin/ext-auth/identities").json(&bond)).expect(201);
    let back = Browser::default().sign_in(&host, &provider, "/_/");
    assert_eq!(whoami(&host, &session(&back).expect("a session is opened"))["user"]["name"], "bob");
    host.admin(Request::new("PUT", &path).json(&json!({"enabled": false}))).expect(200);
    let off = Request::new("GET", AUTHORIZE).send(host.addr()).expect(409);
    assert_eq!(off.json()["code"], "sso_provider_disabled");
}
