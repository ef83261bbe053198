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
