//! A swap that takes state with it: what it costs more than one that does not, and how long calls wait.

use patchbay::{Call, Order, Output, PluginName, Selector, Value};

use super::stage::Stage;
use super::swap::from_files;
use super::{BenchError, Effort};

/// Times of swaps between two revisions of the rate limiter, in microseconds.
pub(crate) struct Handing {
    /// Instances whose state went over each time.
    pub(crate) instances: u64,
    /// The whole swap.
    pub(crate) swaps: Vec<f64>,
    /// The part of it during which calls of the node waited.
    pub(crate) pauses: Vec<f64>,
}

/// Swaps with one instance, and with a thousand: each tenant has one.
pub(crate) fn measure(stage: &Stage, effort: Effort) -> Result<Vec<Handing>, BenchError> {
    let rounds = match effort {
        Effort::Quick => 10,
        Effort::Full => 200,
    };
    let bytes = stage.bytes("rate_limiter")?;
    let host = stage.host(&["rate_limiter"], 4)?;
    let plugin: PluginName = "rate-limiter".parse().map_err(BenchError::new)?;
    from_files(&host, &plugin, &bytes, 1)?;
    let view = host.patchbay.plugin(&plugin).map_err(BenchError::new)?;
    let revisions: Vec<_> = view.revisions.iter().map(|known| known.revision).collect();
    let node = host.patchbay.resolve("rate-limiter").map_err(BenchError::new)?;
    let input = Value::from_json(r#"{"operationType": "sync", "accountId": "ada"}"#);
    let input = input.map_err(BenchError::new)?;
    let mut out = Output::with_limit(1 << 20);
    let mut tenants = 0_u32;
    let mut results = Vec::new();
    for instances in [1, 1000] {
        while tenants < instances {
            let call = Call::of(format!("tenant-{tenants}").parse().map_err(BenchError::new)?);
            node.call(input.as_ref(), &call, &mut out)
                .map_err(BenchError::new)?;
            tenants += 1;
        }
        let mut handing = Handing {
            instances: u64::from(instances),
            swaps: Vec::new(),
            pauses: Vec::new(),
        };
        for round in 0..rounds {
            let to = Selector::Revision(revisions[round % revisions.len()]);
            let done = host
                .patchbay
                .promote(&plugin, &to, Order::by("bench", "hand-over"));
            let done = done.map_err(BenchError::new)?;
            if let Some(state) = done.state.filter(|_| done.from != done.to) {
                if state.instances != u64::from(instances) {
                    return Err(BenchError::new("the state of an instance was not handed over"));
                }
                // As the host has it: without the disk, which is waited for when calls go the new way already.
                handing.swaps.push(done.micros.unwrap_or_default() as f64);
                handing.pauses.push(state.paused_micros as f64);
            }
        }
        results.push(handing);
    }
    Ok(results)
}
