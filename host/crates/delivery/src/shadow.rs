//! Copies of live calls, answered by the candidate, compared with what the caller got.
//!
//! Invariant: a caller waits for none of this: a copy that finds no room is dropped and counted. The candidate's answers
//! are seen by nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use patchbay_dispatch::{
    CallError, CallOptions, Dispatcher, Faults, Mount, Output, Served, Tap, Tapped, Variables,
};
use patchbay_rollout::{Comparing, Difference, IgnorePath, Tickets, Weight, compare};
use patchbay_vocab::TenantId;
use plugin_api::value::Value;
use serde_json::{Value as Json, json};

use crate::driver::Message;

/// Copies that wait for the candidate.
const WAITING: usize = 256;
/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often the driver is told, at least.
const TELL: Duration = Duration::from_millis(100);
/// A longer copy is not made, in bytes.
const LONGEST: usize = 1 << 20;

/// How answers are compared.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) compare: Comparing,
    pub(crate) ignore: Vec<IgnorePath>,
}

/// Copies on their way to a candidate; ends when it is dropped.
pub(crate) struct Shadowing {
    stable: Arc<Mount<Served>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    tap: Arc<Copies>,
}

/// What is copied of a call.
struct Copy {
    node_type: String,
    tenant: TenantId,
    input: Value,
    variables: Option<Value>,
    answer: Result<Value, String>,
    keeps_contents: bool,
}

struct Copies {
    sample: Weight,
    fit: BTreeSet<String>,
    tickets: Tickets,
    copies: Sender<Copy>,
    dropped: AtomicU64,
}

