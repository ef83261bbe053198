//! A sign-in provider that is right in everything but what a test tells it to do wrong.

use super::client::{Reply, Request};
use super::server::Host;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What it is known as to the server under test.
pub const NAME: &str = "evil";
/// The client that it knows.
pub const CLIENT: &str = "dgp";

/// How an ID token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// With the key that is published.
    Well,
    /// Not at all: `alg` is `none`.
    Not,
    /// With HS256 and the published key as the shared secret.
    ByPublicKey,
    /// With another key under the published key's id.
    ByStranger,
}

/// What one address answers instead of what it should.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A redirect.
    Redirect(&'static str),
    /// Two MiB.
    Huge,
    /// A byte now and then.
    Slow,
    /// A status and a document.
    Of(u16, Value),
}

/// What the provider does.
pub struct Script {
    /// What the ID token's claims are changed to; `null` takes a claim away.
    pub claims: Value,
    /// What the userinfo endpoint says.
    pub userinfo: Value,
    /// How the ID token is signed.
    pub sign: Sign,
    /// The id of the signing key that the token names; that of the newest key where there is none.
    pub kid: Option<&'static str>,
    /// What the discovery document is changed to.
    pub discovery: Value,
    /// Answers by path.
    pub answers: HashMap<&'static str, Answer>,
    /// How often the keys were asked for.
    pub keys_asked: usize,
    keys: Vec<(String, PKey<Private>)>,
    nonce: String,
}

/// A provider on loopback.
#[derive(Clone)]
pub struct Idp {
    issuer: String,
    script: Arc<Mutex<Script>>,
}

