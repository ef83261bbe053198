//! The fence around a swap, bound to the life of whoever raised it.

use crate::Result;
use crate::backup::handle::Tools;

/// The fence of a restore, lifted when the restore ends in whatever way.
pub(super) struct Fenced<'a> {
    tools: &'a Tools,
    restore_id: &'a str,
}

impl<'a> Fenced<'a> {
    /// Raises it on the version that the plan was made on.
    pub(super) async fn raise(tools: &'a Tools, restore_id: &'a str, version: &str) -> Result<Self> {
        let fence = Self { tools, restore_id };
        tools.system.fence(restore_id, version).await?;
        Ok(fence)
    }

    /// The swap has lifted it; once more does no harm.
    pub(super) fn done(self) {}
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        self.tools.system.lift_fence(self.restore_id);
    }
}

#[cfg(test)]
mod tests {
    use crate::ErrorKind;
    use crate::boot::{self, Input};
    use crate::disk::real::RealDisk;
    use crate::domain::change::StateChange;
    use crate::domain::clock::{Clock, Timestamp};
    use crate::domain::names::BucketName;
    use crate::domain::secret::Secret;
    use crate::kernel::guardian::{Alarm, Guardian};
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn under_a_fence_mutations_are_refused_buckets_wait_and_a_second_fence_is_not_raised() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::fixed(Timestamp::from_secs(1_795_338_000)));
        let input = Input {
            config: None,
            state_dir: Some(dir.path().to_owned()),
            environment: [
                ("DGP_BOOTSTRAP_PASSWORD".to_owned(), "some-password-1".to_owned()),
                ("DGP_DATA_DIR".to_owned(), dir.path().join("data").display().to_string()),
            ]
            .into(),
            disk: Arc::new(RealDisk),
            clock: clock.clone(),
            server_version: "0.0.0",
            check_pair: |_, _| Ok(()),
            initialise: true,
        };
        crate::testing::run(async {
            let prepared = boot::prepare(input).unwrap();
            let system = boot::start(prepared, &Guardian::new(Alarm::default())).await.unwrap().system;
            let change = || system.mutate(StateChange::PutSecret { name: "s".into(), value: Secret::new("v") });
            assert_eq!(system.fence("r0", "9.9").await.unwrap_err().kind(), ErrorKind::StaleGeneration);
            system.fence("r1", &system.view().version()).await.unwrap();
            let refused = change().await.unwrap_err();
            assert_eq!((refused.kind(), refused.code()), (ErrorKind::RestoreInProgress, Some("restore_in_progress")));
            assert!(refused.hint().unwrap().contains("r1"));
            let second = system.fence("r2", &system.view().version()).await.unwrap_err();
            assert_eq!(second.code(), Some("restore_in_progress"));
            system.lift_fence("r2");
            change().await.expect_err("whoever does not hold it does not lift it");

            let (waiting, name) = (system.clone(), BucketName::new("photos").unwrap());
            let made = actix_rt::spawn(async move { waiting.create_bucket("u", &name, None).await });
            tokio::task::yield_now().await;
            assert!(!made.is_finished() && system.view().state.buckets.is_empty());
            system.lift_fence("r1");
            made.await.unwrap().unwrap();
            change().await.unwrap();

            // Who broke off without lifting it holds nobody up for ever.
            system.fence("r3", &system.view().version()).await.unwrap();
            clock.advance(Duration::from_secs(601));
            change().await.unwrap();
        });
    }
}
