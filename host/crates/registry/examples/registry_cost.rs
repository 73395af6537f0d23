//! What a call pays for its route and its pass, and what a swap costs among a thousand plugins of ten nodes:
//! `cargo run --release -p patchbay-registry --example registry_cost`.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use patchbay_lease::Gate;
use patchbay_registry::{Candidate, Change, Dependency, Force, Mounted, Registry, SameVersion};
use patchbay_vocab::{Digest, PluginName, RevisionNumber, SystemClock, Version};

struct Nothing(Arc<Gate>);

impl Mounted for Nothing {
    fn gate(&self) -> &Arc<Gate> {
        &self.0
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new(Arc::new(SystemClock::new()), SameVersion::Refuse);
    let change = Change::by("cost", "to measure");
    let start = Instant::now();
    for plugin in 0..1000 {
        for minor in [0, 1] {
            let name: PluginName = format!("p{plugin}").parse()?;
            let nodes = (0..10).map(|node| format!("p{plugin}.n{node}").parse());
            // A chain of hundreds, so that the walk through the dependencies is paid for as well.
            let below = (plugin % 100 != 0)
                .then(|| format!("p{}", plugin - 1).parse())
                .transpose()?;
            let candidate = Candidate {
                plugin: name.clone(),
                version: Version::new(1, minor, 0),
                digest: Digest::of(format!("{plugin} {minor}").as_bytes()),
                nodes: nodes.collect::<Result<_, _>>()?,
                dependencies: below
                    .map(|plugin| {
                        Ok::<_, Box<dyn Error>>(Dependency {
                            plugin,
                            range: "^1".parse()?,
                        })
                    })
                    .transpose()?
                    .into_iter()
                    .collect(),
            };
            let number = registry.admit(candidate, "made up", &change)?.number();
            registry.mount(&name, number, Arc::new(Nothing(Arc::new(Gate::new()))))?;
            registry.promote(&name, number, Force::No, &change)?;
        }
    }
    println!(
        "2,000 admissions, mounts and promotions: {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );

    for plugin in ["p0", "p510", "p599"] {
        let name: PluginName = plugin.parse()?;
        let rounds = 10_000;
        let start = Instant::now();
        for round in 0..rounds {
            registry.promote(&name, RevisionNumber(1 + round % 2), Force::No, &change)?;
        }
        let micros = start.elapsed().as_secs_f64() * 1e6 / rounds as f64;
        println!("swap of {plugin} among 1,000 plugins and 10,000 nodes: {micros:.1} us");
    }

    let mut cache = arc_swap::Cache::new(Arc::clone(registry.source()));
    let slot = cache.load().slot("p500.n3").ok_or("not routed")?;
    let rounds = 20_000_000;
    let start = Instant::now();
    for _ in 0..rounds {
        let snapshot = cache.load();
        if let Some(route) = snapshot.route(black_box(slot)) {
            black_box(route.mount().enter());
        }
    }
    let nanos = start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds);
    println!("cached snapshot, route, enter and leave: {nanos:.1} ns");
    Ok(())
}
