//! The pair that https is served with: read, proven, watched for changes. A bad new pair keeps the old one.

use actors::domain::config::model::TlsPair;
use actors::{Error, ErrorKind, Result};
use arc_swap::ArcSwap;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslContext, SslMethod, SslVersion, select_next_proto};
use openssl::x509::X509;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod self_made;

const OPERATION: &str = "load the certificate";
/// The one protocol that is spoken, as ALPN writes it.
const HTTP_1_1: &[u8] = b"\x08http/1.1";
/// How often the files are looked at. A change is taken in when two looks in a row see the same, so that a pair that is being
/// replaced file by file is not read in between.
const ROUND: Duration = Duration::from_secs(1);
/// A certificate that ends in fewer days than this is worth a notice.
const SOON_DAYS: u32 = 14;

/// The pair in force, and where it comes from.
pub struct Certificates {
    /// Certificate and key; `None` where the pair was made at start.
    files: Option<[PathBuf; 2]>,
    current: ArcSwap<Pair>,
    /// Why the newest files are not in force.
    trouble: Mutex<Option<String>>,
}

/// A certificate with its chain and its key, ready for handshakes.
struct Pair {
    context: SslContext,
    certificate: X509,
}

/// What shows that a file changed, be it replaced, written over or reached by another symbolic link.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

impl Certificates {
    /// Loads the pair that the configuration names; a relative path counts from `base`.
    pub fn load(pair: TlsPair<'_>, base: &Path) -> Result<Self> {
        let (files, pair) = match pair {
            TlsPair::Files(cert, key) => {
                let files = [cert.resolve(base), key.resolve(base)];
                let pair = Pair::read(&files).map_err(|why| {
                    Error::new(ErrorKind::Invalid, OPERATION, why).with_hint(
                        "name a PEM certificate and its key in advanced.tls.cert_path and advanced.tls.key_path",
                    )
                })?;
                (Some(files), pair)
            }
            TlsPair::SelfMade => {
                let pair = self_made::pair().and_then(|(certificate, key)| Pair::new(&[certificate], &key));
                (None, pair.map_err(|error| Error::internal(OPERATION, error))?)
            }
        };
        Ok(Self { files, current: ArcSwap::from_pointee(pair), trouble: Mutex::default() })
    }

    /// The server's side of a new connection, with the pair in force.
    pub fn session(&self) -> io::Result<Ssl> {
        Ok(Ssl::new(&self.current.load().context)?)
    }

    /// What the operator should know.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        notices.extend(self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let current = self.current.load();
        let ends = current.certificate.not_after();
        if is_before(ends, 0) {
            notices.push(format!("the certificate has expired ({ends}); replace the files of advanced.tls"));
        } else if is_before(ends, SOON_DAYS) {
            notices.push(format!(
                "the certificate ends in less than {SOON_DAYS} days ({ends}); replace the files of advanced.tls"
            ));
        }
        if self.files.is_none() {
            notices.push(
                "https is served with a self-made certificate, another one at each start: clients cannot verify it; \
                 set advanced.tls.cert_path and advanced.tls.key_path"
                    .to_owned(),
            );
        }
        notices
    }

    /// Looks at the files for ever. Connections that are open keep the pair that they began with.
    pub async fn watch(self: Arc<Self>) {
        let Some(files) = self.files.clone() else { return };
        let (mut seen, mut taken) = (stamps(&files), stamps(&files));
        loop {
            tokio::time::sleep(ROUND).await;
            let now = stamps(&files);
            if now == seen && now != taken {
                taken = now;
                self.reload(&files);
            }
            seen = now;
        }
    }

    fn reload(&self, files: &[PathBuf; 2]) {
        let trouble = match Pair::read(files) {
            Ok(pair) => {
                log::info!("the certificate was replaced; it ends at {}", pair.certificate.not_after());
                self.current.store(Arc::new(pair));
                None
            }
            Err(why) => {
                log::error!("the new certificate is not taken, the old one stays in force: {why}");
                Some(format!("the new certificate is not taken, the old one stays in force: {why}"))
            }
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Pair {
    /// Reads both files; what is wrong with them in words that never show a byte of the key.
    fn read([cert, key]: &[PathBuf; 2]) -> std::result::Result<Self, String> {
        let open =
            |path: &PathBuf| fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
        let chain = X509::stack_from_pem(&open(cert)?).unwrap_or_default();
        if chain.is_empty() {
            return Err(format!("{} holds no certificate in PEM", cert.display()));
        }
        // Without a callback OpenSSL would ask for the passphrase at the terminal.
        let private = PKey::private_key_from_pem_callback(&open(key)?, |_| Ok(0));
        let private =
            private.map_err(|_| format!("{} holds no private key in PEM, or an encrypted one", key.display()))?;
        if !chain[0].public_key().is_ok_and(|public| public.public_eq(&private)) {
            return Err(format!("{} is not the key of the certificate in {}", key.display(), cert.display()));
        }
        Self::new(&chain, &private)
            .map_err(|error| format!("{} and {} do not serve: {error}", cert.display(), key.display()))
    }

    fn new(chain: &[X509], key: &PKey<Private>) -> std::result::Result<Self, ErrorStack> {
        // TLS 1.2 and 1.3 with the ciphers that Mozilla calls intermediate.
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        builder.set_alpn_select_callback(|_, offered| select_next_proto(HTTP_1_1, offered).ok_or(AlpnError::NOACK));
        let mut links = chain.iter();
        let certificate = links.next().ok_or_else(ErrorStack::get)?.clone();
        builder.set_certificate(&certificate)?;
        for link in links {
            builder.add_extra_chain_cert(link.clone())?;
        }
        builder.set_private_key(key)?;
        builder.check_private_key()?;
        Ok(Self { context: builder.build().into_context(), certificate })
    }
}

fn is_before(time: &Asn1TimeRef, days: u32) -> bool {
    Asn1Time::days_from_now(days).is_ok_and(|limit| *time < limit)
}

fn stamps(files: &[PathBuf; 2]) -> [Stamp; 2] {
    files.each_ref().map(|path| {
        let found = fs::metadata(path).ok()?;
        Some((
            found.dev(),
            found.ino(),
            found.size(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ))
    })
}

#[cfg(test)]
mod tests;
