//! Calls of a running server's admin API: where it is, who asks, and what an error means for the exit code.

use super::Remote;
use crate::cli::out;
use crate::exit::Exit;
use actors::domain::archive::fault::ArchiveFault;
use actors::domain::secret::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;
use ureq::http::request::Builder;
use ureq::http::{Method, Request, StatusCode};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, AsSendBody, Body, SendBody};

const DEFAULT_SERVER: &str = "http://127.0.0.1:9000";
/// An answer of the admin API is at most this long: a list of a hundred thousand users fits.
const LONGEST: u64 = 256 << 20;
/// A server that answers nothing for this long is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// A restore of the largest archive allowed takes minutes, not seconds.
const LONG: Duration = Duration::from_secs(600);

/// Why a command failed, and how it ends.
#[derive(Debug)]
pub(in crate::cli) struct Failure {
    pub(in crate::cli) exit: Exit,
    pub(in crate::cli) message: String,
    pub(in crate::cli) hint: Option<String>,
    /// The code of the rule that it broke, for programs.
    pub(in crate::cli) code: Option<String>,
}

impl Failure {
    pub(in crate::cli) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, code: None }
    }

    pub(in crate::cli) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says it on standard error, for people or for programs.
    pub(in crate::cli) fn said(self, json: bool) -> Exit {
        if !json {
            return out::failed_with(self.exit, &self.message, self.hint.as_deref());
        }
        let error = json!({"exit": self.exit as i32, "code": self.code, "message": self.message, "hint": self.hint});
        out::failed_as(self.exit, &format!("{:#}\n", json!({"error": error})))
    }

    pub(in crate::cli) fn code(self, code: Option<&str>) -> Self {
        Self { code: code.map(str::to_owned), ..self }
    }
}

/// What proves who asks.
enum Proof {
    Token(Secret),
    /// A session that this command opened, and ends.
    Cookie(Secret),
}

/// A server, and who asks it.
pub(in crate::cli) struct Server {
    base: String,
    agent: Agent,
    proof: Proof,
}

impl Server {
    /// Finds server and credentials: flags before environment; a token before the password.
    pub(in crate::cli) fn connect(remote: &Remote, environment: &BTreeMap<String, String>) -> Result<Self, Failure> {
        Self::connect_to(remote, environment, None)
    }

    /// The same, where nothing names a server but the state directory that it holds.
    pub(in crate::cli) fn connect_to(
        remote: &Remote,
        environment: &BTreeMap<String, String>,
        found: Option<String>,
    ) -> Result<Self, Failure> {
        let named = |name: &str| environment.get(name).cloned();
        let base = remote.server.clone().or_else(|| named("DGP_SERVER")).or(found);
        let base = base.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let base = base.trim_end_matches('/').to_owned();
        // The certificates that the system trusts; `SSL_CERT_FILE` names others.
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_global(Some(LONG))
            .user_agent(concat!("deltaglider_proxy/", env!("CARGO_PKG_VERSION")))
            // The admin API is on this host or in this network: what a proxy would see is not for it.
            .proxy(None)
            .build();
        let mut server = Self { base, agent: config.into(), proof: Proof::Token(Secret::new("")) };
        let token = remote.token.clone().or_else(|| named("DGP_TOKEN").map(Secret::new));
        server.proof = match (token, environment.get("DGP_BOOTSTRAP_PASSWORD")) {
            (Some(token), _) => Proof::Token(token),
            (None, Some(password)) => server.sign_in(password)?,
            (None, None) => {
                return Err(Failure::new(Exit::Auth, "nothing says who asks").hint(
                    "give --token or DGP_TOKEN (an API token), or DGP_BOOTSTRAP_PASSWORD (the bootstrap password)",
                ));
            }
        };
        Ok(server)
    }

    fn sign_in(&self, password: &str) -> Result<Proof, Failure> {
        let answer = self.send(Method::POST, "/login", Some(&json!({"password": password})), None, None)?;
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
        let cookie = Secret::new(cookie);
        read(answer)?;
        Ok(Proof::Cookie(cookie))
    }

    /// Ends the session that this command opened. Nothing depends on it: it would expire by itself.
    pub(in crate::cli) fn sign_out(&self) {
        if matches!(self.proof, Proof::Cookie(_)) {
            let _ = self.send(Method::POST, "/logout", None, Some(&self.proof), None);
        }
    }

