//! The watch on a booted system: when a backend is closed, and which one that came back is published.

use super::{MISSES, Watch};
use crate::ErrorKind;
use crate::boot::{self, Booted, Input};
use crate::disk::real::RealDisk;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::config::model::Config;
use crate::kernel::guardian::{Alarm, Guardian};
use crate::store::StoreHandle;
use crate::system::stores::Opener;
use crate::testing::run;
use std::path::Path;
use std::sync::Arc;

async fn booted(dir: &Path) -> Booted {
    // Without a file the place of the objects would count from the directory that the tests run in.
    std::fs::write(dir.join("config.yaml"), "storage: {filesystem: ./data}\n").unwrap();
    let input = Input {
        config: None,
        state_dir: Some(dir.to_owned()),
        environment: [("DGP_BOOTSTRAP_PASSWORD".to_owned(), "some-password-1".to_owned())].into(),
        disk: Arc::new(RealDisk),
        clock: Clock::fixed(Timestamp::from_secs(1_795_338_000)),
        server_version: "0.0.0",
        check_pair: |_, _| Ok(()),
        initialise: true,
    };
    let prepared = boot::prepare(input).unwrap_or_else(|error| panic!("{error}"));
    boot::start(prepared, &Guardian::new(Alarm::default())).await.unwrap_or_else(|error| panic!("{error}"))
}

fn the_only(booted: &Booted) -> StoreHandle {
    booted.system.view().stores.values().next().unwrap().clone()
}

#[test]
fn one_look_without_an_answer_closes_nothing_and_an_answer_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let booted = booted(dir.path()).await;
        let (store, mut watch) = (the_only(&booted), Watch::default());
        assert_eq!(store.down_reason(), None);
        let opener = || -> Opener { panic!("what stalls is not opened anew") };
        // The watch of the system itself runs on this thread, and comes to nothing before this one waits.
        for _ in 0..3 {
            watch.judge(&booted.system, &opener, &store, None).await;
            assert!(store.down_reason().is_none());
            watch.judge(&booted.system, &opener, &store, Some(Ok(()))).await;
        }
        for _ in 0..MISSES {
            watch.judge(&booted.system, &opener, &store, None).await;
        }
        assert!(store.down_reason().is_some() && store.backend_id().is_some());
        watch.judge(&booted.system, &opener, &store, Some(Ok(()))).await;
        assert!(store.down_reason().is_none());
    });
}

#[test]
fn what_came_back_is_published_only_under_the_config_and_the_id_of_now() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let booted = booted(dir.path()).await;
        let (system, store) = (&booted.system, the_only(&booted));
        assert_eq!(store.down_reason(), None);
        let config = system.view().config.clone();
        system.take_back(store.clone(), config.clone()).await.unwrap();
        let of_another_config = Arc::new(Config::clone(&config));
        let under_no_id = StoreHandle::down(store.name().clone(), "gone");
        for (store, config) in [(store.clone(), of_another_config), (under_no_id, config)] {
            let refused = system.take_back(store, config).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::RouteChanged);
        }
        assert!(the_only(&booted).down_reason().is_none());
    });
}
