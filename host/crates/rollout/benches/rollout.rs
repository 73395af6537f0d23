//! What the decisions cost that calls and checks wait for.

fn main() {}
