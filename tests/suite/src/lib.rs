//! The tests are in `tests/`; this library is empty.
#![forbid(unsafe_code)]
