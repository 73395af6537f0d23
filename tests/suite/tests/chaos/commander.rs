//! The one who orders, kills, and starts again, and knows what was promised.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use patchbay_tests_support::{Answer, CPlugin, Chance, Client, Extra, Life, deploy, fixture, hostile};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::arena::{Arena, Counts, SUBJECTS};
use crate::subject::{Given, is_keyed, version};
use crate::world::{Order, World};

/// How long something may take that comes by itself.
const COMES_WITHIN: Duration = Duration::from_secs(30);

const POINTS: [&str; 12] = [
    "state.queued",
    "state.begun",
    "state.written",
    "state.committed",
    "audit.appended",
    "admit.numbered",
    "swap.ready",
    "swap.stored",
    "pin.stored",
    "rollout.effected",
    "rollout.told",
    "quarantine.stored",
];

/// The plugin that fails, in its versions.
const FAULTY: [&str; 3] = ["echo-1-0", "echo-1-1", "echo-2-0"];

pub(crate) struct Commander<'a> {
    arena: &'a Arena,
    until: Instant,
    chance: Chance,
    worlds: [World; SUBJECTS.len()],
    /// What was ordered and not answered.
    pending: [Option<Given>; SUBJECTS.len()],
    generation: u64,
    head: Option<String>,
    keys: u64,
    /// A file that is to be refused.
    bad: Option<PathBuf>,
    /// Lives that ended at once, in a row.
    short: u32,
}

/// Whether the host is there for the next order.
type Alive = Option<()>;

impl<'a> Commander<'a> {
    pub(crate) fn new(arena: &'a Arena, until: Instant) -> Self {
        for subject in SUBJECTS {
            subject.compile();
        }
        for name in FAULTY {
            deploy(&fixture(name), &arena.site.plugins().join(format!("{name}.so")));
        }
        Self {
            arena,
            until,
            chance: Chance::of_seed(arena.seed),
            worlds: [World::begun(), World::begun()],
            pending: [None, None],
            generation: 0,
            head: None,
            keys: 0,
            bad: None,
            short: 0,
        }
    }

    /// Orders until the time is up; at the end all that was promised has to hold.
    pub(crate) fn command(&mut self) {
        while Instant::now() < self.until && !self.arena.is_ended() {
            self.live();
        }
        if self.arena.has_failed() {
            return;
        }
        self.arena.note("the last host starts");
        let Some(life) = self.boot(None) else { return };
        let client = life.client();
        if self.verify(&client).is_none() && !self.arena.has_failed() {
            self.arena.fail("the last host died by itself");
        }
        self.arena.put(None);
        self.arena.end();
        let status = life.end();
        if status.code() != Some(0) {
            self.arena.fail(&format!("the last host ended with {status}"));
        }
    }

    fn boot(&mut self, kill_at: Option<&str>) -> Option<Life> {
        match self.arena.site.boot(kill_at) {
            Ok(life) => life,
            Err(status) => {
                self.arena.fail(&format!("a host did not start: {status}"));
                None
            }
        }
    }

    /// One host, from its start to its death.
    fn live(&mut self) {
        // Three starts in a row that came to nothing would be a crash loop; one that ends by order is none.
        let is_quiet = self.short >= 2;
        let point = format!("{}:{}", self.chance.of(&POINTS), 1 + self.chance.below(12));
        let kill_at = (!is_quiet && self.chance.one_in(2)).then_some(point.as_str());
        self.arena.note(&format!("a host starts, to die at {kill_at:?}"));
        // Its version may be forgotten by now, and it would be taken in.
        if let Some(bad) = self.bad.take() {
            let _ = std::fs::remove_file(bad);
        }
        let began = Instant::now();
        let Some(mut life) = self.boot(kill_at) else {
            Counts::add(&self.arena.counts.kills);
            self.short += 1;
            return;
        };
        let client = life.client();
        self.arena.put(Some(client.clone()));
        let verified = self.verify(&client);
        if verified.is_some() && is_quiet {
            self.arena.put(None);
            self.arena.note("it ends by order");
            self.short = 0;
            let _ = life.end();
            return;
        }
        if verified.is_some() {
            let pid = Pid::from_raw(i32::try_from(life.pid()).unwrap()).unwrap();
            let left = Duration::from_millis(200 + self.chance.below(3000));
            let (over, ends) = std::sync::mpsc::channel::<()>();
            let killer = std::thread::spawn(move || {
                // It ends with the host, or ends it.
                if ends.recv_timeout(left).is_err() {
                    let _ = kill_process(pid, Signal::KILL);
                }
            });
            while !life.is_gone() && !self.arena.is_ended() && self.order(&client).is_some() {}
            let _ = over.send(());
            drop(over);
            let _ = killer.join();
        }
        self.arena.put(None);
        if self.arena.is_ended() {
            life.kill();
            return;
        }
        let status = life.gone();
        if status.code().is_some() {
            self.arena.fail(&format!("a host ended by itself: {status}"));
        }
        self.arena.note("  it is dead");
        Counts::add(&self.arena.counts.kills);
        self.short = if began.elapsed() < Duration::from_millis(500) {
            self.short + 1
        } else {
            0
        };
    }

