//! How `system` and `backup` reach the owner of the config.

use crate::Result;
use crate::config::actor::ConfigActor;
use crate::config::messages::{Current, Replace};
use crate::domain::config::Loaded;
use crate::kernel::guardian::Guardian;
use crate::kernel::owner::{Intent, OwnerRef};
use actix::Actor;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The owner of the config.
#[derive(Clone, Debug)]
pub struct ConfigHandle {
    owner: OwnerRef<ConfigActor>,
}

impl ConfigHandle {
    /// Starts the owner with the config that start has loaded.
    pub async fn start(loaded: Arc<Loaded>, guardian: &Guardian) -> Result<Self> {
        let owner = OwnerRef::new("config", 64, guardian.alarm());
        let (current, arbiter) = (Arc::new(ArcSwap::new(loaded)), actix::Arbiter::new());
        guardian
            .watch(&owner, move || {
                let (current, arbiter) = (current.clone(), arbiter.handle());
                Box::pin(async move { Ok(ConfigActor::start_in_arbiter(&arbiter, move |_| ConfigActor::new(current))) })
            })
            .await?;
        Ok(Self { owner })
    }

    /// The config in force, with its file and origins.
    pub async fn current(&self) -> Result<Arc<Loaded>> {
        self.owner.ask(Intent::Read, Current).await
    }

    /// Takes the config whose file a swap has put in place.
    pub async fn replace(&self, loaded: Arc<Loaded>) -> Result<()> {
        self.owner.ask(Intent::Change, Replace(loaded)).await
    }
}
