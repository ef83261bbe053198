//! L2: the published view, the order of mutations, and the swap.

pub mod swap;
