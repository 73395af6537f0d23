//! The way of a call out of a snapshot: to what is live, to where a pin holds its caller, to where a share takes it. All in
//! one run; `cargo bench -p patchbay-registry` shows each beside the plain way.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be made ready has nothing to measure"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use patchbay_lease::Gate;
use patchbay_registry::{
    Caller, Candidate, Change, Force, Mounted, NodeSlot, PinScope, Registry, SameVersion, Snapshot, Split,
};
use patchbay_rollout::{Sticky, Tickets, Weight};
use patchbay_vocab::{Digest, FakeClock, PluginName, RevisionNumber};

const NODE: &str = "bench.node";
const CALLERS: usize = 64;

/// A load that is a gate alone.
struct Load(Arc<Gate>);

impl Mounted for Load {
    fn gate(&self) -> &Arc<Gate> {
        &self.0
    }
}

fn by_bench() -> Change {
    Change::by("bench", "")
}

/// A plugin with two versions that are loaded, the second one live.
fn two() -> (Registry<Load>, PluginName, [RevisionNumber; 2]) {
    let registry = Registry::new(Arc::new(FakeClock::new()), SameVersion::Refuse);
    let plugin: PluginName = "bench".parse().expect("a name");
    let numbers = ["1.0.0", "2.0.0"].map(|version| {
        let candidate = Candidate {
            plugin: plugin.clone(),
            version: version.parse().expect("a version"),
            digest: Digest::of(version.as_bytes()),
            nodes: vec![NODE.parse().expect("a node type")],
            dependencies: Vec::new(),
        };
        let admitted = registry.admit(candidate, "bench.so", &by_bench());
        let number = admitted.expect("a revision").number();
        let load = Arc::new(Load(Arc::new(Gate::new())));
        registry.mount(&plugin, number, load).expect("a mount");
        number
    });
    registry
        .promote(&plugin, numbers[1], Force::No, &by_bench())
        .expect("a swap");
    (registry, plugin, numbers)
}

fn pinned(tenants: usize) -> Registry<Load> {
    let (registry, plugin, [older, _]) = two();
    for tenant in 0..tenants {
        let scope = PinScope {
            workflow: None,
            tenant: Some(tenant_of(tenant).parse().expect("a tenant")),
        };
        registry.pin(&plugin, scope, older, &by_bench()).expect("a pin");
    }
    registry
}

fn split(by: Sticky) -> Registry<Load> {
    let (registry, plugin, [older, _]) = two();
    let split = Split {
        to: older,
        weight: Weight::from_basis_points(5_000).expect("a weight"),
        by,
        salt: 7,
        tickets: Arc::new(Tickets::default()),
    };
    registry
        .split(&plugin, split, Force::No, &by_bench())
        .expect("a share");
    registry
}

fn tenant_of(number: usize) -> String {
    format!("tenant-{number:04}")
}

/// Sends the callers one after the other.
struct Sending {
    snapshot: Arc<Snapshot<Load>>,
    slot: NodeSlot,
    callers: Vec<(String, String)>,
    next: usize,
}

impl Sending {
    fn on(registry: &Registry<Load>, tenants: usize) -> Self {
        let snapshot = registry.snapshot();
        let of = |caller: usize| (tenant_of(caller * tenants / CALLERS), format!("run-{caller}"));
        Self {
            slot: snapshot.slot(NODE).expect("a slot"),
            snapshot,
            callers: (0..CALLERS).map(of).collect(),
            next: 0,
        }
    }

    fn one(&mut self) -> Option<RevisionNumber> {
        self.next = (self.next + 1) % CALLERS;
        let (tenant, run) = self.callers.get(self.next)?;
        let caller = Caller {
            tenant,
            run,
            workflow: None,
            key: None,
        };
        let route = self.snapshot.route(black_box(self.slot))?;
        let leg = route.leg(black_box(&caller)).ok()?;
        Some(leg.mount.revision())
    }
}

fn ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("way");
    let all = [
        ("plain", two().0, 1),
        ("share by run", split(Sticky::Run), 1),
        ("share by tenant", split(Sticky::Tenant), 1_000),
        ("pin, 1", pinned(1), 1),
        ("pin, 1000", pinned(1_000), 1_000),
    ];
    for (name, registry, tenants) in &all {
        let mut sending = Sending::on(registry, *tenants);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| sending.one());
        });
    }
    group.finish();
}

criterion_group!(benches, ways);
criterion_main!(benches);
