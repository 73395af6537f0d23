//! What came of a run beside its record.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::differences::{DIFFERENCES, NODES, Ours};

/// Counts that say the same here as in a record.
const COUNTS: [&str; 8] = [
    "nodesExecuted",
    "successNodes",
    "failedNodes",
    "retriedNodes",
    "totalRetries",
    "validationFailures",
    "recoveryAttempts",
    "recoverySuccesses",
];

/// Everything in which the run is another than its record, unless it is to be.
pub(super) fn compare(id: &str, case: &Json, run: &Json) -> Vec<String> {
    let mut wrong = Vec::new();
    nodes(id, case, run, &mut wrong);
    let delays: Vec<Json> = delays(run);
    let variables = run["variables"].clone();
    let mut fields = vec![
        (
            "executionOrder".to_owned(),
            case["executionOrder"].clone(),
            run["executionOrder"].clone(),
        ),
        (
            "delaysMs".to_owned(),
            listed(&case["delaysMs"]),
            Json::from(delays),
        ),
        ("variables".to_owned(), all_variables(case), variables),
    ];
    for count in COUNTS {
        let name = format!("metrics.{count}");
        fields.push((
            name,
            case["metrics"][count].clone(),
            run["metrics"][count].clone(),
        ));
    }
    for (field, recorded, ours) in fields {
        let difference = DIFFERENCES
            .iter()
            .find(|difference| difference.case == id && difference.field == field);
        let expected = match difference {
            None => recorded.clone(),
            Some(difference) => serde_json::from_str(difference.ours).unwrap(),
        };
        if !same(&expected, &ours) {
            let why = difference.map_or("as recorded", |difference| difference.why);
            wrong.push(format!("{field}: expected {expected} ({why}), found {ours}"));
        } else if difference.is_some() && same(&recorded, &ours) {
            wrong.push(format!("{field}: is as recorded, the table says otherwise"));
        }
    }
    wrong
}

fn listed(json: &Json) -> Json {
    if json.is_null() { json!([]) } else { json.clone() }
}

/// Waits between tries, in the order of the nodes.
fn delays(run: &Json) -> Vec<Json> {
    let mut seen = BTreeSet::new();
    let order = run["executionOrder"].as_array().into_iter().flatten();
    let nodes = order.filter_map(Json::as_str).filter(|node| seen.insert(*node));
    let delays = nodes.filter_map(|node| run["state"][node]["delaysMs"].as_array());
    delays.flatten().cloned().collect()
}

/// There is one store here: what the run began with, and what was set.
fn all_variables(case: &Json) -> Json {
    let mut all = Map::new();
    for part in [
        &case["workflow"]["variables"],
        &case["variables"],
        &case["expectedVariables"],
    ] {
        all.extend(part.as_object().cloned().unwrap_or_default());
    }
    Json::Object(all)
}

