//! The process that a bad file is given to: it serves the measured file and calls it without end.
//!
//! Invariant: one line of JSON on standard output for each change of what is answered and for each refusal, and at least one
//! every [`BEAT`] while the caller gets on; whoever reads them knows what became of the process without asking it.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use patchbay::{Call, Explain, Node, Output, Patchbay, Value};
use serde::{Deserialize, Serialize};

use crate::native::{STANDARD, standard};
use crate::stage::host;

/// How often the caller shows that it gets on.
pub(crate) const BEAT: Duration = Duration::from_millis(50);

/// What `scale` is given.
const SEVEN: u64 = 7;
/// What it answers.
pub(crate) const SEVENTY: u64 = 70;

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Who {
    HotLibReloader,
    Patchbay,
}

/// What two calls were answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answers {
    pub(crate) generation: Result<u64, String>,
    pub(crate) scale: Result<u64, String>,
}

/// A line of the process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    Answers(Answers),
    Refused(String),
    Beat,
}

/// Serves and calls until it is killed, or worse.
pub(crate) fn stand(who: Who, folder: &Path) -> Result<()> {
    match who {
        Who::HotLibReloader => {
            STANDARD.set(folder)?;
            call_for_ever(
                || Answers {
                    generation: caught(standard::peer_generation),
                    scale: caught(|| standard::peer_scale(SEVEN)),
                },
                || None,
            )
        }
        Who::Patchbay => {
            let patchbay = host(folder)?;
            let (generation, scale) = (
                patchbay.resolve("peer.generation")?,
                patchbay.resolve("peer.scale")?,
            );
            let call = Call::of("peers".parse()?);
            let (empty, seven) = (
                Value::from_json("{}")?,
                Value::from_json(&format!(r#"{{"value": {SEVEN}}}"#))?,
            );
            let mut out = Output::with_limit(1 << 20);
            call_for_ever(
                || Answers {
                    generation: ask(&generation, &empty, &call, &mut out),
                    scale: ask(&scale, &seven, &call, &mut out),
                },
                || refusal(&patchbay),
            )
        }
    }
}

/// As a request handler would be called: what panics costs one call.
fn caught(call: impl FnOnce() -> u64) -> Result<u64, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "the call panics".into())
}

fn ask(node: &Node, input: &Value, call: &Call, out: &mut Output) -> Result<u64, String> {
    let (answer, _) = node
        .call(input.as_ref(), call, out)
        .map_err(|error| error.code().to_string())?;
    let number = answer.get("result").and_then(|result| result.as_i64());
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| "no number".into())
}

fn refusal(patchbay: &Patchbay) -> Option<String> {
    patchbay.rejected().first().map(|refused| refused.code.clone())
}

fn call_for_ever(
    mut answers: impl FnMut() -> Answers,
    mut refusal: impl FnMut() -> Option<String>,
) -> Result<()> {
    let (mut last, mut refused, mut beat) = (None, None, Instant::now());
    loop {
        let now = Some(answers());
        if now != last {
            last.clone_from(&now);
            if let Some(now) = now {
                say(&Line::Answers(now))?;
            }
        }
        if beat.elapsed() >= BEAT {
            beat = Instant::now();
            let now = refusal();
            if now != refused {
                refused.clone_from(&now);
                if let Some(now) = now {
                    say(&Line::Refused(now))?;
                }
            }
            say(&Line::Beat)?;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn say(line: &Line) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}