    /// One order, or one bad file.
    fn order(&mut self, client: &Client) -> Alive {
        Counts::add(&self.arena.counts.orders);
        match self.chance.below(12) {
            0 => return self.bad_file(client),
            1 => return self.steer_faulty(client),
            _ => {}
        }
        let at = usize::try_from(self.chance.below(SUBJECTS.len() as u64)).unwrap();
        let order = self.worlds[at].choose(&mut self.chance, None);
        // Callers make runs.
        if order == Order::Run {
            return Some(());
        }
        self.keys += 1;
        let given = Given {
            order,
            key: format!("c{}", self.keys),
        };
        self.arena
            .note(&format!("{} {} {order:?}", SUBJECTS[at].plugin, given.key));
        if order == Order::Collect {
            self.clear_inbox(client)?;
        }
        let after = self.worlds[at].after(order);
        self.arena
            .may_be(at, vec![self.worlds[at].clone(), after.clone()]);
        self.pending[at] = Some(given.clone());
        let answer = SUBJECTS[at].send(&self.arena.site.plugins(), client, &given);
        if let Answer::Done(answer) = &answer
            && let Some(generation) = answer["generation"].as_u64()
        {
            self.see_generation(generation);
        }
        self.carried_out(client, at, &given, answer)
    }

    fn carried_out(&mut self, client: &Client, at: usize, given: &Given, answer: Answer) -> Alive {
        match answer {
            Answer::Done(_) => {}
            Answer::Refused(status, why) => {
                self.arena.fail(&format!(
                    "{} {given:?} was refused: {status} {why}",
                    SUBJECTS[at].plugin
                ));
                return None;
            }
            Answer::Lost => return None,
        }
        if given.order == Order::Collect {
            return self.adopt_collected(client);
        }
        let after = self.worlds[at].after(given.order);
        self.await_worlds(client, at, std::slice::from_ref(&after))?;
        self.is_now(at, after);
        Some(())
    }

    fn is_now(&mut self, at: usize, world: World) {
        self.arena.may_be(at, vec![world.clone()]);
        self.worlds[at] = world;
        self.pending[at] = None;
    }

    fn see_generation(&mut self, generation: u64) {
        if generation < self.generation {
            self.arena.fail(&format!(
                "the generation went back from {} to {generation}",
                self.generation
            ));
        }
        self.generation = generation;
    }

    /// Waits until a subject is as one of these worlds has it.
    fn await_worlds(&self, client: &Client, at: usize, worlds: &[World]) -> Option<usize> {
        let until = Instant::now() + COMES_WITHIN;
        loop {
            let seen = match SUBJECTS[at].see(client) {
                Ok(seen) => seen?,
                Err(why) => {
                    self.arena.fail(&why);
                    return None;
                }
            };
            if let Some(found) = worlds.iter().position(|world| world.seen == seen) {
                return Some(found);
            }
            if self.arena.is_ended() {
                return None;
            }
            if Instant::now() > until {
                let wanted: Vec<_> = worlds.iter().map(|world| &world.seen).collect();
                self.arena.fail(&format!(
                    "{} is\n  {seen:?}\nand should be one of\n  {wanted:?}",
                    SUBJECTS[at].plugin
                ));
                return None;
            }
            std::thread::yield_now();
        }
    }

    /// Files of revisions that may be forgotten would come in again. Whoever has verified the audit knows that all before it
    /// is on the disk, and needs no file.
    fn clear_inbox(&self, client: &Client) -> Alive {
        client.get("audit/verify")?;
        for (subject, world) in SUBJECTS.iter().zip(&self.worlds) {
            for minor in &world.seen.known {
                let _ = std::fs::remove_file(subject.inbox(&self.arena.site.plugins(), *minor));
            }
        }
        Some(())
    }

    /// A collection removes what it likes of what nobody needs, of every plugin.
    fn adopt_collected(&mut self, client: &Client) -> Alive {
        for (at, subject) in SUBJECTS.iter().enumerate() {
            let seen = match subject.see(client) {
                Ok(seen) => seen?,
                Err(why) => {
                    self.arena.fail(&why);
                    return None;
                }
            };
            let mut world = self.worlds[at].clone();
            if let Err(why) = world.adopt(&seen.known) {
                self.arena.fail(&format!("{} {why}", subject.plugin));
                return None;
            }
            let waits = self.pending[at]
                .take()
                .filter(|given| given.order != Order::Collect);
            self.is_now(at, world);
            self.pending[at] = waits;
        }
        Some(())
    }

