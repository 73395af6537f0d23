//! What a durable change costs.
#![forbid(unsafe_code)]

fn main() {}
