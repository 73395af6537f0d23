//! The host's caches as listings show them.

use patchbay_registry::PluginStatus;
use patchbay_runs::CacheNumbers;
use patchbay_wire as wire;

use crate::patchbay::Inner;

pub(crate) fn caches(inner: &Inner) -> wire::CachesView {
    let instances = instances(inner);
    let plugins = plugins(inner);
    let mut caches = vec![
        wire::CacheView::new("instances", instances.live, instances.hits, instances.misses)
            .evicting(instances.evictions),
        wire::CacheView::new("plugins", plugins.awake, plugins.hits, plugins.misses)
            .evicting(plugins.sleeps)
            .of_bytes(plugins.mapped_bytes),
    ];
    caches.extend(inner.runs.caches().map(of_workflows));
    wire::CachesView {
        caches,
        instances,
        plugins,
    }
}

fn of_workflows((name, numbers): (&str, CacheNumbers)) -> wire::CacheView {
    let view =
        wire::CacheView::new(name, numbers.entries, numbers.hits, numbers.misses).evicting(numbers.evictions);
    match name {
        // Verdicts on compiled documents, which are counted where the documents are.
        "validations" => view,
        _ => view.of_bytes(numbers.bytes),
    }
}

fn instances(inner: &Inner) -> wire::InstancesView {
    let plugins = inner.lifecycle.instances().into_iter();
    let plugins = plugins.map(|(plugin, counts)| wire::PluginInstancesView {
        plugin,
        live: counts.live,
        parked: counts.parked,
        parked_bytes: counts.parked_bytes,
        hits: counts.hits,
        misses: counts.misses,
        evictions: counts.evictions,
        restored: counts.restored,
    });
    let plugins: Vec<_> = plugins.collect();
    let sum = |field: fn(&wire::PluginInstancesView) -> u64| plugins.iter().map(field).sum();
    wire::InstancesView {
        live: sum(|plugin| plugin.live),
        parked: sum(|plugin| plugin.parked),
        parked_bytes: sum(|plugin| plugin.parked_bytes),
        hits: sum(|plugin| plugin.hits),
        misses: sum(|plugin| plugin.misses),
        evictions: sum(|plugin| plugin.evictions),
        restored: sum(|plugin| plugin.restored),
        plugins,
    }
}

fn plugins(inner: &Inner) -> wire::MappedPluginsView {
    let sleeps = inner.lifecycle.sleeps();
    let (mut awake, mut asleep, mut mapped, mut calls) = (0, 0, 0, 0);
    for PluginStatus {
        plugin, revisions, ..
    } in inner.registry.plugins()
    {
        for revision in revisions {
            calls += revision.calls_ever;
            if revision.mounted {
                *(if revision.asleep { &mut asleep } else { &mut awake }) += 1;
            }
            let loads = inner.registry.loads(&plugin, revision.number);
            let bytes = loads
                .iter()
                .map(|mount| mount.handle().plugin().mapped_bytes() as u64);
            mapped += bytes.sum::<u64>();
        }
    }
    wire::MappedPluginsView {
        awake,
        asleep,
        mapped_bytes: mapped,
        hits: calls.saturating_sub(sleeps.waited),
        misses: sleeps.waited,
        sleeps: sleeps.sleeps,
        wakes: sleeps.wakes,
        failed_wakes: sleeps.failed,
        last_wake_micros: (sleeps.wakes > 0).then_some(sleeps.last_micros),
        longest_wake_micros: (sleeps.wakes > 0).then_some(sleeps.longest_micros),
    }
}
