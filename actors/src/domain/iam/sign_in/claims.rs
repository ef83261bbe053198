//! What a provider says of a person.

use serde_json::{Map, Value};

/// The longest address there is (RFC 5321: 64 + `@` + 255).
const LONGEST_EMAIL: usize = 320;
/// The longest subject (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;
/// Claims of one sign-in: they say nothing of the person, and differ every time.
const PASSING: [&str; 14] =
    ["iss", "aud", "azp", "exp", "nbf", "iat", "jti", "nonce", "at_hash", "c_hash", "s_hash", "auth_time", "sid", "rh"];
/// Claims that take more than this many bytes are not kept.
const KEPT: usize = 8 << 10;

/// What a provider says of a person: the claims of the ID token and of the userinfo endpoint, checked already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    document: Map<String, Value>,
}

impl Claims {
    /// Of a document of claims.
    pub fn new(document: Map<String, Value>) -> Self {
        Self { document }
    }

    /// Of an address alone, that the provider vouches for: for previews.
    pub fn of_email(email: &str) -> Self {
        let pairs = [("email", Value::from(email)), ("email_verified", Value::Bool(true))];
        Self::new(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Adds claims that are not there yet: what the ID token says counts.
    pub fn add(&mut self, more: Map<String, Value>) {
        for (name, value) in more {
            self.document.entry(name).or_insert(value);
        }
    }

    /// The document.
    pub fn into_document(self) -> Map<String, Value> {
        self.document
    }

    /// The person's name at the provider, which never changes and is never given to another.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub").filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_SUBJECT)
    }

    /// The address, where it is one.
    pub fn email(&self) -> Option<&str> {
        let email = self.text("email")?;
        let (local, domain) = email.rsplit_once('@')?;
        let sound = email.len() <= LONGEST_EMAIL
            && !local.is_empty()
            && !domain.is_empty()
            && !email.chars().any(|c| c.is_control() || c.is_whitespace())
            && !local.contains('@');
        sound.then_some(email)
    }

    /// The address's domain in lower case.
    pub fn domain(&self) -> Option<String> {
        Some(self.email()?.rsplit_once('@')?.1.to_ascii_lowercase())
    }

    /// Whether the provider vouches for the address. Some write the word as text.
    pub fn email_verified(&self) -> bool {
        match self.document.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// For people.
    pub fn display_name(&self) -> Option<String> {
        let name = self.text("name").or_else(|| self.text("preferred_username"))?;
        let shown: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
        let shown = shown.trim();
        (!shown.is_empty()).then(|| shown.to_owned())
    }

    /// A claim by its name, or, where there is none of this name, by a path of names with dots (`realm_access.roles`).
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Some(claim) = self.document.get(name) {
            return Some(claim);
        }
        let mut names = name.split('.');
        let first = self.document.get(names.next()?)?;
        names.try_fold(first, |at, name| at.as_object()?.get(name))
    }

    /// What is kept of them with the identity: what says something of the person, where it is not too long.
    pub fn kept(&self) -> Option<Value> {
        let lasting = self.document.iter().filter(|(name, _)| !PASSING.contains(&name.as_str()));
        let kept = Value::Object(lasting.map(|(name, value)| (name.clone(), value.clone())).collect());
        (kept.to_string().len() <= KEPT).then_some(kept)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(document: Value) -> Claims {
        Claims::new(document.as_object().unwrap().clone())
    }

    #[test]
    fn what_is_no_address_counts_as_none() {
        assert_eq!(Claims::of_email("Ann@Example.COM").domain().as_deref(), Some("example.com"));
        for bad in ["", "ann", "@example.com", "ann@", "a b@c", "ann@example.com\n", "a@b@c"] {
            assert_eq!(Claims::of_email(bad).email(), None, "{bad:?}");
        }
        assert_eq!(claims(json!({"email": 7})).email(), None);
    }

    #[test]
    fn only_a_plain_yes_vouches_for_an_address() {
        for (value, verified) in
            [(json!(true), true), (json!("true"), true), (json!("yes"), false), (json!(1), false), (Value::Null, false)]
        {
            assert_eq!(claims(json!({"email_verified": value})).email_verified(), verified, "{value}");
        }
    }

    #[test]
    fn a_claim_is_found_by_name_before_it_is_by_path() {
        let claims = claims(json!({"realm": {"roles": ["a"]}, "https://x.y/roles": ["b"], "a.b": 1, "a": {"b": 2}}));
        assert_eq!(claims.get("realm.roles"), Some(&json!(["a"])));
        assert_eq!(claims.get("https://x.y/roles"), Some(&json!(["b"])));
        assert_eq!(claims.get("a.b"), Some(&json!(1)));
        assert_eq!(claims.get("realm.none.roles"), None);
    }

    #[test]
    fn the_id_token_counts_before_what_is_added_and_passing_claims_are_not_kept() {
        let mut claims = claims(json!({"sub": "1", "nonce": "n", "email": "a@b.c"}));
        claims.add(json!({"email": "other@b.c", "groups": ["x"]}).as_object().unwrap().clone());
        assert_eq!(claims.kept(), Some(json!({"sub": "1", "email": "a@b.c", "groups": ["x"]})));
        claims.add(json!({"long": "x".repeat(KEPT)}).as_object().unwrap().clone());
        assert_eq!(claims.kept(), None);
    }
}
