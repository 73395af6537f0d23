//! Those who call all the time, and are to notice nothing.

use std::collections::BTreeSet;

use patchbay_tests_support::{Answer, Chance, Client};
use serde_json::{Value as Json, json};

use crate::arena::{Arena, Counts, SUBJECTS};
use crate::subject::{TENANTS, minor};

/// Calls until the end.
pub(crate) fn call(arena: &Arena, number: u64) {
    let mut chance = Chance::of_seed(arena.seed ^ (number + 1).wrapping_mul(0x9e37_79b9));
    while let Some(client) = arena.client() {
        let subject = usize::try_from(chance.below(SUBJECTS.len() as u64)).unwrap();
        let tenant = *chance.of(&TENANTS);
        let done = match chance.below(16) {
            0 | 1 => run(arena, &client, subject, tenant),
            2 => fault(arena, &client, &mut chance),
            3 => faulty(arena, &client),
            _ => node(arena, &client, subject, tenant),
        };
        match done {
            Ok(true) => {}
            // Another one will serve, when this one is known to be gone.
            Ok(false) => {
                Counts::add(&arena.counts.lost);
                std::thread::yield_now();
            }
            Err(why) => arena.fail(&why),
        }
    }
}

/// One call of one node; says whether it was answered by a host that lives.
fn node(arena: &Arena, client: &Client, subject: usize, tenant: &'static str) -> Result<bool, String> {
    let of = &SUBJECTS[subject];
    let since = arena.moment(subject);
    let body = json!({"tenant": tenant});
    match client.send("POST", &format!("call/{}", of.node), Some(&body), None) {
        Answer::Done(reply) => {
            let allowed = arena.answers(subject, tenant, since);
            let answered = minor(&reply["version"]);
            if !allowed.contains(&answered) || reply["output"]["result"] != reply["version"] {
                return Err(format!(
                    "{tenant} was answered by {reply}, and not by one of {allowed:?} of {}",
                    of.plugin
                ));
            }
            Counts::add(&arena.counts.calls);
            Ok(true)
        }
        Answer::Lost => Ok(false),
        Answer::Refused(..) if arena.may_be_absent(subject, since) => Ok(true),
        Answer::Refused(status, why) => Err(format!("a call of {} failed: {status} {why}", of.node)),
    }
}

/// A run that calls a node twice: both times one version answers.
fn run(arena: &Arena, client: &Client, subject: usize, tenant: &'static str) -> Result<bool, String> {
    let of = &SUBJECTS[subject];
    let since = arena.moment(subject);
    let mut workflow = of.twice();
    workflow["tenantId"] = json!(tenant);
    match client.send("POST", "runs", Some(&json!({"workflow": workflow})), None) {
        Answer::Done(record) if record["status"] == "success" => {
            let of_node = |node: &str| find_version(&record["state"][node]);
            let (one, two) = (of_node("one"), of_node("two"));
            let allowed = arena.answers(subject, tenant, since);
            let seen: BTreeSet<_> = [&one, &two].into_iter().flatten().map(minor).collect();
            if one.is_none() || one != two || !seen.is_subset(&allowed) {
                return Err(format!(
                    "a run of {tenant} saw {one:?} and {two:?} of {allowed:?}: {record}"
                ));
            }
            Counts::add(&arena.counts.runs);
            Ok(true)
        }
        Answer::Lost => Ok(false),
        Answer::Done(_) | Answer::Refused(..) if arena.may_be_absent(subject, since) => Ok(true),
        Answer::Done(record) => Err(format!("a run of {} failed: {record}", of.plugin)),
        Answer::Refused(status, why) => Err(format!("a run of {} failed: {status} {why}", of.plugin)),
    }
}

/// The version that a node of a run answered with.
fn find_version(state: &Json) -> Option<Json> {
    match state {
        Json::String(text) if text.split('.').count() == 3 => Some(state.clone()),
        Json::Object(map) => map.values().find_map(find_version),
        _ => None,
    }
}

/// A call that fails, by a panic or by time: the breaker may take the version out of service.
fn fault(arena: &Arena, client: &Client, chance: &mut Chance) -> Result<bool, String> {
    let answer = if chance.one_in(2) {
        let body = json!({"input": {"kind": "text"}});
        client.send("POST", "call/fx.panic", Some(&body), None)
    } else {
        let files = json!({"began": arena.site.path("began"), "until": arena.site.path("never")});
        let body = json!({"input": files, "timeoutMs": 20});
        client.send("POST", "call/fx.block", Some(&body), None)
    };
    Counts::add(&arena.counts.faults);
    match answer {
        Answer::Done(reply) => Err(format!("what panics or blocks was answered: {reply}")),
        Answer::Refused(..) => Ok(true),
        Answer::Lost => Ok(false),
    }
}

/// A good call of the plugin that fails so often: whichever version is left answers.
fn faulty(arena: &Arena, client: &Client) -> Result<bool, String> {
    match client.send("POST", "call/fx.version", Some(&json!({})), None) {
        Answer::Done(_) => {
            arena.saw_faulty();
            Counts::add(&arena.counts.calls);
            Ok(true)
        }
        Answer::Lost => Ok(false),
        // Its files are there from the beginning on, and taken in at some time.
        Answer::Refused(404, _) if !arena.has_faulty() => Ok(true),
        Answer::Refused(status, why) => Err(format!("a call of fx.version failed: {status} {why}")),
    }
}
