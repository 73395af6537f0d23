//! One data directory, and the hosts that die on it one after the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use patchbay_tests_support::{Answer, Chance, Client, Life, Site};
use serde_json::{Value as Json, json};

use crate::subject::{Given, Subject, TENANTS, is_keyed, minor};
use crate::world::{Order, Seen, Stage, World};

/// What the orders are about.
pub(crate) const SUBJECT: Subject = Subject {
    plugin: "kept",
    node: "kept.version",
};
/// How long something may take that comes by itself.
const COMES_WITHIN: Duration = Duration::from_secs(30);

/// A set of versions is good at once, so that a host that is killed in its work is not taken for one in a crash loop.
pub(crate) const CONFIG: &str = "
[lifecycle]
stable_for_ms = 1
rescan_ms = 200
[rollout]
tick_ms = 10
stable_after_ms = 1
[retention]
revisions = 3
rollbacks = 1
";

/// An order, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) given: Given,
    /// At which step of a rollout it was given.
    pub(crate) at: Option<Stage>,
    pub(crate) is_answered: bool,
}

pub(crate) struct Campaign {
    pub(crate) seed: u64,
    pub(crate) site: Site,
    pub(crate) chance: Chance,
    pub(crate) world: World,
    /// Every order that changes something, in the order in which it was given.
    pub(crate) given: Vec<Entry>,
    /// Runs that were listed with their end.
    pub(crate) runs: BTreeMap<String, String>,
    /// The head of the audit when it was looked at last.
    pub(crate) head: Option<String>,
    /// Generations never go back.
    pub(crate) generation: u64,
    pub(crate) script: String,
    next_key: u64,
}

/// Whether the host is there for the next order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Lives,
    Dies,
}