    pub(in crate::cli) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None)
    }

    /// The body of an answer, of any length, as it comes.
    pub(in crate::cli) fn download(&self, path: &str) -> Result<impl Read + use<>, Failure> {
        let answer = self.send(Method::GET, path, None, Some(&self.proof), None)?;
        if !answer.status().is_success() {
            return Err(match read(answer) {
                Err(failure) => failure,
                Ok(_) => Failure::new(Exit::Http, "the answer is none that this call has"),
            });
        }
        Ok(answer.into_body().into_reader())
    }

    pub(in crate::cli) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body))
    }

    /// Reads an entry and puts what `change` makes of it, if nobody changed anything in between: no other's change is lost.
    pub(in crate::cli) fn change(
        &self,
        path: &str,
        change: impl FnOnce(&Value) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let answer = self.send(Method::GET, path, None, Some(&self.proof), None)?;
        let version = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let body = change(&read(answer)?)?;
        let changed = read(self.send(Method::PUT, path, Some(&body), Some(&self.proof), Some(&version))?);
        changed.map_err(|failure| match failure.hint {
            None if failure.message.ends_with("(generation_changed)") => failure.hint("run the command again"),
            _ => failure,
        })
    }

    /// The text of an answer that is no JSON.
    pub(super) fn text(&self, path: &str) -> Result<String, Failure> {
        let mut answer = self.send(Method::GET, path, None, Some(&self.proof), None)?;
        if !answer.status().is_success() {
            return read(answer).map(|_| String::new());
        }
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        text.map_err(|error| Failure::new(Exit::Http, format!("the answer broke off: {error}")))
    }

    pub(in crate::cli) fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, Some(body))
    }

    pub(in crate::cli) fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None)
    }

    /// `POST` without a body.
    pub(in crate::cli) fn post_nothing(&self, path: &str) -> Result<Value, Failure> {
        self.upload(path, &[], None::<std::io::Empty>, 0)
    }

    /// Sends `length` bytes, or nothing, with headers of its own. It may take minutes.
    pub(in crate::cli) fn upload(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<impl Read + 'static>,
        length: u64,
    ) -> Result<Value, Failure> {
        let mut request = self.request(Method::POST, path, Some(&self.proof));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header("content-length", length.to_string());
        }
        let body = body.map_or_else(SendBody::none, SendBody::from_owned_reader);
        read(self.run(request.body(body))?)
    }

    /// Receives a file: its name and its bytes, which `progress` is told of.
    pub(in crate::cli) fn receive<P>(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        progress: impl FnOnce(Option<u64>) -> P,
    ) -> Result<(String, Vec<u8>), Failure>
    where
        P: FnMut(usize),
    {
        let mut request = self.request(Method::GET, path, Some(&self.proof));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut answer = self.run(request.body(()))?;
        if !answer.status().is_success() {
            return Err(match read(answer) {
                Err(failure) => failure,
                Ok(_) => Failure::new(Exit::Http, "the answer is no archive"),
            });
        }
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let total = header("content-length").and_then(|length| length.parse().ok());
        let name = header("content-disposition").and_then(|text| Some(text.split('"').nth(1)?.to_owned()));
        // A name is taken as it is only where it is none but a name.
        let name = name.filter(|name| !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.'));
        let mut progress = progress(total);
        let mut reader = answer.body_mut().with_config().limit(u64::MAX).reader();
        let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    bytes.extend_from_slice(&chunk[..read]);
                    progress(read);
                }
                Err(error) => return Err(Failure::new(Exit::Http, format!("the answer broke off: {error}"))),
            }
        }
        Ok((name.unwrap_or_else(|| "dgp-backup.zip".to_owned()), bytes))
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        read(self.send(method, path, body, Some(&self.proof), None)?)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        proof: Option<&Proof>,
        version: Option<&str>,
    ) -> Result<ureq::http::Response<Body>, Failure> {
        let mut request = self.request(method, path, proof);
        if let Some(version) = version {
            request = request.header("if-match", version);
        }
        match body {
            Some(body) => self.run(request.header("content-type", "application/json").body(body.to_string())),
            None => self.run(request.body(())),
        }
    }

    fn request(&self, method: Method, path: &str, proof: Option<&Proof>) -> Builder {
        let request = Request::builder().method(method).uri(format!("{}/_/api/admin{path}", self.base));
        match proof {
            Some(Proof::Token(token)) => request.header("authorization", format!("Bearer {}", token.expose())),
            Some(Proof::Cookie(cookie)) => request.header("cookie", cookie.expose()),
            None => request,
        }
    }

    fn run(
        &self,
        request: Result<Request<impl AsSendBody>, ureq::http::Error>,
    ) -> Result<ureq::http::Response<Body>, Failure> {
        request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request)).map_err(|error| {
            Failure::new(Exit::Http, format!("{} does not answer: {error}", self.base))
                .hint("is the server running, and is --server (or DGP_SERVER) its address?")
        })
    }
}

