//! Runs plans: joins, ports, retries, recovery, loops.
#![forbid(unsafe_code)]
