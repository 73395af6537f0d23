//! The examples of a plugin, run on trial.

use std::time::{Duration, Instant};

use patchbay_loader::{LoadError, LoadedPlugin, Nothing, SyncCall};
use plugin_api::meta::Effect;
use plugin_api::shim::host::{Caller, HostSink};
use plugin_api::value::Value;

use crate::verdict::{Depth, ExampleRun, Request};

/// Bytes an example's output may have.
const OUTPUT_LIMIT: usize = 16 << 20;

/// Characters of an example's output in a full report.
const MOST_QUOTED: usize = 64 << 10;

/// Runs the examples of nodes without effect; one that fails in the node's own way is a finding, not a refusal.
pub(crate) fn run_examples(
    plugin: &LoadedPlugin,
    request: &Request,
    runs: &mut Vec<ExampleRun>,
) -> Result<(), LoadError> {
    let until = Instant::now() + Duration::from_millis(request.example_millis);
    let Some(pass) = plugin.gate().enter() else {
        return Ok(());
    };
    let mut out = HostSink::with_limit(OUTPUT_LIMIT);
    let most = match request.depth {
        Depth::Brief => 500,
        Depth::Full => MOST_QUOTED,
    };
    for (at, node) in plugin.description().nodes.iter().enumerate() {
        if node.meta.effect != Effect::Pure || plugin.is_async(at) {
            continue;
        }
        for example in &node.meta.examples {
            if Instant::now() > until {
                return Ok(());
            }
            let name = node.node_type.as_str();
            let caller = Caller {
                tenant: "probe",
                run: "probe",
                node: name,
                deadline: u64::MAX,
                cancel: None,
            };
            let call = SyncCall {
                caller,
                services: &Nothing,
                config: None,
            };
            let begin = Instant::now();
            let got = match Value::from_json(&example.input.to_string()) {
                Err(error) => Err(error.to_string()),
                Ok(input) => match plugin.execute(&pass, at, input.as_ref(), &call, &mut out) {
                    Ok(output) => Ok(output.to_string()),
                    Err(fault) => Err(fault.to_string()),
                },
            };
            let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            let holds = got
                .as_ref()
                .ok()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
                .is_some_and(|output| output == example.output);
            let failed = got.is_err();
            let shown = match got {
                Ok(text) | Err(text) => text,
            };
            runs.push(ExampleRun {
                node_type: name.to_owned(),
                title: example.title.chars().take(200).collect(),
                holds,
                micros,
                failed,
                got: (!holds).then(|| shown.chars().take(most).collect()),
            });
        }
    }
    Ok(())
}
