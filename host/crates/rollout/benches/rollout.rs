//! What the decisions cost that calls and checks wait for.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use patchbay_rollout::{
    Analysis, Effect, Input, Measured, Order, OrderKind, Policy, Reach, Rollout, Tickets, Window, bucket,
    compare, index, judge,
};
use patchbay_vocab::UnixMillis;
use serde_json::{Value, json};

fn whom(c: &mut Criterion) {
    for length in [8_usize, 32, 128] {
        let key = vec![b'x'; length];
        c.bench_function(&format!("bucket/{length} bytes"), |b| {
            b.iter(|| bucket(black_box(&key), black_box(7)));
        });
    }
    let tickets = Tickets::default();
    c.bench_function("ticket", |b| b.iter(|| tickets.take()));
}

fn measured(calls: u64, scale: u64) -> Measured {
    let mut measured = Measured {
        calls,
        failed: calls / 50,
        ..Measured::default()
    };
    (0..calls).for_each(|call| measured.latency.add(1_000 + call * scale));
    measured
}

fn judged(c: &mut Criterion) {
    let mut nanos = 1_u64;
    c.bench_function("histogram/index", |b| {
        b.iter(|| {
            nanos = nanos.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            index(black_box(nanos >> 30))
        });
    });
    let window = Window {
        stable: measured(10_000, 7),
        candidate: measured(1_000, 70),
        span: Duration::from_secs(60),
    };
    let analysis = Analysis::default();
    c.bench_function("judge", |b| {
        b.iter(|| judge(black_box(&analysis), black_box(&window)));
    });
    c.bench_function("window", |b| {
        b.iter(|| black_box(&window.stable).minus(black_box(&window.candidate)));
    });
}

fn advanced(c: &mut Criterion) {
    let text = r#"{"canary": {"pause": "promote", "analysis": "off"}}"#;
    let Ok(policy) = Policy::from_json(text) else {
        return;
    };
    let Ok(mut rollout) = Rollout::begin(policy, UnixMillis(0)) else {
        return;
    };
    let order = Order {
        kind: OrderKind::Promote(Reach::Next),
        by: "bench".into(),
        reason: String::new(),
    };
    let started: Result<Vec<Effect>, _> = rollout.advance(UnixMillis(0), Input::Tick { window: None });
    assert!(started.is_ok_and(|effects| !effects.is_empty()));
    assert!(
        rollout
            .advance(UnixMillis(1), Input::Order(order))
            .is_ok_and(|effects| !effects.is_empty())
    );
    c.bench_function("advance/tick without news", |b| {
        b.iter(|| rollout.advance(black_box(UnixMillis(2)), Input::Tick { window: None }));
    });
}

fn compared(c: &mut Criterion) {
    let rows = |n: u64| -> Value {
        let row = |id| json!({"id": id, "name": "somebody", "tags": ["a", "b"], "meta": {"at": id * n, "ok": true}});
        json!({"items": (0..100_u64).map(row).collect::<Vec<_>>()})
    };
    let (stable, candidate) = (rows(1), rows(2));
    let Ok(ignore) = "$.items[*].meta.at".parse() else {
        return;
    };
    let ignore = [ignore];
    c.bench_function("compare/100 rows, one path ignored", |b| {
        b.iter(|| compare(black_box(&stable), black_box(&candidate), &ignore));
    });
}

criterion_group!(benches, whom, judged, advanced, compared);
criterion_main!(benches);
