//! What entering and leaving a gate costs, alone and on every core: `cargo run --release --example gate_cost`.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::hint::black_box;
use std::time::Instant;

use patchbay_lease::Gate;

const ROUNDS: u32 = 20_000_000;

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        let gate = Gate::new();
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        black_box(black_box(&gate).enter());
                    }
                });
            }
        });
        let nanos = start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
        println!("{threads} thread(s): {nanos:.1} ns per enter and leave on each");
    }
}