impl Campaign {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            site: Site::new(CONFIG),
            chance: Chance::of_seed(seed),
            world: World::begun(),
            given: Vec::new(),
            runs: BTreeMap::new(),
            head: None,
            generation: 0,
            script: String::new(),
            next_key: 0,
        }
    }

    pub(crate) fn note(&mut self, line: &str) {
        let _ = writeln!(self.script, "{line}");
    }

    /// Gives up, with all there is to know.
    pub(crate) fn fail(&self, why: &str) -> ! {
        let log = self.site.log();
        let from = log.len().saturating_sub(30_000);
        let from = (from..log.len())
            .find(|at| log.is_char_boundary(*at))
            .unwrap_or(0);
        panic!(
            "{why}\nseed {}\nscript:\n{}\nthe hosts' log:\n{}",
            self.seed,
            self.script,
            &log[from..]
        );
    }

    /// Gives orders until the host dies, or `most` have been given.
    pub(crate) fn work(&mut self, life: Life, point: Option<&str>, most: u64) -> Option<Life> {
        let client = life.client();
        for _ in 0..most {
            let order = self.world.choose(&mut self.chance, point);
            if self.give(&client, order) == Host::Dies {
                let status = life.gone();
                if status.code().is_some() {
                    self.fail(&format!("the host ended by itself: {status}"));
                }
                self.note("  it is dead");
                return None;
            }
        }
        Some(life)
    }

    /// Gives one order, and waits for what it leads to.
    fn give(&mut self, client: &Client, order: Order) -> Host {
        self.next_key += 1;
        let given = Given {
            order,
            key: format!("k{}-{}", self.seed, self.next_key),
        };
        self.note(&format!("{} {order:?}", given.key));
        if order == Order::Collect {
            // A file of a revision that was forgotten would be a new one for the next host. Whoever has verified the audit
            // knows that all before it is on the disk, and needs no file.
            if client.get("audit/verify").is_none() {
                return Host::Dies;
            }
            for minor in &self.world.seen.known {
                let _ = std::fs::remove_file(SUBJECT.inbox(&self.site.plugins(), *minor));
            }
        }
        self.given.push(Entry {
            given: given.clone(),
            at: self.world.seen.rolling.map(|rolling| rolling.stage),
            is_answered: false,
        });
        match SUBJECT.send(&self.site.plugins(), client, &given) {
            Answer::Done(answer) => self.answered(&given, &answer),
            Answer::Refused(status, why) => self.fail(&format!("{order:?} was refused: {status} {why}")),
            Answer::Lost => return Host::Dies,
        }
        if order == Order::Collect && self.adopt_collected(client) == Host::Dies {
            return Host::Dies;
        }
        if self
            .await_world(client, std::slice::from_ref(&self.world))
            .is_none()
        {
            return Host::Dies;
        }
        if self.chance.one_in(4) {
            return self.look(client);
        }
        if self.chance.one_in(8) && is_keyed(order) {
            return self.repeat(client, &given);
        }
        Host::Lives
    }

    fn answered(&mut self, given: &Given, answer: &Json) {
        self.world = self.world.after(given.order);
        if let Some(last) = self.given.last_mut() {
            last.is_answered = true;
        }
        if given.order == Order::Run && answer["status"] != "success" {
            self.fail(&format!("a run failed: {answer}"));
        }
        if let Some(generation) = answer["generation"].as_u64() {
            if generation < self.generation {
                self.fail(&format!(
                    "the generation went back from {} to {generation}",
                    self.generation
                ));
            }
            self.generation = generation;
        }
    }

    /// What there is to be seen; `None` when the host has died.
    pub(crate) fn see(&self, client: &Client) -> Option<Seen> {
        SUBJECT.see(client).unwrap_or_else(|why| self.fail(&why))
    }

    /// Waits until it is as one of these worlds has it, and says as which; `None` when the host has died.
    pub(crate) fn await_world(&self, client: &Client, worlds: &[World]) -> Option<usize> {
        let until = Instant::now() + COMES_WITHIN;
        loop {
            let seen = self.see(client)?;
            if let Some(at) = worlds.iter().position(|world| world.seen == seen) {
                return Some(at);
            }
            if Instant::now() > until {
                let wanted: Vec<_> = worlds.iter().map(|world| &world.seen).collect();
                self.fail(&format!("it is\n  {seen:?}\nand should be one of\n  {wanted:#?}"));
            }
            std::thread::yield_now();
        }
    }

    /// A collection removes what it likes of what nobody needs.
    pub(crate) fn adopt_collected(&mut self, client: &Client) -> Host {
        let Some(seen) = self.see(client) else {
            return Host::Dies;
        };
        if let Err(why) = self.world.adopt(&seen.known) {
            self.fail(&why);
        }
        Host::Lives
    }

    /// Calls as everybody, and a run.
    pub(crate) fn look(&mut self, client: &Client) -> Host {
        for tenant in TENANTS {
            let allowed = self.world.answers(tenant);
            if allowed.is_empty() {
                continue;
            }
            let body = json!({"tenant": tenant});
            match client.send("POST", &format!("call/{}", SUBJECT.node), Some(&body), None) {
                Answer::Done(reply) => {
                    if !allowed.contains(&minor(&reply["version"])) {
                        self.fail(&format!(
                            "{tenant} was answered by {reply}, and not by one of {allowed:?}"
                        ));
                    }
                    if reply["output"]["result"] != reply["version"] {
                        self.fail(&format!("another version answered than is said: {reply}"));
                    }
                }
                Answer::Refused(status, why) => self.fail(&format!("a call failed: {status} {why}")),
                Answer::Lost => return Host::Dies,
            }
        }
        let Some(listed) = client.get("runs?limit=200") else {
            return Host::Dies;
        };
        let mut now = BTreeMap::new();
        for run in listed["runs"].as_array().unwrap() {
            let id = run["runId"].as_str().unwrap().to_owned();
            now.insert(id, run["status"].as_str().unwrap().to_owned());
        }
        for (id, then) in &self.runs {
            match now.get(id) {
                Some(status) if status == then || then == "running" => {}
                other => self.fail(&format!("run {id} was {then} and is {other:?}")),
            }
        }
        self.runs = now;
        Host::Lives
    }

    /// Sends an order once more that was carried out: nothing changes.
    fn repeat(&mut self, client: &Client, given: &Given) -> Host {
        self.note(&format!("{} once more", given.key));
        match SUBJECT.send(&self.site.plugins(), client, given) {
            Answer::Done(_) => {}
            Answer::Refused(status, why) => {
                self.fail(&format!(
                    "{given:?} was refused when it came again: {status} {why}"
                ));
            }
            Answer::Lost => return Host::Dies,
        }
        match self.await_world(client, std::slice::from_ref(&self.world)) {
            Some(_) => Host::Lives,
            None => Host::Dies,
        }
    }
}
