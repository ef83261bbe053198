//! How the edge reaches the owner of sessions.

use crate::domain::clock::Clock;
use crate::domain::iam::principal::Principal;
use crate::domain::secret::Secret;
use crate::domain::session::{Proof, Session, token_sha256};
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use crate::session::actor::SessionActor;
use crate::session::messages::{BeginLogin, Find, List, Open, Revoke, RevokeAll, TakeLogin};
use crate::session::pending::PendingLogin;
use crate::state_db::handle::StateDbHandle;
use crate::{Error, Result};
use actix::Actor;
use std::time::Duration;

/// The owner of sessions.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    owner: OwnerRef<SessionActor>,
    db: StateDbHandle,
    clock: Clock,
}

/// What a new session is bound to.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who signed in.
    pub principal: Principal,
    /// With what.
    pub proof: Proof,
    /// From where.
    pub ip: String,
    /// With which program.
    pub user_agent: String,
    /// The view's `auth_epoch`.
    pub auth_epoch: u64,
    /// The principal's `credential_version` in the same view.
    pub credential_version: u64,
    /// It ends this long after now, used or not.
    pub lifetime: Duration,
}

impl SessionHandle {
    /// Starts the owner; it reads the stored sessions, now and whenever it is rebuilt.
    pub async fn start(db: StateDbHandle, clock: Clock, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("session", 256, guardian.alarm());
        let (arbiter, shared, own) = (actix::Arbiter::new(), clock.clone(), db.clone());
        guardian
            .watch(&owner, move || {
                let (db, clock, arbiter) = (db.clone(), shared.clone(), arbiter.handle());
                Box::pin(async move {
                    let stored = SessionActor::stored(&db).await?;
                    Ok(SessionActor::start_in_arbiter(&arbiter, move |_| SessionActor::new(stored, db, clock)))
                })
            })
            .await?;
        Ok(Self { owner, db: own, clock })
    }

    /// Opens a session. The token is for the cookie: 64 hex digits, kept nowhere else.
    pub async fn open(&self, opening: Opening) -> Result<(Secret, Session)> {
        let token = random_token()?;
        let now = self.clock.now();
        let session = Session {
            sha256: token_sha256(&token),
            principal: opening.principal,
            proof: opening.proof,
            created_at: now,
            auth_time: now,
            last_seen: now,
            expires_at: now.after(opening.lifetime),
            auth_epoch: opening.auth_epoch,
            credential_version: opening.credential_version,
            ip: opening.ip,
            user_agent: opening.user_agent,
        };
        self.owner.ask(Intent::Change, Open(Box::new(session.clone()))).await?;
        if let Principal::User(id) = &session.principal {
            self.db.note_sign_in(id, now);
        }
        Ok((Secret::new(token), session))
    }

    /// The session of a token, where it has neither expired nor gone unused for `idle`. Whether it is still good under the view
    /// is [`Session::valid`]'s to say.
    pub async fn find(&self, token: &str, idle: Duration) -> Result<Option<Session>> {
        self.owner.ask(Intent::Read, Find { sha256: token_sha256(token), idle }).await
    }

    /// Remembers a sign-in that goes to a provider.
    pub async fn begin_login(&self, login: PendingLogin) -> Result<()> {
        self.owner.ask(Intent::Read, BeginLogin(Box::new(login))).await
    }

    /// Takes out the sign-in of this state; there is none where it is unknown, late, or was taken before.
    pub async fn take_login(&self, state_sha256: &str) -> Result<Option<PendingLogin>> {
        self.owner.ask(Intent::Read, TakeLogin(state_sha256.to_owned())).await
    }

    /// All sessions, the latest first.
    pub async fn list(&self) -> Result<Vec<Session>> {
        self.owner.ask(Intent::Read, List).await
    }

    /// Ends one session; answers whether there was one.
    pub async fn revoke(&self, id: &str) -> Result<bool> {
        self.owner.ask(Intent::Change, Revoke(id.to_owned())).await
    }

    /// Ends these sessions; answers how many of them were there still.
    pub async fn revoke_all<'a>(&self, sessions: impl IntoIterator<Item = &'a Session>) -> Result<usize> {
        let hashes: Vec<String> = sessions.into_iter().map(|session| session.sha256.clone()).collect();
        match hashes.is_empty() {
            true => Ok(0),
            false => self.owner.ask(Intent::Change, RevokeAll(hashes)).await,
        }
    }
}

fn random_token() -> Result<String> {
    let mut bytes = [0; 32];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| Error::internal("open session", error))?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::key::DbKey;
    use crate::db::runtime;
    use crate::domain::clock::Timestamp;
    use crate::kernel::guardian::Alarm;
    use std::path::Path;

    const IDLE: Duration = Duration::from_secs(600);

    async fn start(dir: &Path, clock: &Clock) -> SessionHandle {
        let guardian = Guardian::new(Alarm::default());
        let path = dir.join("state.db");
        let open = move || runtime::open(&path, &DbKey::of_state_db(&[7; 32]));
        let db = StateDbHandle::start(open, &guardian).await.unwrap();
        SessionHandle::start(db, clock.clone(), &guardian).await.unwrap()
    }

    fn opening(principal: Principal) -> Opening {
        Opening {
            principal,
            proof: Proof::Password,
            ip: "127.0.0.1".into(),
            user_agent: "curl".into(),
            auth_epoch: 3,
            credential_version: 1,
            lifetime: Duration::from_secs(3600),
        }
    }

    #[test]
    fn sessions_survive_a_restart_and_revocations_too() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1000));
        crate::testing::run(async {
            let handle = start(dir.path(), &clock).await;
            let (token, session) = handle.open(opening(Principal::Bootstrap)).await.unwrap();
            let (other, _) = handle.open(opening(Principal::User("u1".into()))).await.unwrap();
            assert_eq!((token.expose().len(), session.id().len()), (64, 12));
            assert_eq!(session.expires_at, Timestamp::from_secs(4600));
            assert_eq!(handle.find(token.expose(), IDLE).await.unwrap(), Some(session.clone()));
            assert_eq!(handle.find("guess", IDLE).await.unwrap(), None);

            let handle = start(dir.path(), &clock).await;
            assert_eq!(handle.find(token.expose(), IDLE).await.unwrap(), Some(session.clone()));
            assert_eq!(handle.list().await.unwrap().len(), 2);
            assert!(handle.revoke(session.id()).await.unwrap());
            assert!(!handle.revoke(session.id()).await.unwrap());
            assert_eq!(handle.find(token.expose(), IDLE).await.unwrap(), None);
            assert!(handle.find(other.expose(), IDLE).await.unwrap().is_some());
            assert_eq!(handle.revoke_all(&handle.list().await.unwrap()).await.unwrap(), 1);

            let handle = start(dir.path(), &clock).await;
            assert!(handle.list().await.unwrap().is_empty());
        });
    }
}
