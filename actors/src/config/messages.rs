//! What `system` may ask of the owner of the config.

use crate::Result;
use crate::domain::config::Loaded;
use actix::Message;
use std::sync::Arc;

/// The config in force.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Loaded>>")]
pub struct Current;

/// Takes the config whose file a swap has put in place.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Replace(pub Arc<Loaded>);
