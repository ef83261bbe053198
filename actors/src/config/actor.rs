//! The shell around the config in force.

use crate::Result;
use crate::config::messages::{Current, Replace};
use crate::domain::config::Loaded;
use crate::fault;
use actix::{Actor, Context, Handler};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The owner of the config.
pub(super) struct ConfigActor {
    /// Held outside the actor as well: a rebuilt owner goes on with what was in force, not with what somebody wrote into the file.
    current: Arc<ArcSwap<Loaded>>,
}

impl ConfigActor {
    pub(super) fn new(current: Arc<ArcSwap<Loaded>>) -> Self {
        Self { current }
    }
}

impl Actor for ConfigActor {
    type Context = Context<Self>;
}

impl Handler<Current> for ConfigActor {
    type Result = Result<Arc<Loaded>>;

    fn handle(&mut self, _: Current, _: &mut Self::Context) -> Self::Result {
        fault::point("config.current");
        Ok(self.current.load_full())
    }
}

impl Handler<Replace> for ConfigActor {
    type Result = Result<()>;

    fn handle(&mut self, message: Replace, _: &mut Self::Context) -> Self::Result {
        fault::point("config.replace");
        self.current.store(message.0);
        Ok(())
    }
}
