//! Certificates for tests, and connections that are TLS where the server at the other end is.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslMethod, SslStream};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// The servers that speak TLS, and the certificate that each must show. Every test is a process of its own.
static SECURE: LazyLock<Mutex<HashMap<SocketAddr, X509>>> = LazyLock::new(Mutex::default);

/// A certificate and its key.
#[derive(Clone)]
pub struct Pair {
    /// Self-signed, for `localhost`, `127.0.0.1` and whatever it was made for.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
}

impl Pair {
    /// A new pair for these names besides the usual ones.
    pub fn new(names: &[&str]) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("OpenSSL knows the curve");
        let key = EcKey::generate(&group).and_then(PKey::from_ec_key).expect("OpenSSL makes keys");
        let certificate = build(&key, names).expect("OpenSSL makes certificates");
        Self { certificate, key }
    }

    /// Writes both files, `tls.crt` and `tls.key`, each by rename.
    pub fn write(&self, dir: &Path) {
        let pem = self.certificate.to_pem().expect("a certificate has a PEM form");
        let key = self.key.private_key_to_pem_pkcs8().expect("a key has a PEM form");
        for (name, content) in [("tls.crt", pem), ("tls.key", key)] {
            let new = dir.join(format!("{name}.new"));
            std::fs::write(&new, content).expect("the file can be written");
            std::fs::rename(&new, dir.join(name)).expect("the file can be renamed");
        }
    }
}

fn build(key: &PKey<Private>, names: &[&str]) -> Result<X509, openssl::error::ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_text("CN", "integration test")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(100, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    builder.set_not_after(Asn1Time::days_from_now(90)?.as_ref())?;
    let mut alternative = SubjectAlternativeName::new();
    alternative.dns("localhost").ip("127.0.0.1");
    for name in names {
        alternative.dns(name);
    }
    let alternative = alternative.build(&builder.x509v3_context(None, None))?;
    builder.append_extension(alternative)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// From now on this server must show this certificate.
pub fn trust(server: SocketAddr, certificate: &X509) {
    SECURE.lock().expect("no test thread died").insert(server, certificate.clone());
}

/// A connection, TLS where the server is known to speak it.
pub enum Connection {
    /// http.
    Plain(TcpStream),
    /// https.
    Tls(Box<SslStream<TcpStream>>),
}

impl Connection {
    /// Connects; nothing may take longer than a minute.
    pub fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        let trusted = SECURE.lock().expect("no test thread died").get(&to).cloned();
        match trusted {
            None => Ok(Self::Plain(stream)),
            Some(certificate) => {
                let mut builder = SslConnector::builder(SslMethod::tls_client())?;
                builder.cert_store_mut().add_cert(certificate)?;
                builder.set_alpn_protos(b"\x02h2\x08http/1.1")?;
                let stream =
                    builder.build().connect("localhost", stream).map_err(|e| io::Error::other(e.to_string()))?;
                Ok(Self::Tls(Box::new(stream)))
            }
        }
    }

    /// Says that nothing more will be sent; answers may still come.
    pub fn end(&self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown(Shutdown::Write),
            Self::Tls(stream) => stream.get_ref().shutdown(Shutdown::Write),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
