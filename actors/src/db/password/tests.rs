//! Hashes as people bring them.

use super::*;

const PASSWORD: &str = "correct horse";
/// Made by the reference implementation of Python (`bcrypt` 4).
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu";

fn made() -> PasswordHash {
    PasswordHash::derive(PASSWORD, *b"0123456789abcdef", &OWN_PARAMETERS).unwrap()
}

#[test]
fn our_own_hash_is_a_phc_string_that_verifies() {
    let hash = PasswordHash::make(PASSWORD).unwrap();
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(hash.verify(PASSWORD) && !hash.verify("wrong horse"));
    assert!(hash.parameters().open_by_password());
    assert_ne!(hash, PasswordHash::make(PASSWORD).unwrap());
    assert!(!format!("{hash:?}").contains("argon2id$"));
}

#[test]
fn the_same_hash_in_another_form_is_the_same() {
    let hash = made();
    let other_order = hash.expose().replace("m=19456,t=2,p=1", "p=1,m=19456,t=2");
    for text in
        [hash.expose().to_owned(), other_order, STANDARD.encode(hash.expose()), format!(" {} \n", hash.expose())]
    {
        assert_eq!(PasswordHash::parse(&text).unwrap(), hash, "{text}");
    }
    let unpadded = STANDARD.encode(hash.expose()).trim_end_matches('=').to_owned();
    assert_eq!(PasswordHash::parse(&unpadded).unwrap(), hash);
}

#[test]
fn bcrypt_verifies_whatever_its_letter() {
    let hash = PasswordHash::derive(PASSWORD, *b"0123456789abcdef", &Parameters::Bcrypt { cost: 4 }).unwrap();
    assert!(hash.expose().starts_with("$2b$04$"));
    assert!(bcrypt::verify(PASSWORD, hash.expose()).unwrap());
    for letter in ["$2a$", "$2y$"] {
        let other = PasswordHash::parse(&hash.expose().replace("$2b$", letter)).unwrap();
        assert_eq!(other, hash);
        assert!(other.verify(PASSWORD) && !other.verify("x"));
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_the_remedy() {
    let good = made().expose().to_owned();
    let short_salt = good.replace(&STANDARD_NO_PAD.encode(b"0123456789abcdef"), &STANDARD_NO_PAD.encode(b"12345678"));
    let error = PasswordHash::parse(&short_salt).unwrap_err();
    assert_eq!(error.code(), Some("salt_not_16_bytes"));
    assert!(error.hint().unwrap().contains("hash-password"));
    for bad in [
        "",
        "password",
        "$1$abc$def",
        BCRYPT,
        "$2x$04$..............................................................",
        "$argon2id$v=19$m=19456,t=2$c2FsdHNhbHRzYWx0c2FsdA$ZGlnZXN0ZGlnZXN0ZGlnZXN0",
        "$argon2id$v=18$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$ZGlnZXN0ZGlnZXN0ZGlnZXN0",
        "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$ZGlnZXN0ZGlnZXN0ZGlnZXN0",
        "$argon2id$v=19$m=19456,t=2,p=1,m=1$c2FsdHNhbHRzYWx0c2FsdA$ZGlnZXN0ZGlnZXN0ZGlnZXN0",
    ] {
        assert!(PasswordHash::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn other_parameters_verify_but_open_by_hash_only() {
    let other = Parameters::Argon2 { variant: Variant::I, version: 16, memory: 64, passes: 3, lanes: 2, output: 24 };
    let hash = PasswordHash::derive(PASSWORD, [7; 16], &other).unwrap();
    let read = PasswordHash::parse(hash.expose()).unwrap();
    assert_eq!(read, hash);
    assert!(read.verify(PASSWORD) && !read.parameters().open_by_password());
}

#[test]
fn the_names_of_parameters_never_change() {
    assert_eq!(OWN_PARAMETERS.canonical(), "argon2id$v=19$m=19456,t=2,p=1");
    assert_eq!(Parameters::Bcrypt { cost: 4 }.canonical(), "bcrypt$4");
    assert_eq!(Parameters::candidates().count(), 12);
}
