//! The Full Backup: its four parts, their versions, and the rules by which one becomes the next state.
