//! Whether a signature is of our time.

use super::claim::Claim;
use super::refusal::Refusal;
use actors::domain::clock::Timestamp;
use std::time::Duration;

/// Header form: within `skew` of now. Presigned: not from further ahead than `skew`, and not past its life.
pub(super) fn check(claim: &Claim, now: Timestamp, skew: Duration) -> Result<(), Refusal> {
    let requested = claim.timestamp.1;
    let skewed = Refusal::Skewed { requested, now, allowed: skew };
    if requested.since(now) > skew {
        return Err(skewed);
    }
    match claim.expires {
        None if now.since(requested) > skew => Err(skewed),
        Some(life) if now >= requested.after(life) => Err(Refusal::Expired { expired: requested.after(life), now }),
        _ => Ok(()),
    }
}
