//! rate-limiter nodes.
#![forbid(unsafe_code)]
