//! Brings versions to their callers, step by step, and takes back what does not do.
//!
//! Invariant: what is decided is stored before its order is answered, and every decision has its reason on record. A
//! rollout that was under way when the process died goes on, or is rolled back, as its stored state says.
//!
//! ```text
//! arrival | order --> Delivery --begin--> Rollout (crate rollout: what to do)
//!                        |                   |  effects
//!                        |                   v
//!    counts of calls ----+---- driver ---> lifecycle, registry (shares, swaps)
//!                        |
//!                        '---> state (what is desired, evidence, audit), before an order is answered
//! ```
//!
//! One thread drives all rollouts of a host. It also looks at what versions fail of, and takes one out of service that
//! fails too much: the breaker. What it decides by itself it does under the name `rollout`, `breaker` or `host`.
#![forbid(unsafe_code)]

mod active;
mod arms;
mod boot;
mod breaker;
mod config;
mod delivery;
mod driver;
mod effects;
mod error;
mod event;
mod memory;
mod orders;
mod policies;
mod replay;
mod retention;
mod shadow;
mod stages;
mod status;

#[cfg(test)]
mod tests;

pub use boot::{Start, Suspect, begin};
pub use breaker::BreakerConfig;
pub use config::{DeliveryConfig, Mode, RetentionConfig};
pub use delivery::{Arrivals, Delivery, Inbox, Parts, channel};
pub use error::DeliveryError;
pub use event::DeliveryEvent;
pub use memory::Remembering;
pub use orders::{Ordered, StartOrder};
pub use policies::{Policies, PolicySource};
pub use replay::{Recorded, Recordings};
pub use retention::{Collect, Collected, Kept};
pub use stages::LeftOut;
pub use status::RolloutStatus;
