//! A plugin whose versions differ in their number alone, and how its orders are sent and its state is seen.

use std::path::{Path, PathBuf};

use patchbay_tests_support::{Answer, CPlugin, Client, Extra, deploy};
use serde_json::{Value as Json, json};

use crate::world::{Minor, Order, Rolling, Seen, Stage, VERSIONS, Way};

pub(crate) const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// An order that was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) order: Order,
    pub(crate) key: String,
}

/// A plugin with one node, which answers with the version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) plugin: &'static str,
    pub(crate) node: &'static str,
}

pub(crate) fn version(minor: Minor) -> String {
    format!("1.{minor}.0")
}

pub(crate) fn minor(version: &Json) -> Minor {
    let text = version
        .as_str()
        .unwrap_or_else(|| panic!("{version} is no version"));
    text.split('.').nth(1).unwrap().parse().unwrap()
}

/// Steps that wait for orders, and no clock.
fn canary() -> Json {
    json!({"canary": {"steps": [50], "pause": {"afterMs": 3_600_000}, "bakeMs": 3_600_000, "deadlineMs": 7_200_000, "sticky": "tenant", "analysis": "off"}})
}

/// Copies of calls, until somebody has seen enough.
fn shadow() -> Json {
    json!({"shadow": {"calls": 10_000_000, "maxDifferences": 10_000_000, "then": "promote"}})
}

pub(crate) fn is_keyed(order: Order) -> bool {
    !matches!(order, Order::Deploy(_) | Order::Run | Order::Collect)
}

impl Subject {
    fn file(&self, minor: Minor) -> PathBuf {
        let plugin = CPlugin {
            source: "fit",
            plugin: self.plugin,
            version: &version(minor),
            node: self.node,
            target: "",
        };
        plugin.built(Extra::default())
    }

    /// Compiles what is deployed, once.
    pub(crate) fn compile(&self) {
        for minor in 0..VERSIONS {
            let _ = self.file(minor);
        }
    }

    /// Where a version's file goes.
    pub(crate) fn inbox(&self, plugins: &Path, minor: Minor) -> PathBuf {
        plugins.join(format!("{}-{minor}.so", self.plugin))
    }

    /// A workflow that calls the node twice.
    pub(crate) fn twice(&self) -> Json {
        let node = |id: &str| {
            json!({"id": id, "name": id, "type": "operation", "typeVersion": 1, "nodeType": self.node, "position": [0, 0],
                "parameters": {}})
        };
        json!({"id": "twice", "name": "twice", "version": "3.0.0", "nodes": [node("one"), node("two")],
            "connections": {"one": {"main": {"0": [{"node": "two", "type": "main", "index": 0}]}}},
            "triggers": [], "variables": {}, "settings": {}})
    }

    /// Sends an order, once more or for the first time.
    pub(crate) fn send(&self, plugins: &Path, client: &Client, given: &Given) -> Answer {
        let key = Some(given.key.as_str());
        let reason = given.key.as_str();
        let post = |path: &str, body: Json| client.send("POST", path, Some(&body), key);
        let of_plugin = |what: &str, body: Json| post(&format!("plugins/{}/{what}", self.plugin), body);
        match given.order {
            Order::Deploy(minor) => {
                deploy(&self.file(minor), &self.inbox(plugins, minor));
                Answer::Done(Json::Null)
            }
            Order::Promote { to, is_forced } => of_plugin(
                "promote",
                json!({"to": version(to), "reason": reason, "force": is_forced}),
            ),
            Order::RollBack(to) => of_plugin("rollback", json!({"to": to.map(version), "reason": reason})),
            Order::Quarantine(which) => {
                of_plugin("quarantine", json!({"to": which.map(version), "reason": reason}))
            }
            Order::Pin(tenant, to) => of_plugin(
                "pin",
                json!({"to": version(to), "tenant": tenant, "reason": reason}),
            ),
            Order::Unpin(tenant) => of_plugin("unpin", json!({"tenant": tenant, "reason": reason})),
            Order::Policy(way) => {
                let policy = match way {
                    Way::Immediate => json!("immediate"),
                    Way::Manual => json!("manual"),
                    Way::Canary => canary(),
                };
                let body = json!({"policy": policy, "reason": reason});
                client.send(
                    "PUT",
                    &format!("plugins/{}/policy", self.plugin),
                    Some(&body),
                    key,
                )
            }
            Order::Begin(to) => of_plugin(
                "rollout",
                json!({"to": version(to), "policy": canary(), "reason": reason}),
            ),
            Order::Shadow(to) => of_plugin(
                "rollout",
                json!({"to": version(to), "policy": shadow(), "reason": reason}),
            ),
            Order::Next => of_plugin("rollout/promote", json!({"reason": reason})),
            Order::Abort => of_plugin("rollout/abort", json!({"reason": reason})),
            Order::Pause => of_plugin("rollout/pause", json!({"reason": reason})),
            Order::Resume => of_plugin("rollout/resume", json!({"reason": reason})),
            Order::Collect => post("gc", json!({"reason": reason})),
            Order::Run => post("runs", json!({"workflow": self.twice()})),
        }
    }

