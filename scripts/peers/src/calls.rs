//! Warm calls: doing nothing, and giving the standard payload back.
//!
//! Invariant: every subject starts from bytes (or a message) that are there and ends with an answer the caller owns and has
//! compared or could read; what only some of them do in between is in the column beside the name.

use std::hint::black_box;

use anyhow::Result;
use patchbay::{Call, Output, Value};

use crate::Effort;
use crate::grpc::{Client, Payload};
use crate::measure::{Subject, alternate};
use crate::native::{Opened, standard};
use crate::report::CallRow;
use crate::stage::{FILE, Stage, built};
#[cfg(feature = "wasm")]
use crate::wasm::Wasm;

/// The payload of `patchbay bench values`.
const PAYLOAD: &str = r#"{"name":"a name of some length","count":41,"active":true}"#;

const NOTHING: &str = "nothing";
const JSON: &str = "JSON bytes, not parsed";

/// The work, inside this program.
trait Direct {
    fn noop(&self);
    fn echo(&self, input: &[u8], out: &mut Vec<u8>);
}

struct Here;

impl Direct for Here {
    fn noop(&self) {}

    fn echo(&self, input: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(input);
    }
}

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Vec<CallRow>> {
    let call = Call::of("peers".parse()?);
    let mut out = Output::with_limit(1 << 20);
    let direct: Box<dyn Direct> = black_box(Box::new(Here));
    let opened = Opened::open(&built(FILE)?)?;
    #[cfg(feature = "wasm")]
    let mut wasm = Wasm::start()?;
    let mut client = Client::start(stage.folder())?;

    let noop = stage.patchbay.resolve("peer.noop")?;
    let empty = Value::from_json("{}")?;
    let mut subjects = vec![
        Subject::new(
            "Patchbay, node resolved once",
            "empty map in, null out, checked",
            || {
                noop.call(empty.as_ref(), &call, &mut out)
                    .is_ok_and(|(answer, _)| answer.is_null())
            },
        ),
        Subject::new("direct call of a Box<dyn Trait>", NOTHING, || {
            direct.noop();
            true
        }),
        Subject::new("libloading, symbol looked up once", NOTHING, || {
            (opened.noop)();
            true
        }),
        Subject::new("hot-lib-reloader, generated call", NOTHING, || {
            standard::peer_noop();
            true
        }),
    ];
    #[cfg(feature = "wasm")]
    subjects.extend(wasm.noop());
    subjects.push(Subject::new(
        "gRPC over a unix socket",
        "empty message both ways",
        || client.noop().is_ok(),
    ));
    let mut rows = timed("noop", &mut subjects, effort)?;
    drop(subjects);

    let echo = stage.patchbay.resolve("peer.echo")?;
    let input = Value::from_json(PAYLOAD)?;
    let json = PAYLOAD.as_bytes();
    let message = Payload {
        name: "a name of some length".into(),
        count: 41,
        active: true,
    };
    let (mut direct_out, mut opened_out, mut hot_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut subjects = vec![
        Subject::new("Patchbay, node resolved once", "flat values, checked", || {
            gives_back(&echo, &input, &call, &mut out)
        }),
        Subject::new("direct call of a Box<dyn Trait>", JSON, || {
            direct.echo(json, &mut direct_out);
            black_box(&direct_out) == json
        }),
        Subject::new("libloading, symbol looked up once", JSON, || {
            (opened.echo)(json, &mut opened_out);
            opened_out == json
        }),
        Subject::new("hot-lib-reloader, generated call", JSON, || {
            standard::peer_echo(json, &mut hot_out);
            hot_out == json
        }),
    ];
    #[cfg(feature = "wasm")]
    subjects.extend(wasm.echo(json));
    subjects.push(Subject::new(
        "gRPC over a unix socket",
        "protobuf message of 3 fields",
        || client.echo(&message).is_ok_and(|answer| answer == message),
    ));
    rows.extend(timed("echo", &mut subjects, effort)?);
    Ok(rows)
}

fn gives_back(node: &patchbay::Node, input: &Value, call: &Call, out: &mut Output) -> bool {
    node.call(input.as_ref(), call, out)
        .is_ok_and(|(answer, _)| answer.raw() == input.as_ref().raw())
}

fn timed(work: &'static str, subjects: &mut [Subject<'_>], effort: Effort) -> Result<Vec<CallRow>> {
    let timed = alternate(subjects, effort)?;
    let rows = subjects.iter().zip(timed).map(|(subject, timed)| CallRow {
        work,
        what: subject.name,
        payload: subject.payload,
        median_ns: timed.median,
        least_ns: timed.least,
        ratio: timed.ratio,
    });
    Ok(rows.collect())
}