impl Tap for Copies {
    fn called(&self, call: &Tapped<'_>) {
        let Some(answer) = call
            .answer
            .filter(|_| !call.asked && self.fit.contains(call.node_type))
        else {
            return;
        };
        if !self.sample.admits(self.tickets.take()) {
            return;
        }
        let length = call.input.raw().len() + answer.map_or(0, |value| value.raw().len());
        if length > LONGEST || self.copies.is_full() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let copy = Copy {
            keeps_contents: call.keeps_contents,
            node_type: call.node_type.to_owned(),
            tenant: call.tenant.clone(),
            input: call.input.to_value(),
            variables: call.variables.filter(|all| !all.is_empty()).map(|all| all.all()),
            answer: match answer {
                Ok(value) => Ok(value.to_value()),
                Err(error) => Err(error.code.to_string()),
            },
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.copies.try_send(copy) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a shadow needs.
pub(crate) struct Shadow {
    pub(crate) id: String,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) stable: Arc<Mount<Served>>,
    pub(crate) candidate: Arc<Mount<Served>>,
    pub(crate) fit: BTreeSet<String>,
    pub(crate) sample: Weight,
    pub(crate) comparison: Comparison,
    pub(crate) told: Sender<Message>,
}

impl Shadow {
    /// Begins to copy calls.
    pub(crate) fn start(self) -> std::io::Result<Shadowing> {
        let (copies, taken) = bounded(WAITING);
        let tap = Arc::new(Copies {
            sample: self.sample,
            fit: self.fit.clone(),
            tickets: Tickets::default(),
            copies,
            dropped: AtomicU64::new(0),
        });
        let ended = Arc::new(AtomicBool::new(false));
        let (ends, stable) = (Arc::clone(&ended), Arc::clone(&self.stable));
        let thread = std::thread::Builder::new()
            .name("pb-shadow".into())
            .spawn(move || self.run(&taken, &ends))?;
        stable
            .handle()
            .observed()
            .tap(Some(Arc::clone(&tap) as Arc<dyn Tap>));
        Ok(Shadowing {
            stable,
            ended,
            thread: Some(thread),
            tap,
        })
    }

    fn run(&self, copies: &Receiver<Copy>, ended: &AtomicBool) {
        let (mut compared, mut differing) = (0, 0);
        loop {
            let next = copies.recv_timeout(TELL);
            let is_idle = next.is_err();
            match next {
                Ok(copy) => {
                    compared += 1;
                    let found = self.differences(&copy);
                    if !found.is_empty() {
                        differing += 1;
                        self.tell(Message::Difference {
                            id: self.id.clone(),
                            body: match copy.keeps_contents {
                                true => difference(&copy.node_type, &copy.tenant, &copy.input, &found),
                                false => places(&copy.node_type, &copy.tenant, &found),
                            },
                        });
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if compared > 0 && (is_idle || compared >= 16 || differing > 0) {
                self.tell(Message::Shadowed {
                    id: self.id.clone(),
                    compared,
                    differing,
                });
                (compared, differing) = (0, 0);
            }
            if ended.load(Ordering::Acquire) {
                return;
            }
        }
    }

    fn differences(&self, copy: &Copy) -> Vec<Json> {
        let variables = copy
            .variables
            .as_ref()
            .and_then(|all| Variables::from_value(all.as_ref()).ok());
        let call = Again {
            dispatcher: &self.dispatcher,
            mount: &self.candidate,
            node_type: &copy.node_type,
            tenant: &copy.tenant,
            variables: variables.map(Arc::new),
        };
        let answer = call.answer(&copy.input);
        differences(&self.comparison, &copy.answer, &answer)
    }

    fn tell(&self, message: Message) {
        let _ = self.told.send(message);
    }
}

impl Shadowing {
    /// Copies for which there was no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.tap.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Shadowing {
    fn drop(&mut self) {
        self.stable.handle().observed().tap(None);
        self.ended.store(true, Ordering::Release);
        // It is not joined: it may be within a call of the candidate, which takes its time. It tells a rollout that
        // knows it no more.
        drop(self.thread.take());
    }
}

/// A call that is made once more, on one version.
pub(crate) struct Again<'a> {
    pub(crate) dispatcher: &'a Arc<Dispatcher>,
    pub(crate) mount: &'a Arc<Mount<Served>>,
    pub(crate) node_type: &'a str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) variables: Option<Arc<Variables>>,
}

impl Again<'_> {
    /// The answer, or the code of the error.
    pub(crate) fn answer(&self, input: &Value) -> Result<Value, String> {
        let mut out = Output::with_limit(self.dispatcher.limits().output_bytes);
        let options = CallOptions {
            tenant: self.tenant,
            run: "trial",
            node: self.node_type,
            timeout: Some(TIMEOUT),
            cancel: None,
            variables: self.variables.as_ref(),
            scope: None,
            config: None,
            depth: 0,
        };
        // What a trial comes to is the rollout's affair: nobody is to be taken out of service for calls that were made
        // again.
        let faults = Faults::default();
        let (input, out) = (input.as_ref(), &mut out);
        let answer = self
            .dispatcher
            .try_mount(self.mount, self.node_type, input, &options, out, &faults);
        match answer {
            Ok(answer) => Ok(answer.value.to_value()),
            Err(CallError::Failed { error, .. }) => Err(error.code.to_string()),
            Err(error) => Err(patchbay_vocab::Explain::code(&error).to_string()),
        }
    }
}

/// How two answers differ; nothing when they do not.
pub(crate) fn differences(
    comparison: &Comparison,
    stable: &Result<Value, String>,
    candidate: &Result<Value, String>,
) -> Vec<Json> {
    match (stable, candidate) {
        (Ok(_), Ok(_)) if comparison.compare == Comparing::No => Vec::new(),
        (Ok(stable), Ok(candidate)) => {
            let (stable, candidate) = (json_of(stable), json_of(candidate));
            let found = compare(&stable, &candidate, &comparison.ignore);
            found.iter().map(of_difference).collect()
        }
        (Err(stable), Err(candidate)) if stable == candidate => Vec::new(),
        (Err(_), _) if comparison.compare == Comparing::No => Vec::new(),
        (stable, candidate) => {
            let word = |answer: &Result<Value, String>| match answer {
                Ok(_) => "an answer".to_owned(),
                Err(code) => format!("error {code}"),
            };
            vec![json!({"path": "", "stable": word(stable), "candidate": word(candidate)})]
        }
    }
}

fn json_of(value: &Value) -> Json {
    serde_json::from_str(&value.to_json()).unwrap_or(Json::Null)
}

fn of_difference(difference: &Difference) -> Json {
    serde_json::to_value(difference).unwrap_or(Json::Null)
}

/// What is kept of a call that was answered differently.
pub(crate) fn difference(node_type: &str, tenant: &TenantId, input: &Value, found: &[Json]) -> Json {
    const SHOWN: usize = 2048;
    let text = input.to_json();
    let shown: String = text.chars().take(SHOWN).collect();
    json!({
        "nodeType": node_type,
        "tenant": tenant,
        "input": shown,
        "inputCut": shown.len() < text.len(),
        "differences": found,
    })
}

/// What is kept of such a call when its workflow keeps no contents: where the answers differ.
pub(crate) fn places(node_type: &str, tenant: &TenantId, found: &[Json]) -> Json {
    let places: Vec<_> = found
        .iter()
        .map(|one| json!({ "path": one.get("path") }))
        .collect();
    json!({
        "nodeType": node_type,
        "tenant": tenant,
        "contents": "not kept, as the workflow says",
        "differences": places,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_workflow_that_keeps_no_contents_only_the_places_are_kept() {
        let tenant = "acme".parse().unwrap();
        let found = [json!({"path": "a.b", "stable": "secret one", "candidate": "secret two"})];
        let kept = places("fx.x", &tenant, &found).to_string();
        assert!(
            kept.contains("a.b") && kept.contains("acme") && !kept.contains("secret"),
            "{kept}"
        );
        let kept = difference("fx.x", &tenant, &Value::null(), &found).to_string();
        assert!(kept.contains("secret one"), "{kept}");
    }
}
