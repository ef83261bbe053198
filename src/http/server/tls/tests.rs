//! What a pair of files is refused for, and that a bad new one changes nothing.

use super::*;
use actors::domain::config::model::WrittenPath;
use tempfile::TempDir;

fn write(dir: &TempDir, name: &str, (certificate, key): &(X509, PKey<Private>)) {
    fs::write(dir.path().join(format!("{name}.crt")), certificate.to_pem().unwrap()).unwrap();
    fs::write(dir.path().join(format!("{name}.key")), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
}

fn load(dir: &TempDir, cert: &str, key: &str) -> Result<Certificates> {
    Certificates::load(TlsPair::Files(&WrittenPath::new(cert), &WrittenPath::new(key)), dir.path())
}

#[test]
fn a_pair_that_cannot_serve_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, "a", &self_made::pair().unwrap());
    write(&dir, "b", &self_made::pair().unwrap());
    assert!(load(&dir, "a.crt", "a.key").is_ok());
    for (cert, key, said) in [
        ("a.crt", "b.key", "is not the key of"),
        ("gone.crt", "a.key", "gone.crt cannot be read"),
        ("a.key", "a.key", "holds no certificate"),
        ("a.crt", "a.crt", "holds no private key"),
    ] {
        let error = load(&dir, cert, key).unwrap_err();
        assert!(error.message().contains(said), "{cert} {key}: {error:?}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_bad_new_pair_keeps_the_old_one_and_is_told_until_a_good_one_comes() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, "a", &self_made::pair().unwrap());
    let certificates = load(&dir, "a.crt", "a.key").unwrap();
    let files = certificates.files.clone().unwrap();
    let serial = || certificates.current.load().certificate.serial_number().to_bn().unwrap();
    let first = serial();
    fs::write(&files[0], "rubbish").unwrap();
    certificates.reload(&files);
    assert_eq!(serial(), first);
    assert!(certificates.notices()[0].contains("the old one stays in force"), "{:?}", certificates.notices());
    write(&dir, "a", &self_made::pair().unwrap());
    certificates.reload(&files);
    assert_ne!(serial(), first);
    assert_eq!(certificates.notices(), Vec::<String>::new());
}

#[test]
fn a_pair_made_here_says_so() {
    let certificates = Certificates::load(TlsPair::SelfMade, Path::new("/")).unwrap();
    assert!(certificates.notices()[0].contains("self-made"));
    assert!(is_before(Asn1Time::days_from_now(13).unwrap().as_ref(), SOON_DAYS));
    assert!(!is_before(Asn1Time::days_from_now(15).unwrap().as_ref(), SOON_DAYS));
}
