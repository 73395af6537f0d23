//! A call through the registry against a direct call.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use patchbay::{Call, Output, TenantId, Value, ValueRef};
use patchbay_loader::SymbolLookup;

use super::measure::{Subject, alternate, least, median};
use super::report::{Report, Row};
use super::stage::Stage;
use super::{BenchError, Effort};

/// What `test.noop` does, inside this program.
trait Direct {
    fn call(&self, input: ValueRef<'_>, out: &mut Output) -> bool;
}

struct Noop;

impl Direct for Noop {
    fn call(&self, input: ValueRef<'_>, out: &mut Output) -> bool {
        black_box(input);
        out.clear();
        out.push(ValueRef::NULL.raw()).is_ok()
    }
}

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let host = stage.host(&["test"], 1)?;
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let node = host.patchbay.resolve("test.noop").map_err(BenchError::new)?;
    let session = host.patchbay.session(&["test.noop"]).map_err(BenchError::new)?;
    let call = Call::of(tenant);
    let input = Value::from_json("{}").map_err(BenchError::new)?;
    let input = input.as_ref();
    let limit = 1 << 20;
    let (mut direct_out, mut out, mut named_out) = (
        Output::with_limit(limit),
        Output::with_limit(limit),
        Output::with_limit(limit),
    );
    let mut session_out = Output::with_limit(limit);
    let direct: Box<dyn Direct> = black_box(Box::new(Noop));
    let fenced: Box<dyn Direct> = black_box(Box::new(Noop));
    let mut fenced_out = Output::with_limit(limit);
    let lookup =
        SymbolLookup::open(&stage.path("test")).ok_or_else(|| BenchError::new("cannot open the plugin"))?;
    let mut rows = alternate(
        vec![
            Subject::new("direct call of a Box<dyn Trait>", || {
                direct.call(input, &mut direct_out)
            }),
            Subject::new("the same inside a panic fence", || {
                catch_unwind(AssertUnwindSafe(|| fenced.call(input, &mut fenced_out))).is_ok()
            }),
            Subject::new("host, node resolved once", || {
                node.call(input, &call, &mut out).is_ok()
            }),
            Subject::new("host, inside a run's session", || {
                session_call(&session, input, &call, &mut session_out)
            }),
            Subject::new("host, by name each time", || {
                host.patchbay
                    .resolve("test.noop")
                    .is_ok_and(|node| node.call(input, &call, &mut named_out).is_ok())
            }),
            Subject::new("libloading, symbol looked up (no call)", || lookup.look_up()),
        ],
        effort,
    );
    let (added, added_least) = (rows[2].median - rows[0].median, rows[2].min - rows[0].min);
    let fence = rows[1].median - rows[0].median;
    let (one, two) = threads(&node, input, &call, effort);
    let mut scaled = Row::plain(
        "host, calls a microsecond on 2 threads",
        median(two.clone()),
        least(&two),
        "1/us",
    );
    scaled.baseline = Some("on 1 thread".into());
    scaled.ratio = Some(median(two.iter().zip(&one).map(|(two, one)| two / one).collect()));
    rows.push(scaled);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report {
        subject: "dispatch: test.noop, empty map in, null out",
        rows,
        notes: vec![
            format!(
                "added by route, lease, context, fence and output check: {added_least:.1} ns at the least, {added:.1} ns \
                 at the median (budget 50 ns)"
            ),
            format!("panic fence: {fence:.1} ns (budget 3 ns)"),
            format!("{cores} core(s) here"),
        ],
    })
}

fn session_call(session: &patchbay::Session, input: ValueRef<'_>, call: &Call, out: &mut Output) -> bool {
    call.in_session(session, 0, "test.noop", input, out).is_ok()
}

/// Calls a microsecond, on one thread and on two, in alternating rounds.
fn threads(node: &patchbay::Node, input: ValueRef<'_>, call: &Call, effort: Effort) -> (Vec<f64>, Vec<f64>) {
    let (rounds, calls) = match effort {
        Effort::Quick => (3, 100_000_u32),
        Effort::Full => (15, 400_000),
    };
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (count, rates) in [(1_u32, &mut one), (2, &mut two)] {
            let begin = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..count {
                    scope.spawn(|| {
                        let mut out = Output::with_limit(1 << 20);
                        for _ in 0..calls {
                            black_box(node.call(input, call, &mut out).is_ok());
                        }
                    });
                }
            });
            rates.push(f64::from(count * calls) / begin.elapsed().as_secs_f64() / 1e6);
        }
    }
    (one, two)
}
