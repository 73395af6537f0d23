//! Orders given while two threads call: how soon a call sees what was ordered, and whether one fails or is answered by
//! what should be gone.
//!
//! An order is answered when the disk has it, long after calls go the new way. So it is the callers who say when they first
//! got the new answer, and from then on every call that begins has to get it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use patchbay::{Call, Node, Output, Patchbay, RevisionNumber, TenantId, Value};

use super::BenchError;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What is ordered again and again.
pub(crate) trait Orders {
    /// Makes the host ready for the next order, and says who answers after it.
    fn prepare(&mut self, turn: u32) -> Result<RevisionNumber, BenchError>;
    /// Orders it.
    fn order(&mut self, turn: u32) -> Result<(), BenchError>;
    /// What comes after it, and is not timed.
    fn settle(&mut self) -> Result<(), BenchError> {
        Ok(())
    }
}

/// What callers saw of orders.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// From each order until a caller had the new answer, in microseconds.
    pub(crate) micros: Vec<f64>,
    /// From each order until it was answered.
    pub(crate) acknowledged: Vec<f64>,
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    /// Calls that began after somebody had had the new answer, and got the old one.
    pub(crate) stale: u64,
}

/// Nobody has seen what was ordered.
const AWAITED: u64 = 1 << 63;
/// Nobody is asked who answers.
const NOBODY: u64 = 0xffff;

/// How many orders there have been, whether the last one is still awaited, and who answers after it, in one word.
struct Word(AtomicU64);

impl Word {
    fn await_next(&self, turn: u32, answering: u64) {
        let count = u64::from(turn + 1) << 16;
        self.0.store(count | AWAITED | answering, Ordering::SeqCst);
    }
}

/// Gives `orders` one after the other while two threads call `node`.
pub(crate) fn watch(
    host: &Patchbay,
    node: &str,
    count: u32,
    orders: &mut dyn Orders,
) -> Result<Seen, BenchError> {
    let node = host.resolve(node).map_err(BenchError::new)?;
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let call = Call::of(tenant);
    let input = Value::from_json("{}").map_err(BenchError::new)?;
    let word = Word(AtomicU64::new(AWAITED | NOBODY));
    let (origin, stop, seen_at) = (Instant::now(), AtomicBool::new(false), AtomicU64::new(0));
    let nanos = || u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let counts = [const { AtomicU64::new(0) }; 3];
    let mut seen = Seen::default();
    let done = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                call_until(&stop, &node, &call, &input, &word, &counts, &|| {
                    seen_at.store(nanos(), Ordering::SeqCst);
                });
            });
        }
        let ordered = (|| {
            for turn in 0..count {
                word.await_next(turn, NOBODY);
                let answering = orders.prepare(turn)?;
                seen_at.store(0, Ordering::SeqCst);
                word.await_next(turn, answering.0 & 0xffff);
                let begun = nanos();
                orders.order(turn)?;
                seen.acknowledged.push((nanos() - begun) as f64 / 1e3);
                let at = await_seen(&seen_at)?;
                seen.micros.push(at.saturating_sub(begun) as f64 / 1e3);
                orders.settle()?;
            }
            Ok(())
        })();
        stop.store(true, Ordering::Relaxed);
        ordered
    });
    let [calls, failed, stale] = counts.map(AtomicU64::into_inner);
    done.map(|()| Seen {
        calls,
        failed,
        stale,
        ..seen
    })
}

fn call_until(
    stop: &AtomicBool,
    node: &Node,
    call: &Call,
    input: &Value,
    word: &Word,
    [calls, failed, stale]: &[AtomicU64; 3],
    tell: &dyn Fn(),
) {
    let mut out = Output::with_limit(1 << 20);
    while !stop.load(Ordering::Relaxed) {
        let before = word.0.load(Ordering::SeqCst);
        let answer = node.call(input.as_ref(), call, &mut out).map(|(_, from)| from);
        let after = word.0.load(Ordering::SeqCst);
        calls.fetch_add(1, Ordering::Relaxed);
        match answer {
            Err(_) => _ = failed.fetch_add(1, Ordering::Relaxed),
            // One that began before it was ordered may have the answer of an earlier order.
            Ok(from) if after & AWAITED != 0 => {
                let found = before == after && from.0 == after & 0xffff;
                let settled = after & !AWAITED;
                // The first of the two callers tells.
                if found
                    && word
                        .0
                        .compare_exchange(after, settled, Ordering::SeqCst, Ordering::SeqCst)
                        .is_ok()
                {
                    tell();
                }
            }
            Ok(from) if before == after && from.0 != after & 0xffff => {
                stale.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {}
        }
    }
}

fn await_seen(seen_at: &AtomicU64) -> Result<u64, BenchError> {
    let begin = Instant::now();
    loop {
        match seen_at.load(Ordering::SeqCst) {
            0 if begin.elapsed() > PATIENCE => return Err(BenchError::new("no call saw what was ordered")),
            0 => std::thread::yield_now(),
            at => return Ok(at),
        }
    }
}
