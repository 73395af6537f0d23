//! A node of each category through the host against the same work done in this program.
//!
//! Invariant: the two give the same answer, which is compared before anything is measured, and a measured call that fails
//! ends the bench. Both stand in alternating rounds beside an empty node, so that what a call adds can be told apart:
//! finding and entering the node, and reading and writing values.

mod case;
mod computed;
mod outside;

use std::cell::Cell;

use patchbay::{Call, Output, TenantId, Value};

use self::case::{Case, Reach};
use self::outside::Outside;
use super::measure::{Subject, least, median, rounds};
use super::report::{Report, Row};
use super::stage::Stage;
use super::{BenchError, Effort};

/// Budgets in nanoseconds: for a call of an empty node, and for a map of three fields in and one out.
const DISPATCH: f64 = 50.0;
const VALUES: f64 = 150.0;
/// Bytes in and out of the payload that the second budget is about, with some air.
const STANDARD: usize = 256;
/// The empty node, which every round is measured beside.
const EMPTY: &str = "test.noop";
const LIMIT: usize = 16 << 20;

/// What was measured of one case, in nanoseconds at the least over the rounds.
struct Measured {
    category: &'static str,
    /// The whole call over the direct work.
    added: f64,
    /// The part of it that an empty call costs, too.
    dispatch: f64,
    /// Bytes that crossed the line, both ways.
    bytes: usize,
    reach: Reach,
}

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let outside = Outside::open()?;
    let mut cases = computed::cases()?;
    cases.extend(outside.cases()?);
    let (here, missing): (Vec<Case>, Vec<Case>) = cases
        .into_iter()
        .partition(|case| stage.path(case.plugin).is_file());
    let mut plugins = vec!["test"];
    plugins.extend(here.iter().map(|case| case.plugin));
    plugins.sort_unstable();
    plugins.dedup();
    let host = stage.host_with(&plugins, |config| outside.permit(&tenant, config))?;
    let call = Call::of(tenant);
    let (mut rows, mut measured) = (Vec::new(), Vec::new());
    for case in here {
        measured.push(one(&host.patchbay, &call, case, effort, &mut rows)?);
    }
    let mut notes = vec![format!(
        "added: the call less the direct work; {EMPTY} in the same rounds took {:.0} ns at the median of the \
             categories (budget for dispatch {DISPATCH:.0} ns)",
        median(measured.iter().map(|one| one.dispatch).collect())
    )];
    notes.extend(verdicts(&measured));
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|case| case.category).collect();
        notes.push(format!(
            "not measured, since the plugin is not in the folder: {}",
            names.join(", ")
        ));
    }
    Ok(Report {
        subject: "nodes: one of each category through the host, and the same work directly",
        rows,
        notes,
    })
}

/// Which cases with a payload like the standard one keep to the budget, what larger ones cost a byte, and what the way to
/// a plugin's own threads and back costs.
fn verdicts(measured: &[Measured]) -> Vec<String> {
    let budget = DISPATCH + VALUES;
    let (here, outside): (Vec<_>, Vec<_>) = measured.iter().partition(|one| one.reach == Reach::Here);
    let (small, large): (Vec<_>, Vec<_>) = here.into_iter().partition(|one| one.bytes <= STANDARD);
    let listed = |ones: &[&Measured], words: &dyn Fn(&Measured) -> String| {
        let words: Vec<String> = ones
            .iter()
            .map(|one| format!("{} {}", one.category, words(one)))
            .collect();
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    };
    let nanos = |one: &Measured| format!("{:.0} ns", one.added);
    let (within, above): (Vec<_>, Vec<_>) = small.into_iter().partition(|one| one.added <= budget);
    vec![
        format!(
            "budget {budget:.0} ns added for up to {STANDARD} bytes of values; within: {}; above: {}",
            listed(&within, &nanos),
            listed(&above, &nanos)
        ),
        format!(
            "with more bytes, less dispatch: {}",
            listed(&large, &|one| format!(
                "{:.2} ns a byte",
                (one.added - one.dispatch) / one.bytes as f64
            ))
        ),
        format!(
            "added where a plugin's own threads do the work: {}",
            listed(&outside, &|one| format!("{:.1} us", one.added / 1e3))
        ),
    ]
}

