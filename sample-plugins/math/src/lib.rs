//! math nodes.
#![forbid(unsafe_code)]