fn nodes(id: &str, case: &Json, run: &Json, wrong: &mut Vec<String>) {
    let empty = Map::new();
    let ours = run["state"].as_object().unwrap_or(&empty);
    let mut recorded = case["expectedState"].as_object().cloned().unwrap_or_default();
    // Failures of nodes reach retries and recovery.
    let direct = case["expectedStateDirectWiring"].as_object();
    recorded.extend(direct.cloned().unwrap_or_default());
    let names: BTreeSet<&str> = recorded.keys().chain(ours.keys()).map(String::as_str).collect();
    let named = NODES.iter().filter(|node| node.case == id);
    for missing in named.filter(|node| !names.contains(node.node)) {
        wrong.push(format!("node {}: is not there", missing.node));
    }
    for name in names {
        let mut recorded = recorded.get(name).cloned().unwrap_or(Json::Null);
        let found = ours.get(name).cloned().unwrap_or(Json::Null);
        let mut reason = "as recorded";
        if let Some(node) = NODES.iter().find(|node| node.case == id && node.node == name) {
            let expected = match node.ours {
                Ours::Output(output) => {
                    let output: Json = serde_json::from_str(output).unwrap();
                    json!({ "status": "success", "output": output })
                }
                Ours::Failed(code) => json!({ "status": "error", "errorCode": code }),
                Ours::Recovered(output, by) => {
                    let output: Json = serde_json::from_str(output).unwrap();
                    let status = "success";
                    json!({ "status": status, "output": output, "recoveryApplied": true, "fallbackNodeType": by })
                }
                Ours::Skipped => json!({ "status": "skipped" }),
            };
            if node_differs(&recorded, &found).is_none() {
                wrong.push(format!("node {name}: is as recorded, the table says otherwise"));
            }
            recorded = expected;
            reason = node.why;
        } else if recorded.is_null() && found["status"] == "skipped" {
            // The peer forgets nodes that are not run.
            continue;
        }
        if let Some(why) = node_differs(&recorded, &found) {
            wrong.push(format!(
                "node {name}: {why}\n    expected {recorded} ({reason})\n    found    {}",
                brief(&found)
            ));
        }
    }
}

fn brief(node: &Json) -> Json {
    let mut brief = Map::new();
    for field in [
        "status",
        "output",
        "error",
        "errorCode",
        "nodeErrorCode",
        "validationErrors",
        "recoveryApplied",
        "fallbackNodeType",
    ] {
        if let Some(value) = node.get(field) {
            brief.insert(field.to_owned(), value.clone());
        }
    }
    Json::Object(brief)
}

fn node_differs(recorded: &Json, ours: &Json) -> Option<&'static str> {
    for field in ["status", "recoveryApplied", "fallbackNodeType"] {
        // A record that says false says no more than one that says nothing.
        let no = |json: &Json| json[field].is_null() || json[field] == false;
        if recorded[field] != ours[field] && !(no(recorded) && no(ours)) {
            return Some(field);
        }
    }
    // A failed node has no output here; the peer's may be empty ones.
    let is_error = recorded["status"] == "error";
    if !is_error
        && !same(
            &recorded["output"],
            &timeless(&recorded["output"], &ours["output"]),
        )
    {
        return Some("output");
    }
    // Where nothing caught what was thrown, the record has no code.
    let code = recorded["errorCode"].as_str();
    let code = code.or(is_error.then_some("EXECUTION_ERROR"));
    // Why a node was skipped for its failure is not in the record.
    let is_skipped = recorded["status"] == "skipped";
    if !is_skipped && code != ours["errorCode"].as_str() {
        return Some("errorCode");
    }
    None
}

/// An output without its times, where the record has none.
fn timeless(recorded: &Json, ours: &Json) -> Json {
    let mut ours = ours.clone();
    if let Some(fields) = ours.as_object_mut() {
        fields.retain(|name, _| !["timestamp", "duration"].contains(&&**name) || !recorded[name].is_null());
    }
    ours
}

/// Whether they say the same; `recorded` may hold what JSON has no words for.
fn same(recorded: &Json, ours: &Json) -> bool {
    match (recorded, ours) {
        (Json::Object(said), _) if said.contains_key("$undefined") => ours.is_null(),
        (Json::Object(said), _) if said.contains_key("$range") => {
            let range = &said["$range"];
            let (least, end) = (range["min"].as_f64(), range["maxExclusive"].as_f64());
            ours.as_f64()
                .is_some_and(|ours| Some(ours) >= least && Some(ours) < end)
        }
        (Json::Object(a), Json::Object(b)) => {
            let absent = |said: &Json| said.get("$undefined").is_some();
            let there: Vec<_> = a
                .iter()
                .filter(|(key, said)| b.contains_key(*key) || !absent(said))
                .collect();
            there.len() == b.len()
                && there
                    .iter()
                    .all(|(key, a)| b.get(*key).is_some_and(|b| same(a, b)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}
