//! What has to be true when a host starts after one that was killed.

use patchbay_tests_support::{Answer, Client, Life, files_below};
use serde_json::Value as Json;

use crate::campaign::{Campaign, Entry, Host, SUBJECT};
use crate::subject::{Given, is_keyed};
use crate::world::{Order, Stage};

impl Campaign {
    /// Starts a host that is not killed.
    pub(crate) fn revive(&mut self) -> Life {
        self.note("a host starts");
        match self.site.boot(None) {
            Ok(Some(life)) => life,
            Ok(None) => self.fail("a host died that nobody killed"),
            Err(status) => self.fail(&format!("a host did not start: {status}")),
        }
    }

    /// Holds a host that has started against what was promised, and what was under way when the last one died.
    pub(crate) fn verify(&mut self, client: &Client) {
        if self.try_verify(client).is_none() {
            self.fail("the host died while it was looked at");
        }
    }

    fn try_verify(&mut self, client: &Client) -> Option<()> {
        let status = client.get("status")?;
        if status["mode"] != "normal" {
            self.fail(&format!("it does not serve as it should: {status}"));
        }
        let in_flight = self.given.last().filter(|entry| !entry.is_answered);
        let in_flight = in_flight.map(|entry| entry.given.clone());
        match in_flight {
            None => {
                // What it removed was in an answer that nobody looked at.
                let is_collected = self
                    .given
                    .last()
                    .is_some_and(|entry| entry.given.order == Order::Collect);
                if is_collected && self.adopt_collected(client) == Host::Dies {
                    return None;
                }
                self.await_world(client, std::slice::from_ref(&self.world))?;
            }
            Some(given) => self.settle_in_flight(client, &given)?,
        }
        self.check_audit(client)?;
        (self.look(client) == Host::Lives).then_some(())
    }

    /// The order that was not answered is done, or it is not; when it comes again it is done.
    fn settle_in_flight(&mut self, client: &Client, given: &Given) -> Option<()> {
        let after = self.world.after(given.order);
        match given.order {
            // The file is there: that is the order.
            Order::Deploy(_) => {
                self.await_world(client, std::slice::from_ref(&after))?;
            }
            Order::Run => {}
            Order::Collect => {
                if self.adopt_collected(client) == Host::Dies {
                    return None;
                }
            }
            _ => {
                let at = self.await_world(client, &[self.world.clone(), after.clone()])?;
                self.note(if at == 0 {
                    "  it was not done"
                } else {
                    "  it was done"
                });
            }
        }
        if !matches!(given.order, Order::Deploy(_) | Order::Run) {
            self.note(&format!("{} again", given.key));
            match SUBJECT.send(&self.site.plugins(), client, given) {
                Answer::Done(_) => {}
                Answer::Refused(status, why) => {
                    self.fail(&format!(
                        "{given:?} was refused when it came again: {status} {why}"
                    ));
                }
                Answer::Lost => return None,
            }
        }
        if given.order == Order::Collect {
            if self.adopt_collected(client) == Host::Dies {
                return None;
            }
        } else {
            self.world = after;
        }
        self.await_world(client, std::slice::from_ref(&self.world))?;
        if let Some(last) = self.given.last_mut() {
            last.is_answered = given.order != Order::Run;
        }
        Some(())
    }

