//! The HTTP API: routes, extraction, status codes. No decisions.
#![forbid(unsafe_code)]