impl Idp {
    /// Starts one that does everything right.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let issuer = format!("http://{}", listener.local_addr().expect("it is bound"));
        let script = Script {
            claims: json!({}),
            userinfo: json!({"sub": "s1"}),
            sign: Sign::Well,
            kid: None,
            discovery: json!({}),
            answers: HashMap::new(),
            keys_asked: 0,
            keys: vec![("k1".to_owned(), new_key())],
            nonce: String::new(),
        };
        let idp = Self { issuer, script: Arc::new(Mutex::new(script)) };
        let own = idp.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                // A client that hangs up on what it does not want to read is what some tests are about.
                std::thread::spawn(move || drop(own.serve(stream)));
            }
        });
        idp
    }

    /// What it does.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no thread of the provider died")
    }

    /// Does everything right again, with the keys that it has.
    pub fn behave(&self) {
        let mut script = self.script();
        (script.claims, script.sign, script.kid) = (json!({}), Sign::Well, None);
        script.userinfo = json!({"sub": "s1"});
        script.answers.clear();
    }

    /// Signs with a new key from now on, which takes the old one's place.
    pub fn rotate(&self) {
        let mut script = self.script();
        let id = format!("k{}", script.keys.len() + 1);
        script.keys.insert(0, (id, new_key()));
        script.keys.truncate(1);
    }

    /// Makes it known to a server.
    #[track_caller]
    pub fn register(&self, host: &Host, extra_config: Value) -> String {
        let provider = json!({"name": NAME, "client_id": CLIENT, "client_secret": "known to both", "issuer_url": self.issuer,
                              "scopes": "openid email", "extra_config": extra_config});
        let made = host.admin(Request::new("POST", "/_/api/admin/ext-auth/providers").json(&provider)).expect(201);
        made.json()["id"].as_str().expect("a provider has an id").to_owned()
    }

    /// Begins a sign-in: the state that was sent here, and the cookie of the browser.
    #[track_caller]
    pub fn begin(&self, host: &Host) -> (String, String) {
        let reply = Request::new("GET", &format!("/_/api/admin/oauth/authorize/{NAME}")).send(host.addr()).expect(303);
        let location = reply.header("location").expect("there is a way on").to_owned();
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)), "{location}");
        assert!(
            location.contains("code_challenge_method=S256") && location.contains("response_type=code"),
            "{location}"
        );
        self.script().nonce = parameter(&location, "nonce").expect("there is a nonce");
        let cookie = reply.header("set-cookie").expect("the browser is tied to it");
        assert!(cookie.contains("HttpOnly; SameSite=Lax; Path=/_/api/admin/oauth; Max-Age=600"), "{cookie}");
        let cookie = cookie.split(';').next().expect("a cookie has a value").to_owned();
        (parameter(&location, "state").expect("there is a state"), cookie)
    }

    /// Signs in, as a browser would that the provider sends back at once.
    #[track_caller]
    pub fn sign_in(&self, host: &Host) -> Reply {
        let (state, cookie) = self.begin(host);
        back(&state).header("Cookie", &cookie).send(host.addr())
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let odd = self.script().answers.iter().find(|(at, _)| **at == path).map(|(_, answer)| answer.clone());
        match odd {
            Some(Answer::Redirect(to)) => {
                write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
            }
            Some(Answer::Huge) => send(&mut stream, 200, &format!("{{\"a\": \"{}\"}}", "x".repeat(2 << 20))),
            Some(Answer::Slow) => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")?;
                // Until the other end has enough of it.
                loop {
                    stream.write_all(b" ")?;
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            Some(Answer::Of(status, document)) => send(&mut stream, status, &document.to_string()),
            None => {
                let document = self.document(&path);
                send(&mut stream, if document.is_null() { 404 } else { 200 }, &document.to_string())
            }
        }
    }

    fn document(&self, path: &str) -> Value {
        let mut script = self.script();
        match path {
            "/.well-known/openid-configuration" => {
                let at = |path: &str| format!("{}{path}", self.issuer);
                let mut document = json!({
                    "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
                    "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/userinfo"), "response_types_supported": ["code"],
                    "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                });
                overlay(&mut document, &script.discovery);
                document
            }
            "/jwks" => {
                script.keys_asked += 1;
                json!({"keys": script.keys.iter().map(|(id, key)| public(id, key)).collect::<Vec<_>>()})
            }
            "/token" => json!({"access_token": "a", "token_type": "Bearer", "expires_in": 60,
                               "id_token": token(&script, &self.issuer)}),
            "/userinfo" => script.userinfo.clone(),
            _ => Value::Null,
        }
    }
}

/// The way back from the provider.
pub fn back(state: &str) -> Request {
    Request::new("GET", &format!("/_/api/admin/oauth/callback?code=c&state={state}"))
}

/// A parameter of an address; its value needs no decoding here.
pub fn parameter(location: &str, name: &str) -> Option<String> {
    let (_, query) = location.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// The session that an answer opens.
pub fn session(reply: &Reply) -> Option<String> {
    let cookies = reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let values = cookies.filter_map(|(_, value)| value.split(';').next());
    values.into_iter().find(|value| value.starts_with("dgp_session=")).map(str::to_owned)
}

fn send(stream: &mut TcpStream, status: u16, text: &str) -> std::io::Result<()> {
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

fn new_key() -> PKey<Private> {
    Rsa::generate(2048).and_then(PKey::from_rsa).expect("OpenSSL makes keys")
}

fn public(id: &str, key: &PKey<Private>) -> Value {
    let rsa = key.rsa().expect("it is an RSA key");
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": URL_SAFE_NO_PAD.encode(rsa.n().to_vec()),
           "e": URL_SAFE_NO_PAD.encode(rsa.e().to_vec())})
}

fn token(script: &Script, issuer: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs();
    let mut claims = json!({"iss": issuer, "aud": CLIENT, "sub": "s1", "iat": now, "exp": now + 300, "nonce": script.nonce,
                            "email": "ann@example.com", "email_verified": true});
    overlay(&mut claims, &script.claims);
    let (id, key) = &script.keys[0];
    let id = script.kid.unwrap_or(id);
    let algorithm = match script.sign {
        Sign::Well | Sign::ByStranger => "RS256",
        Sign::Not => "none",
        Sign::ByPublicKey => "HS256",
    };
    let header = json!({"alg": algorithm, "kid": id, "typ": "JWT"});
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = match script.sign {
        Sign::Well => rsa(key, &text),
        Sign::ByStranger => rsa(&new_key(), &text),
        Sign::Not => Vec::new(),
        Sign::ByPublicKey => {
            let shared = key.public_key_to_pem().expect("a key has a PEM form");
            let mut mac = Hmac::<Sha256>::new_from_slice(&shared).expect("HMAC takes keys of any length");
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn rsa(key: &PKey<Private>, text: &str) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), key).expect("OpenSSL signs");
    signer.sign_oneshot_to_vec(text.as_bytes()).expect("OpenSSL signs")
}

fn overlay(document: &mut Value, changes: &Value) {
    let (Some(document), Some(changes)) = (document.as_object_mut(), changes.as_object()) else { return };
    for (name, value) in changes {
        match value.is_null() {
            true => document.remove(name),
            false => document.insert(name.clone(), value.clone()),
        };
    }
}
