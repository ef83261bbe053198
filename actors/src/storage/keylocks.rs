//! Commits to one key, in order; commits to different keys, side by side.
