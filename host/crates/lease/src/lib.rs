//! Invariant: once a [`Gate`] has shown itself [`Idle`], no call is inside the version behind it, and none
//! will ever be.
//!
//! ```text
//! open --close()--> closed, calls inside --the last call returns--> closed and idle (for ever)
//! ```
//!
//! A call [enters](Gate::enter) the gate of the version that it is about to run and holds the [`Pass`] until it
//! has returned. Whoever wants the version gone closes the gate and asks for [`Idle`] until it is given; only
//! then may the code be unmapped. A closed gate never opens again: a version that comes back is loaded anew and
//! has a new gate.
//!
//! # Shards
//!
//! A gate is entered on every call from every core, so one counter would be one contended cache line. Each
//! gate has a power of two of shards, each on its own cache line, and each thread keeps to one of them. A shard
//! has two counters that only ever grow, `started` and `finished`; a pass finishes on the shard it started on,
//! whichever thread drops it.
//!
//! # Why it is right
//!
//! The operations, with `S` the one total order of all sequentially consistent operations:
//!
//! ```text
//! enter   A: started += 1 (SeqCst)   B: read closed (SeqCst); when true, leave at once
//! leave   L: finished += 1 (Release)
//! close   C: closed = true (SeqCst)
//! idle    D: read closed (SeqCst), must be true; then for each shard
//!         E: f = read finished (Acquire)   F: s = read started (SeqCst);   f must equal s
//! ```
//!
//! *No admitted call is overlooked.* A call is admitted when `B` reads false. Then `B` comes before `C` in `S`
//! (it read the value that `C` overwrote), and `A` before `B`, being sequenced before it. `D` read true, so `C`
//! comes before `D` in `S`, and `D` before `F`. Hence `A` comes before `F` in `S`, and `F`, reading the same
//! counter, counts it. A call that `F` does not count has its `A` after `F` in `S`, therefore its `B` after
//! `C`: it reads true and is refused. Refused calls tick both counters and touch nothing else.
//!
//! *Equal means empty.* All writes to `finished` are read-modify-writes with release order, so they form one
//! release sequence, and `E`, an acquire read of the value `f`, synchronises with all of the first `f` of them.
//! Each was sequenced after the `A` of its own call, so those `f` starts happen before `F` and are among the `s`
//! that `F` counts. `s == f` leaves no start without its finish among the `f`. Since every admitted call is
//! among the `s`, every admitted call of this shard has finished. Reading `finished` first is what makes this
//! hold: a call that begins between the two reads can only make `s` the larger.
//!
//! *What a call did happens before what follows `idle`.* A call's work is sequenced before its `L`, and `L`
//! synchronises with `E`. Unmapping after [`Gate::idle`] therefore cannot be reordered into a call's work.
//!
//! *It stays so.* The shards are read one after another, but each argument above speaks of all admitted calls
//! of its shard, past and future; a shard found empty after the close can only see refused calls.
//!
//! *[Renewed](OwnedPass::renew) passes* skip `B`: a run that holds a pass may call even after the close. Such
//! a pass borrows the pass it was made from, so it has left before that one leaves; when `idle` has seen the
//! finish of the outer pass, the inner one, its shard notwithstanding, had finished before.
//!
//! *[Extended](Pass::extend) passes* skip `B` as well and may outlive the pass they were made from, so they start on
//! that pass's own shard: their `A` is sequenced before the outer `L`. An `E` that counts that `L` synchronises with
//! it, so `F`, which comes after, counts the extended `A`, and `f == s` says that its finish is there as well. An `E`
//! that does not count the outer `L` finds the outer start unmatched.
//!
//! The models in `src/models.rs` check these claims under loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p patchbay-lease --release --target-dir target/loom`.
#![forbid(unsafe_code)]

mod gate;
#[cfg(all(test, loom))]
mod models;
mod pass;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;

pub use gate::Gate;
pub use pass::{Idle, OwnedPass, Pass};
