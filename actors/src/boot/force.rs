//! Which bootstrap hash is in force, and what start must do about it (`backup.md` §6). Pure over [`Database`].

use crate::Result;
use crate::db::password::PasswordHash;
use crate::domain::secret::Secret;
use crate::domain::state::State;

/// What the host says about the bootstrap password.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// From environment or config.
    pub(super) pinned: Option<PasswordHash>,
    /// From `.deltaglider_bootstrap_hash`.
    pub(super) file: Option<PasswordHash>,
    /// From `DGP_BOOTSTRAP_PASSWORD` or its file.
    pub(super) password: Option<Secret>,
}

/// The database as start finds it.
pub(super) trait Database {
    /// Whether there is one.
    fn exists(&self) -> bool;
    /// Its state, if this hash opens it. What is damaged or newer than this program is an error.
    fn open(&self, hash: &PasswordHash) -> Result<Option<State>>;
    /// The hash that this password makes with the salt in its header, and the state if that opens it.
    fn open_with_password(&self, password: &Secret) -> Result<(PasswordHash, Option<State>)>;
}

/// What start does.
#[derive(Debug)]
pub(super) enum Force {
    /// The database opens. `write_file`: the hash file lacks this hash or holds another.
    Open { hash: PasswordHash, state: Box<State>, write_file: bool },
    /// The operator changed the pinned hash: the database goes over to it.
    Rekey { to: PasswordHash, state: Box<State> },
    /// There is no database: a new one under this hash.
    Fresh { hash: PasswordHash },
    /// There is neither database nor hash nor password: a new one of each.
    Generate,
    /// No hash opens the database. Nothing is touched.
    Locked { hash: Option<PasswordHash> },
}

/// Decides: pinned, then file, then password with the header's salt, then a new one where there is neither hash nor database.
pub(super) fn decide(evidence: Evidence, database: &dyn Database) -> Result<Force> {
    let Evidence { pinned, file, password } = evidence;
    if !database.exists() {
        return Ok(match pinned.or(file) {
            Some(hash) => Force::Fresh { hash },
            None => match password {
                Some(password) => Force::Fresh { hash: PasswordHash::make(password.expose())? },
                None => Force::Generate,
            },
        });
    }
    if let Some(pinned) = pinned {
        if let Some(state) = database.open(&pinned)? {
            let write_file = file.as_ref() != Some(&pinned);
            return Ok(Force::Open { hash: pinned, state: Box::new(state), write_file });
        }
        if let Some(state) = file.map(|file| database.open(&file)).transpose()?.flatten() {
            return Ok(Force::Rekey { to: pinned, state: Box::new(state) });
        }
        return Ok(Force::Locked { hash: Some(pinned) });
    }
    if let Some(file) = file {
        return Ok(match database.open(&file)? {
            Some(state) => Force::Open { hash: file, state: Box::new(state), write_file: false },
            None => Force::Locked { hash: Some(file) },
        });
    }
    let Some(password) = password else { return Ok(Force::Locked { hash: None }) };
    Ok(match database.open_with_password(&password)? {
        (hash, Some(state)) => Force::Open { hash, state: Box::new(state), write_file: true },
        (hash, None) => Force::Locked { hash: Some(hash) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that one password's hash opens.
    struct Fake {
        opens: Option<PasswordHash>,
    }

    impl Database for Fake {
        fn exists(&self) -> bool {
            self.opens.is_some()
        }
        fn open(&self, hash: &PasswordHash) -> Result<Option<State>> {
            Ok((self.opens.as_ref() == Some(hash)).then(State::default))
        }
        fn open_with_password(&self, password: &Secret) -> Result<(PasswordHash, Option<State>)> {
            let hash = self.opens.clone().unwrap();
            let opened = hash.verify(password.expose()).then(State::default);
            Ok((hash, opened))
        }
    }

    fn hash(password: &str) -> PasswordHash {
        PasswordHash::make(password).unwrap()
    }

    #[test]
    fn a_pinned_hash_wins_and_the_database_follows_it() {
        let (old, new) = (hash("old"), hash("new"));
        let db = Fake { opens: Some(old.clone()) };
        let evidence = Evidence { pinned: Some(new.clone()), file: Some(old), password: None };
        assert!(matches!(decide(evidence, &db).unwrap(), Force::Rekey { to, .. } if to == new));
        let evidence = Evidence { pinned: Some(new.clone()), file: None, password: None };
        assert!(matches!(decide(evidence, &db).unwrap(), Force::Locked { hash: Some(h) } if h == new));
    }

    #[test]
    fn beside_a_database_nothing_is_ever_generated() {
        let db = Fake { opens: Some(hash("old")) };
        assert!(matches!(decide(Evidence::default(), &db).unwrap(), Force::Locked { hash: None }));
        assert!(matches!(decide(Evidence::default(), &Fake { opens: None }).unwrap(), Force::Generate));
    }

    #[test]
    fn a_copied_database_opens_with_the_password_or_with_the_hash() {
        let db = Fake { opens: Some(hash("old")) };
        let with = |password: &str| Evidence { password: Some(Secret::new(password)), ..Evidence::default() };
        assert!(matches!(decide(with("old"), &db).unwrap(), Force::Open { write_file: true, .. }));
        assert!(matches!(decide(with("wrong"), &db).unwrap(), Force::Locked { .. }));
        let pinned = Evidence { pinned: db.opens.clone(), ..Evidence::default() };
        assert!(matches!(decide(pinned, &db).unwrap(), Force::Open { write_file: true, .. }));
    }

    #[test]
    fn without_a_database_the_host_says_which_password_it_has() {
        let none = Fake { opens: None };
        let file = hash("file");
        let evidence = Evidence { file: Some(file.clone()), password: Some(Secret::new("other")), pinned: None };
        assert!(matches!(decide(evidence, &none).unwrap(), Force::Fresh { hash } if hash == file));
    }
}