    /// What there is to be seen; `None` when the host has died.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn see(&self, client: &Client) -> Result<Option<Seen>, String> {
        let mut seen = Seen::default();
        let plugin = match client.send("GET", &format!("plugins/{}", self.plugin), None, None) {
            Answer::Done(plugin) => plugin,
            Answer::Refused(404, _) => {
                seen.way = Some(Way::Immediate);
                return Ok(Some(seen));
            }
            Answer::Refused(status, why) => return Err(format!("the plugin is not shown: {status} {why}")),
            Answer::Lost => return Ok(None),
        };
        if !plugin["live"].is_null() {
            seen.live = Some(minor(&plugin["live"]));
        }
        for revision in plugin["revisions"].as_array().unwrap() {
            let minor = minor(&revision["version"]);
            if !seen.known.insert(minor) {
                return Err(format!("there are two revisions of one content: {plugin}"));
            }
            if revision["state"] == "quarantined" {
                seen.quarantined.insert(minor);
            }
        }
        let Some(pins) = client.get(&format!("pins?plugin={}", self.plugin)) else {
            return Ok(None);
        };
        for pin in pins.as_array().unwrap() {
            let tenant = pin["tenant"].as_str();
            let tenant = tenant.map(|tenant| *TENANTS.iter().find(|known| **known == tenant).unwrap());
            seen.pins.insert(tenant, minor(&pin["to"]["version"]));
        }
        let Some(policy) = client.get(&format!("plugins/{}/policy", self.plugin)) else {
            return Ok(None);
        };
        seen.way = Some(match &policy["policy"] {
            Json::String(text) if text == "manual" => Way::Manual,
            Json::String(_) => Way::Immediate,
            _ => Way::Canary,
        });
        let Some(rollouts) = client.get(&format!("rollouts?plugin={}", self.plugin)) else {
            return Ok(None);
        };
        if let Some(rollout) = rollouts.as_array().unwrap().first() {
            let to = minor(&rollout["to"]["version"]);
            let phase = rollout["phase"].as_str().unwrap();
            // No step of this policy pauses by itself.
            let is_paused = phase == "paused";
            let stage = if !rollout["policy"]["shadow"].is_null() {
                Stage::Shadow
            } else if seen.live == Some(to) {
                Stage::Baking
            } else {
                Stage::Step
            };
            let has_share = plugin["canary"]["to"]["version"] == version(to);
            // What begins, or is about to go on, is not there yet.
            if phase != "preparing" && (has_share || stage != Stage::Step) {
                seen.rolling = Some(Rolling { to, stage, is_paused });
            } else {
                seen.rolling = Some(Rolling {
                    to: Minor::MAX,
                    stage,
                    is_paused,
                });
            }
        }
        Ok(Some(seen))
    }
}
