//! What a host remembers of its runs, in SQLite.
#![forbid(unsafe_code)]
