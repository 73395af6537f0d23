//! What a rollout costs those who call meanwhile, and how soon they are rid of it.
//!
//! Each way to call has a host of its own, so that all of them are measured in the same rounds.

mod back;

use patchbay::{
    Call, Node, Order, Output, PinScope, PluginName, RevisionNumber, RolloutScope, Selector, Value,
};
use serde_json::{Value as Json, json};

use super::measure::{Subject, alternate_often};
use super::report::Report;
use super::restart::many::compiled;
use super::stage::{Host, Stage};
use super::swap::{from_files, two_newest};
use super::{BenchError, Effort};

/// The plugin, which is written in C, and its node.
const NAME: &str = "answers-null";
/// Callers that take turns: half of them, about, are taken along by a canary at 50 %.
const CALLERS: usize = 64;

pub(crate) fn run(effort: Effort, reports: &mut Vec<Report>) -> Result<(), BenchError> {
    // Without state, so that two versions of it can serve at once.
    let bytes = compiled(NAME, 0)?;
    reports.push(ways(&bytes, effort)?);
    reports.push(back::run(&bytes, effort)?);
    Ok(())
}

/// A host with two versions of the plugin loaded, the newer one live.
struct Two {
    host: Host,
    plugin: PluginName,
    older: RevisionNumber,
}

impl Two {
    fn open(bytes: &[u8]) -> Result<Self, BenchError> {
        let plugin: PluginName = NAME.parse().map_err(BenchError::new)?;
        let host = Stage::host_of(&[("test.so".to_owned(), bytes.to_vec())], |config| {
            config.history_limit = 4;
        })?;
        from_files(&host, &plugin, bytes, 1)?;
        let [older, _] = two_newest(&host.patchbay, &plugin)?;
        Ok(Self { host, plugin, older })
    }

    fn rolled_out(bytes: &[u8], policy: Json) -> Result<Self, BenchError> {
        let two = Self::open(bytes)?;
        two.start(policy)?;
        Ok(two)
    }

    fn start(&self, policy: Json) -> Result<(), BenchError> {
        let to = Selector::Revision(self.older);
        let order = Order::by("bench", "");
        let started = self
            .host
            .patchbay
            .rollout_start(&self.plugin, &to, Some(policy), order);
        started.map(|_| ()).map_err(BenchError::new)
    }

    fn pinned(bytes: &[u8], tenants: usize) -> Result<Self, BenchError> {
        let two = Self::open(bytes)?;
        for tenant in 0..tenants {
            let scope = PinScope {
                workflow: None,
                tenant: Some(tenant_of(tenant).parse().map_err(BenchError::new)?),
            };
            let to = Selector::Revision(two.older);
            let order = Order::by("bench", "");
            two.host
                .patchbay
                .pin(&two.plugin, &to, scope, order)
                .map_err(BenchError::new)?;
        }
        Ok(two)
    }

    /// Whether its rollout is where it was, so that all rounds measured the same.
    fn still_goes_on(&self) -> Result<(), BenchError> {
        let running = self
            .host
            .patchbay
            .rollouts(Some(&self.plugin), RolloutScope::Running);
        match running.map_err(BenchError::new)?.first() {
            Some(rollout) if rollout.phase == "paused" => Err(BenchError::new(&rollout.message)),
            Some(_) => Ok(()),
            None => Err(BenchError::new("the rollout has ended")),
        }
    }
}

fn tenant_of(number: usize) -> String {
    format!("tenant-{number:04}")
}

/// The callers, and what they need to call one host.
struct Calling {
    node: Node,
    calls: Vec<Call>,
    input: Value,
    out: Output,
    next: usize,
}

impl Calling {
    fn of(two: &Two, tenants: usize) -> Result<Self, BenchError> {
        let of = |caller: usize| {
            let tenant = tenant_of(caller * tenants.max(1) / CALLERS);
            tenant.parse().map(Call::of).map_err(BenchError::new)
        };
        Ok(Self {
            node: two.host.patchbay.resolve(NAME).map_err(BenchError::new)?,
            calls: (0..CALLERS).map(of).collect::<Result<_, _>>()?,
            input: Value::from_json("{}").map_err(BenchError::new)?,
            out: Output::with_limit(1 << 20),
            next: 0,
        })
    }

    fn once(&mut self) -> bool {
        self.next = (self.next + 1) % CALLERS;
        let Some(call) = self.calls.get(self.next) else {
            return false;
        };
        self.node.call(self.input.as_ref(), call, &mut self.out).is_ok()
    }
}

fn canary(share: f64) -> Json {
    json!({"canary": {"steps": [share], "pause": {"afterMs": 3_000_000}}})
}

fn shadow(percent: u32) -> Json {
    json!({"shadow": {"sample": percent, "calls": 10_000_000, "then": "manual"}})
}

fn ways(bytes: &[u8], effort: Effort) -> Result<Report, BenchError> {
    let plain = Two::open(bytes)?;
    let halved = Two::rolled_out(bytes, canary(50.0))?;
    let one_pin = Two::pinned(bytes, 1)?;
    let pins = Two::pinned(bytes, 1000)?;
    let seldom = Two::rolled_out(bytes, shadow(1))?;
    let always = Two::rolled_out(bytes, shadow(100))?;
    let subjects = vec![
        calling("no detours", Calling::of(&plain, 1)?),
        calling("a canary at 50 %, measured", Calling::of(&halved, 1)?),
        calling("the caller's tenant is pinned, 1 pin", Calling::of(&one_pin, 1)?),
        calling(
            "the caller's tenant is pinned, 1,000 pins",
            Calling::of(&pins, 1000)?,
        ),
        calling("a shadow of 1 % of the calls", Calling::of(&seldom, 1)?),
        calling("a shadow of all calls", Calling::of(&always, 1)?),
    ];
    let mut rows = alternate_often(subjects, effort);
    let (median, least) = (rows[0].median, rows[0].min);
    for row in &mut rows[1..] {
        row.added = Some(row.median - median);
    }
    halved.still_goes_on()?;
    seldom.still_goes_on()?;
    always.still_goes_on()?;
    let added = |at: usize| (rows[at].median - median, rows[at].min - least);
    let (median, least) = added(1);
    let (pin, many) = (added(2).0, added(3).0);
    Ok(Report {
        subject: "rollout: a node that answers null, 64 callers in turn",
        notes: vec![
            format!(
                "a canary adds {median:.1} ns to a call at the median, {least:.1} ns at the least (budget 15 ns)"
            ),
            format!(
                "a pin adds {pin:.1} ns to the call of whom it holds, {many:.1} ns when it is one of 1,000"
            ),
        ],
        rows,
    })
}

fn calling(name: &str, mut calling: Calling) -> Subject<'static> {
    Subject::new(name, move || calling.once())
}