    /// The audit is whole, what was there is there, and every order that was answered is in it once.
    fn check_audit(&mut self, client: &Client) -> Option<()> {
        let path = self.head.as_ref().map_or_else(
            || "audit/verify".to_owned(),
            |head| format!("audit/verify?head={head}"),
        );
        let verified = client.get(&path)?;
        if verified["intact"] != true {
            self.fail(&format!("the audit is not whole: {verified}"));
        }
        self.head = verified["head"].as_str().map(str::to_owned);
        let mut all = Vec::new();
        loop {
            let after = all.last().map_or(0, |last: &Json| last["seq"].as_u64().unwrap());
            let page = client.get(&format!("audit?after={after}&limit=1000"))?;
            let page = page.as_array().unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page.iter().cloned());
        }
        let history = client.send("GET", &format!("plugins/{}/history", SUBJECT.plugin), None, None);
        let history = match history {
            Answer::Done(history) => history,
            Answer::Refused(404, _) => Json::Array(Vec::new()),
            Answer::Refused(status, why) => self.fail(&format!("there is no history: {status} {why}")),
            Answer::Lost => return None,
        };
        for entry in &self.given {
            self.check_recorded(entry, &all, history.as_array().unwrap());
        }
        Some(())
    }

    fn check_recorded(&self, entry: &Entry, audit: &[Json], history: &[Json]) {
        let given = &entry.given;
        if !is_keyed(given.order) {
            return;
        }
        let expected: &[&str] = match given.order {
            Order::Promote { .. } => &["plugin.promoted"],
            Order::RollBack(None) if entry.at == Some(Stage::Step) => &["rollout.aborted"],
            Order::RollBack(_) => &["plugin.rolled-back"],
            Order::Quarantine(_) => &["plugin.quarantined"],
            Order::Pin(..) => &["pin.set"],
            Order::Unpin(_) => &["pin.removed"],
            Order::Policy(_) => &["policy.set"],
            Order::Abort => &["rollout.aborted"],
            _ => &["rollout."],
        };
        let is_it = |record: &&Json| {
            let action = record["action"].as_str().unwrap();
            record["key"] == given.key.as_str() && expected.iter().any(|known| action.starts_with(known))
        };
        let found: Vec<_> = audit.iter().filter(is_it).collect();
        let wanted = usize::from(entry.is_answered);
        if found.len() != wanted {
            let all: Vec<_> = audit
                .iter()
                .map(|one| {
                    format!(
                        "{} {} {} {}",
                        one["seq"], one["action"], one["revision"], one["key"]
                    )
                })
                .collect();
            self.fail(&format!(
                "{given:?} is in the audit {} times: {found:?}\n{}",
                found.len(),
                all.join("\n")
            ));
        }
        let action = match given.order {
            Order::Promote { .. } => "promoted",
            Order::RollBack(_) if entry.at.is_none() => "rolled-back",
            Order::Quarantine(_) => "quarantined",
            Order::Pin(..) => "pinned",
            Order::Unpin(_) => "unpinned",
            _ => return,
        };
        let lines = history
            .iter()
            .filter(|line| line["reason"] == given.key.as_str() && line["action"] == action);
        let lines = lines.count();
        if lines != wanted {
            self.fail(&format!("{given:?} is in the history {lines} times: {history:?}"));
        }
    }

    /// Ends a host by order: nothing is left of it but what the next one needs. A trial of the host that was killed may
    /// have been at work when this one cleared up.
    pub(crate) fn end(&mut self, life: Life) {
        self.end_but(life, |file| file.starts_with("maps/probe-"));
    }

    /// A host that starts when all are gone, and ends by order, leaves nothing of any of them.
    pub(crate) fn close(&mut self) {
        let life = self.revive();
        self.verify(&life.client());
        self.end_but(life, |_| false);
    }

    fn end_but(&mut self, life: Life, may_stay: impl Fn(&str) -> bool) {
        self.note("a host ends by order");
        let status = life.end();
        if status.code() != Some(0) {
            self.fail(&format!("the host ended with {status}"));
        }
        let left = files_below(&self.site.data());
        let odd: Vec<_> = left
            .iter()
            .filter(|file| !may_stay(file))
            .filter(|file| {
                file.starts_with("maps/")
                    || file.ends_with(".part")
                    || file.ends_with("-wal")
                    || file.contains(".tmp")
            })
            .collect();
        if !odd.is_empty() {
            self.fail(&format!("left behind: {odd:?}\nof {left:?}"));
        }
    }
}
