//! The job from end to end on a booted system, with a clock that only these tests move.

use crate::backup::messages::RestoreRequest;
use crate::boot::{self, Booted, Input};
use crate::db::runtime::{AuditFilter, AuditRow};
use crate::disk::real::RealDisk;
use crate::domain::change::StateChange;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::kernel::guardian::{Alarm, Guardian};
use crate::testing::run;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);
const NIGHTLY: &str = "backup: {schedule: \"0 2 * * *\", to: {directory: ./backups}, keep: {last: 2}}\n";

/// A system in a directory of its own, booted without a port.
struct Bench {
    dir: TempDir,
    clock: Clock,
}

impl Bench {
    /// With this config; it is 2026-11-22, 09:00.
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.yaml"), config).unwrap();
        Self { dir, clock: Clock::fixed(Timestamp::from_secs(1_795_338_000)) }
    }

    async fn boot(&self) -> Booted {
        let input = Input {
            config: None,
            state_dir: Some(self.dir.path().to_owned()),
            environment: [("DGP_BOOTSTRAP_PASSWORD".to_owned(), "some-password-1".to_owned())].into(),
            disk: Arc::new(RealDisk),
            clock: self.clock.clone(),
            server_version: "0.0.0",
            check_pair: |_, _| Ok(()),
            initialise: true,
        };
        let prepared = boot::prepare(input).unwrap_or_else(|error| panic!("{error}"));
        boot::start(prepared, &Guardian::new(Alarm::default())).await.unwrap_or_else(|error| panic!("{error}"))
    }

    fn backups(&self) -> Vec<String> {
        names(&self.dir.path().join("backups"))
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn rows(booted: &Booted) -> crate::Result<Vec<AuditRow>> {
    booted.audit.page(AuditFilter::default(), None, 10).await
}

async fn change(booted: &Booted) {
    let put = StateChange::PutSecret { name: "s".into(), value: Secret::new(booted.system.view().version()) };
    booted.system.mutate(put).await.unwrap();
}

#[test]
fn a_nightly_backup_is_stored_verified_and_kept_as_the_config_says() {
    run(async {
        let bench = Bench::new(NIGHTLY);
        let booted = bench.boot().await;
        booted.backup.tick().await.unwrap();
        assert!(bench.backups().is_empty(), "the schedule counts from now on");
        for night in 1..=4 {
            bench.clock.advance(DAY);
            booted.backup.tick().await.unwrap();
            booted.backup.tick().await.unwrap();
            let stored = booted.backup.stored().await.unwrap();
            assert_eq!(stored.len(), night.min(2), "two are kept");
            assert!(stored[0].verified_at.is_some() && stored[0].last_verified && stored[0].own);
            assert_eq!(stored[0].trigger.as_deref(), Some("schedule"));
            assert_eq!(stored[0].at, bench.clock.now());
        }
        assert_eq!(bench.backups().len(), 2);
        let standing = booted.backup.standing();
        assert_eq!((standing.failures, standing.running), (0, false));
        assert_eq!(standing.last_success.unwrap().at, bench.clock.now());
        let actions: Vec<String> = rows(&booted).await.unwrap().into_iter().map(|row| row.action).collect();
        assert_eq!(actions.iter().filter(|action| *action == "backup.store").count(), 4);
        assert_eq!(actions.iter().filter(|action| *action == "backup.prune").count(), 2);
    });
}

#[test]
fn a_missed_night_is_made_up_for_once_after_a_restart() {
    let bench = Bench::new(NIGHTLY);
    run(async {
        let booted = bench.boot().await;
        booted.backup.tick().await.unwrap();
    });
    bench.clock.advance(DAY * 9);
    run(async {
        let booted = bench.boot().await;
        for _ in 0..3 {
            booted.backup.tick().await.unwrap();
        }
        assert_eq!(bench.backups().len(), 1);
    });
}

#[test]
fn changes_that_rest_are_stored_and_what_is_stored_is_not_stored_again() {
    run(async {
        let bench = Bench::new("backup: {on_change: 10m, to: {directory: ./backups}}\n");
        let booted = bench.boot().await;
        let look = async |minutes: u64| {
            bench.clock.advance(Duration::from_secs(60 * minutes));
            booted.backup.tick().await.unwrap();
            bench.backups().len()
        };
        assert_eq!((look(0).await, look(10).await), (0, 1), "the first state is a change, too");
        assert_eq!(look(60).await, 1);
        change(&booted).await;
        assert_eq!(look(1).await, 1);
        change(&booted).await;
        assert_eq!((look(9).await, look(9).await, look(1).await), (1, 1, 2));
    });
}

#[test]
fn a_failed_run_is_seen_tried_again_and_stores_nothing_in_part() {
    run(async {
        let bench = Bench::new(NIGHTLY);
        std::fs::write(bench.dir.path().join("backups"), "in the way").unwrap();
        let booted = bench.boot().await;
        booted.backup.tick().await.unwrap();
        bench.clock.advance(DAY);
        for failures in 1..=2 {
            booted.backup.tick().await.unwrap();
            booted.backup.tick().await.unwrap();
            let standing = booted.backup.standing();
            assert_eq!((standing.failures, standing.failed_total), (failures, failures));
            assert_eq!(standing.last_failure.unwrap().code, "backup_destination_unusable");
            bench.clock.advance(Duration::from_secs(600));
        }
        std::fs::remove_file(bench.dir.path().join("backups")).unwrap();
        booted.backup.tick().await.unwrap();
        assert_eq!((bench.backups().len(), booted.backup.standing().failures), (1, 0));
        let row = &rows(&booted).await.unwrap()[1];
        assert_eq!(
            (row.action.as_str(), row.outcome.as_str(), row.actor.as_str()),
            ("backup.store", "failed", "$schedule")
        );
    });
}

#[test]
fn a_bucket_takes_backups_too() {
    run(async {
        let bench =
            Bench::new("backup: {to: {bucket: ops, prefix: dgp}, plaintext_in_bucket: true, keep: {last: 1}}\n");
        let booted = bench.boot().await;
        let missing = booted.backup.store("ann".into()).await.unwrap_err();
        assert_eq!(missing.code(), Some("backup_destination_unusable"));
        booted.system.create_bucket("$bootstrap", &BucketName::new("ops").unwrap(), None).await.unwrap();
        let first = booted.backup.store("ann".into()).await.unwrap();
        assert!(first.verified_at.is_some());
        assert_eq!((first.actor.as_deref(), first.trigger.as_deref()), (Some("ann"), Some("request")));
        // Within the same second the name is taken.
        let second = booted.backup.store("ann".into()).await.unwrap();
        assert!(second.id.ends_with("Z_2.zip"), "{}", second.id);
        let ids: Vec<String> = booted.backup.stored().await.unwrap().into_iter().map(|stored| stored.id).collect();
        assert_eq!(ids, std::slice::from_ref(&second.id), "one is kept");
        let bytes = booted.backup.fetch_stored(&second.id).await.unwrap();
        assert!(bytes.head(2).starts_with(b"PK"));
        assert!(bench.dir.path().join("data/ops/dgp").join(&second.id).is_file());
        assert_eq!(
            booted.backup.delete_stored(&second.id, false).await.unwrap_err().code(),
            Some("last_verified_backup")
        );
        booted.backup.delete_stored(&second.id, true).await.unwrap();
        assert_eq!(booted.backup.delete_stored(&second.id, true).await.unwrap_err().code(), Some("no_such_backup"));
    });
}

#[test]
fn what_is_damaged_or_planted_is_not_restored() {
    run(async {
        let (here, other) = (Bench::new(NIGHTLY), Bench::new(NIGHTLY));
        let (booted, elsewhere) = (here.boot().await, other.boot().await);
        let id = booted.backup.store("ann".into()).await.unwrap().id;
        let path = here.dir.path().join("backups").join(&id);
        let plan = async |id: &str| {
            let archive = booted.backup.fetch_stored(id).await.unwrap();
            booted
                .backup
                .restore_stored(id, RestoreRequest { archive, dry_run: true, ..RestoreRequest::default() })
                .await
        };
        assert_eq!(plan(&id).await.unwrap()["restored"], false);

        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(booted.backup.check_stored(&id).await.unwrap_err().code(), Some("stored_backup_damaged"));
        let stored = &booted.backup.stored().await.unwrap()[0];
        assert!(stored.verified_at.is_none() && stored.verify_error.is_some() && !stored.last_verified);
        std::fs::write(&path, whole).unwrap();
        assert!(booted.backup.check_stored(&id).await.unwrap().last_verified);

        // One that somebody else made is whole, and nobody vouches for it.
        other.clock.advance(DAY);
        let planted = elsewhere.backup.store("eve".into()).await.unwrap().id;
        let to = here.dir.path().join("backups").join(&planted);
        std::fs::copy(other.dir.path().join("backups").join(&planted), to).unwrap();
        assert!(!booted.backup.check_stored(&planted).await.unwrap().own);
        let refused = plan(&planted).await.unwrap_err();
        assert_eq!(refused.code(), Some("untrusted_backup"));
        let signer = refused.message().split("signed by ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
        booted.system.mutate(StateChange::TrustSigner { signer: signer.to_owned() }).await.unwrap();
        assert!(plan(&planted).await.is_ok());
        // Nor is it for our rules to remove.
        assert!(booted.backup.stored().await.unwrap().iter().all(|stored| !stored.expires));
        assert_eq!(booted.backup.fetch_stored("../config.yaml").await.unwrap_err().code(), Some("no_such_backup"));
    });
}

#[test]
fn a_backup_to_recipients_is_stored_in_an_envelope_that_only_they_open() {
    use crate::zipper::Source;
    use crate::zipper::envelope::{Key, is_sealed, unlock};
    use age::secrecy::ExposeSecret;
    run(async {
        let identity = age::x25519::Identity::generate();
        let bench = Bench::new(&format!("backup: {{to: {{bucket: ops}}, recipients: [{}]}}\n", identity.to_public()));
        let identity = Key::Identity(Secret::new(identity.to_string().expose_secret()));
        let booted = bench.boot().await;
        booted.system.create_bucket("$bootstrap", &BucketName::new("ops").unwrap(), None).await.unwrap();
        let stored = booted.backup.store("ann".into()).await.unwrap();
        assert!(stored.encrypted && stored.id.ends_with(".zip.age") && stored.verified_at.is_some());
        let sealed = booted.backup.fetch_stored(&stored.id).await.unwrap();
        assert!(is_sealed(&sealed));
        let opened = unlock(&sealed, &identity).unwrap().read(1 << 30).unwrap();
        let request = |archive: Source| RestoreRequest { archive, dry_run: true, ..RestoreRequest::default() };
        assert!(booted.backup.restore_stored(&stored.id, request(opened.into())).await.is_ok());
        assert!(booted.backup.restore_stored(&stored.id, request(sealed)).await.is_err());
    });
}