fn one(
    host: &patchbay::Patchbay,
    call: &Call,
    case: Case,
    effort: Effort,
    rows: &mut Vec<Row>,
) -> Result<Measured, BenchError> {
    let Case {
        category,
        node,
        field,
        what,
        gives,
        direct,
        reach,
        ..
    } = case;
    let session = host.session(&[EMPTY, node]).map_err(BenchError::new)?;
    let input = Value::from_json(&case.input.to_string()).map_err(BenchError::new)?;
    let empty = Value::from_json("{}").map_err(BenchError::new)?;
    let (mut out, mut empty_out) = (Output::with_limit(LIMIT), Output::with_limit(LIMIT));
    let (answer, _) = call
        .in_session(&session, 1, node, input.as_ref(), &mut out)
        .map_err(|error| BenchError::new(format!("{node}: {error:?}")))?;
    let bytes = input.as_ref().raw().len() + answer.raw().len();
    let sizes = (input.as_ref().raw().len(), answer.raw().len());
    let shown = field.map_or(Some(answer), |field| answer.get(field));
    let shown = shown.and_then(|value| serde_json::from_str::<serde_json::Value>(&value.to_json()).ok());
    if shown.as_ref() != Some(&gives) {
        let got = answer.to_json();
        return Err(BenchError::new(format!(
            "{node} gives {got}, and directly it is {gives}"
        )));
    }
    let failed = Cell::new(0_u64);
    let judged = |done: bool| failed.set(failed.get() + u64::from(!done));
    let mut subjects = vec![
        Subject {
            name: format!("{category}: {what}"),
            run: direct,
            after: None,
        },
        Subject::new(node, || {
            judged(
                call.in_session(&session, 1, node, input.as_ref(), &mut out)
                    .is_ok(),
            );
        }),
        Subject::new(EMPTY, || {
            judged(
                call.in_session(&session, 0, EMPTY, empty.as_ref(), &mut empty_out)
                    .is_ok(),
            );
        }),
    ];
    let nanos = rounds(&mut subjects, effort);
    drop(subjects);
    if failed.get() > 0 {
        return Err(BenchError::new(format!(
            "{} calls of {node} failed",
            failed.get()
        )));
    }
    let [direct, through, noop] = &nanos[..] else {
        return Err(BenchError::new("a round is incomplete"));
    };
    let directly = format!("{category}: {what}");
    rows.push(Row::plain(&directly, median(direct.clone()), least(direct), "ns"));
    let ratios = through
        .iter()
        .zip(direct)
        .map(|(host, direct)| host / direct)
        .collect();
    let added = least(through) - least(direct);
    rows.push(Row {
        baseline: Some("directly".into()),
        ratio: Some(median(ratios)),
        added: Some(added),
        ..Row::plain(
            format!("{category}: {node}, {} B in, {} B out", sizes.0, sizes.1),
            median(through.clone()),
            least(through),
            "ns",
        )
    });
    Ok(Measured {
        category,
        added,
        dispatch: least(noop),
        bytes,
        reach,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_payloads_are_held_to_the_budget_and_larger_ones_are_told_by_the_byte() {
        let one = |category, added, bytes, reach| Measured {
            category,
            added,
            dispatch: 40.0,
            bytes,
            reach,
        };
        let said = verdicts(&[
            one("string", 150.0, 100, Reach::Here),
            one("date", 900.0, 100, Reach::Here),
            one("list", 1_040.0, 2_000, Reach::Here),
            one("http", 90_000.0, 400, Reach::Outside),
        ]);
        assert!(
            said[0].ends_with("within: string 150 ns; above: date 900 ns"),
            "{said:?}"
        );
        assert!(said[1].ends_with("list 0.50 ns a byte"), "{said:?}");
        assert!(said[2].ends_with("http 90.0 us"), "{said:?}");
    }

    #[test]
    fn what_is_done_directly_is_what_the_case_says_comes_out() -> Result<(), BenchError> {
        for mut case in computed::cases()? {
            (case.direct)(2);
            assert!(!case.gives.is_null(), "{}", case.node);
        }
        Ok(())
    }
}