/// The JSON of an answer, or the failure that it tells of.
fn read(mut answer: ureq::http::Response<Body>) -> Result<Value, Failure> {
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
    let text = text.map_err(|error| Failure::new(Exit::Http, format!("the answer broke off: {error}")))?;
    if status == StatusCode::NO_CONTENT || (status.is_success() && text.is_empty()) {
        return Ok(Value::Null);
    }
    let body: Result<Value, _> = serde_json::from_str(&text);
    match body {
        Ok(body) if status.is_success() => Ok(body),
        Ok(problem) => Err(failure(status, &problem)),
        Err(_) => {
            Err(Failure::new(Exit::Http, format!("the answer ({status}) is no JSON: is this a DeltaGlider Proxy?")))
        }
    }
}

/// What `application/problem+json` says.
fn failure(status: StatusCode, problem: &Value) -> Failure {
    let code = problem["code"].as_str().unwrap_or_default();
    let exit = match status.as_u16() {
        _ if ArchiveFault::by_code(code).is_some() => Exit::Integrity,
        401 | 403 => Exit::Auth,
        404 => Exit::NotFound,
        400 | 409 | 412 | 413 | 422 => Exit::Rejected,
        _ => Exit::Http,
    };
    let text = |field: &str| problem[field].as_str().map(str::to_owned);
    let detail = text("detail").or_else(|| text("title")).unwrap_or_else(|| status.to_string());
    let shown = text("code").map(|code| format!(" ({code})")).unwrap_or_default();
    Failure { exit, message: format!("{detail}{shown}"), hint: text("hint"), code: text("code") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    /// Answers one request after another, each on a connection of its own; gives the heads that came.
    fn served(answers: [&'static str; 2]) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heads = std::thread::spawn(move || {
            let answer = |answer: &str| {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                stream.write_all(answer.as_bytes()).unwrap();
                head.join("\n").to_ascii_lowercase()
            };
            answers.map(answer).to_vec()
        });
        (base, heads)
    }

    #[test]
    fn a_change_names_the_version_that_it_was_made_from() {
        let (base, heads) = served([
            "HTTP/1.1 200 OK\r\nETag: \"1.7\"\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{\"a\": 1}",
            "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 30\r\nConnection: close\r\n\r\n\
             {\"code\": \"generation_changed\"}",
        ]);
        let remote = Remote { server: Some(base), token: Some(Secret::new("dgp_x")), json: false };
        let server = Server::connect(&remote, &BTreeMap::new()).ok().unwrap();
        let failed = server.change("/users/u", |entry| Ok(json!({"a": entry["a"], "b": 2}))).unwrap_err();
        assert_eq!((failed.exit, failed.hint.as_deref()), (Exit::Rejected, Some("run the command again")));
        let heads = heads.join().unwrap();
        assert!(
            heads[1].starts_with("put /_/api/admin/users/u ") && heads[1].contains("if-match: \"1.7\""),
            "{heads:?}"
        );
    }

    #[test]
    fn a_problem_gives_its_detail_its_hint_and_the_exit_code() {
        let problem = json!({"detail": "no such user", "code": "no_such_user", "hint": "list them"});
        let failed = failure(StatusCode::NOT_FOUND, &problem);
        assert_eq!((failed.exit, failed.message.as_str()), (Exit::NotFound, "no such user (no_such_user)"));
        assert_eq!(failed.hint.as_deref(), Some("list them"));
        for (status, exit) in [(401, Exit::Auth), (403, Exit::Auth), (409, Exit::Rejected), (503, Exit::Http)] {
            assert_eq!(failure(StatusCode::from_u16(status).unwrap(), &json!({})).exit, exit);
        }
    }
}
