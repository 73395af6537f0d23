//! The conductor: one task drives each artifact from file event to unload.
#![forbid(unsafe_code)]
