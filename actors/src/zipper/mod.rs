//! zipper.