    /// After a start: what was promised holds, what was under way is done or not, and comes again.
    fn verify(&mut self, client: &Client) -> Alive {
        let status = client.get("status")?;
        if status["mode"] != "normal" {
            self.arena
                .fail(&format!("it does not serve as it should: {status}"));
            return None;
        }
        self.see_generation(status["generation"].as_u64().unwrap());
        let is_collected =
            |given: &Option<Given>| given.as_ref().is_some_and(|given| given.order == Order::Collect);
        if self.pending.iter().any(is_collected) {
            self.adopt_collected(client)?;
        }
        for (at, subject) in SUBJECTS.iter().enumerate() {
            let Some(given) = self.pending[at].clone() else {
                let world = self.worlds[at].clone();
                self.await_worlds(client, at, std::slice::from_ref(&world))?;
                continue;
            };
            let (before, after) = (self.worlds[at].clone(), self.worlds[at].after(given.order));
            if is_keyed(given.order) {
                self.await_worlds(client, at, &[before, after])?;
                self.arena
                    .note(&format!("{} {} again", subject.plugin, given.key));
                let answer = subject.send(&self.arena.site.plugins(), client, &given);
                self.carried_out(client, at, &given, answer)?;
            } else {
                self.await_worlds(client, at, std::slice::from_ref(&after))?;
                self.is_now(at, after);
            }
        }
        let path = self.head.as_ref().map_or_else(
            || "audit/verify".to_owned(),
            |head| format!("audit/verify?head={head}"),
        );
        let verified = client.get(&path)?;
        if verified["intact"] != true {
            self.arena.fail(&format!("the audit is not whole: {verified}"));
            return None;
        }
        self.head = verified["head"].as_str().map(str::to_owned);
        Some(())
    }

    /// A file that is refused, whatever it is: nothing else changes.
    fn bad_file(&mut self, client: &Client) -> Alive {
        Counts::add(&self.arena.counts.bad_files);
        self.keys += 1;
        let name = format!("bad-{}.so", self.keys);
        let (path, beside) = (
            self.arena.site.plugins().join(&name),
            self.arena.site.path("bad.so"),
        );
        let what = self.chance.below(4);
        self.arena.note(&format!("bad file {name}, {what}"));
        match what {
            0 => {
                let whole = std::fs::read(fixture("echo-1-0")).unwrap();
                std::fs::write(&beside, &whole[..whole.len() / 2]).unwrap();
            }
            1 => drop(hostile("segfault", &beside)),
            2 => drop(hostile("abort", &beside)),
            _ => {
                // The version that is live, with other content.
                let subject = SUBJECTS[usize::try_from(self.chance.below(2)).unwrap()];
                let Some(live) = self.worlds[usize::from(subject.plugin == "beta")].seen.live else {
                    return Some(());
                };
                let other = CPlugin {
                    source: "fit",
                    plugin: subject.plugin,
                    version: &version(live),
                    node: subject.node,
                    target: "",
                };
                let extra = Extra {
                    flags: &["-Wl,--build-id=0xbad0bad0"],
                    ..Extra::default()
                };
                std::fs::copy(other.built(extra), &beside).unwrap();
            }
        }
        self.bad = Some(path.clone());
        deploy(&beside, &path);
        let until = Instant::now() + COMES_WITHIN;
        let end = format!("/{name}");
        loop {
            let rejected = client.get("rejected")?;
            let is_it = |one: &Json| one["path"].as_str().is_some_and(|path| path.ends_with(&end));
            if rejected.as_array().unwrap().iter().any(is_it) {
                break;
            }
            if Instant::now() > until || self.arena.is_ended() {
                self.arena.fail(&format!("{name} was not refused: {rejected}"));
                return None;
            }
            std::thread::yield_now();
        }
        std::fs::remove_file(path).unwrap();
        Some(())
    }

    /// Makes another version of the faulty plugin live; it may be refused, and the breaker may be quicker.
    fn steer_faulty(&mut self, client: &Client) -> Alive {
        let to = *self.chance.of(&["1.0.0", "1.1.0", "2.0.0"]);
        let body = json!({"to": to, "force": true, "reason": "chaos"});
        match client.send("POST", "plugins/echo/promote", Some(&body), None) {
            Answer::Done(_) | Answer::Refused(404 | 409, _) => Some(()),
            Answer::Refused(status, why) => {
                self.arena
                    .fail(&format!("echo {to} cannot be made live: {status} {why}"));
                None
            }
            Answer::Lost => None,
        }
    }
}
