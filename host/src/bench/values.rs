//! Values in and out against JSON text.

use std::hint::black_box;

use patchbay::{Call, Output, TenantId, Value, ValueRef};
use plugin_api::value::{decode, encode};
use serde::{Deserialize, Serialize};

use super::measure::{Subject, alternate};
use super::report::Report;
use super::stage::Stage;
use super::{BenchError, Effort};

/// The standard payload: three fields in.
#[derive(Deserialize)]
struct In<'a> {
    name: &'a str,
    count: i64,
    active: bool,
}

/// Three fields out.
#[derive(Serialize)]
struct Out<'a> {
    label: &'a str,
    total: i64,
    done: bool,
}

const PAYLOAD: &str = r#"{"name":"a name of some length","count":41,"active":true}"#;

fn work<'a>(input: &In<'a>) -> Out<'a> {
    Out {
        label: input.name,
        total: input.count + 1,
        done: !input.active,
    }
}

/// Flat values, both ways: what the plugin reads, what it writes, and the host's check of it.
fn flat(input: ValueRef<'_>, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let Ok(parsed) = decode::<In<'_>>(black_box(input)) else {
        return false;
    };
    encode(&work(&parsed), buffer).is_ok() && ValueRef::parse(black_box(buffer)).is_ok()
}

fn json_text<'b>(input: &str, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
    buffer.clear();
    let parsed: In<'_> = serde_json::from_str(black_box(input)).ok()?;
    serde_json::to_writer(&mut *buffer, &work(&parsed)).ok()?;
    Some(black_box(buffer))
}

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let encoded = Value::from_json(PAYLOAD).map_err(BenchError::new)?;
    let input = encoded.as_ref();
    let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = alternate(
        vec![
            Subject::new("flat values: read 3 fields, write 3, check", || {
                flat(input, &mut a)
            }),
            Subject::new("JSON text, host reads the answer as a tree", || {
                let text = json_text(PAYLOAD, &mut b)?;
                serde_json::from_slice::<serde_json::Value>(text).ok()
            }),
            Subject::new("JSON text, host only checks the answer", || {
                let text = json_text(PAYLOAD, &mut c)?;
                serde_json::from_slice::<serde::de::IgnoredAny>(text).ok()
            }),
        ],
        effort,
    );
    let (total, tree, scan) = (rows[0].median, rows[1].ratio, rows[2].ratio);
    let host = stage.host(&["test"], 1)?;
    let node = host.patchbay.resolve("test.echo").map_err(BenchError::new)?;
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let (call, mut out) = (Call::of(tenant), Output::with_limit(1 << 20));
    let echo = Subject::new("test.echo through the host, same payload", || {
        node.call(input, &call, &mut out).is_ok()
    });
    rows.extend(alternate(vec![echo], effort));
    Ok(Report {
        subject: "values: a map of 3 fields in, a map of 3 fields out",
        rows,
        notes: vec![
            format!("flat values, both ways: {total:.0} ns (budget 150 ns)"),
            format!(
                "JSON text costs {:.1}x when the host uses the answer, {:.1}x when it only checks it (budget 4x)",
                tree.unwrap_or(f64::NAN),
                scan.unwrap_or(f64::NAN)
            ),
        ],
    })
}
