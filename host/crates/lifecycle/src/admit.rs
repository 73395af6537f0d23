//! From evidence to a mounted revision.

use std::sync::Arc;

use patchbay_dispatch::Served;
use patchbay_isolate::Probed;
use patchbay_loader::{LayoutCheck, LoadError, LoadedPlugin, Unloaded, load};
use patchbay_registry::{Candidate, Change, Dependency, Mount};
use patchbay_vocab::{PluginName, RevisionNumber, kill_point};

use crate::error::LifecycleError;
use crate::lifecycle::{Lifecycle, Loading};

/// Loads a probed artifact for service: the one place that does.
fn load_for_service(lifecycle: &Lifecycle, probed: &Probed) -> Result<LoadedPlugin, LifecycleError> {
    let inspected = probed.inspected();
    let digest = inspected.digest();
    lifecycle.on_load(Loading::Begins {
        plugin: inspected.plugin(),
        version: inspected.version(),
        digest,
    });
    let loaded = load(inspected, lifecycle.maps(), LayoutCheck::Done);
    lifecycle.on_load(Loading::Ended { digest });
    let plugin = loaded?;
    // What was tried has to be what serves: a description that changes says that something else does.
    if plugin.description().digest != probed.verdict().description {
        plugin.gate().close();
        if let Unloaded::Pinned(reasons) = plugin.unload() {
            tracing::warn!(plugin = %plugin.description().name, ?reasons, "a refused load stays mapped");
        }
        return Err(LoadError::Inconstant.into());
    }
    lifecycle.note_provenance(digest, inspected.provenance().clone());
    Ok(plugin)
}

/// Loads a probed artifact and gives it a number.
pub(crate) fn admit(
    lifecycle: &Lifecycle,
    probed: &Probed,
    change: &Change,
) -> Result<RevisionNumber, LifecycleError> {
    let inspected = probed.inspected();
    // What will be refused all the same is not mapped first: a file that was damaged since its version was taken in can pass
    // a trial by luck.
    let registry = lifecycle.registry();
    registry.check_version(inspected.plugin(), inspected.version(), inspected.digest())?;
    let served = Arc::new(Served::new(load_for_service(lifecycle, probed)?));
    let dependencies = served.plugin().description().dependencies.iter();
    let dependencies = dependencies.map(|(plugin, range)| Dependency {
        plugin: plugin.clone(),
        range: range.clone(),
    });
    let candidate = Candidate {
        plugin: inspected.plugin().clone(),
        version: inspected.version().clone(),
        digest: inspected.digest(),
        nodes: served.names(),
        dependencies: dependencies.collect(),
    };
    let origin = inspected.origin().display().to_string();
    kill_point("admit.loaded");
    let mounted = registry.admit(candidate, &origin, change).and_then(|admission| {
        let number = admission.number();
        kill_point("admit.numbered");
        if registry.mounted(inspected.plugin(), number).is_some() {
            return Ok((number, false));
        }
        registry
            .mount(inspected.plugin(), number, Arc::clone(&served))
            .map(|_| (number, true))
    });
    // What the registry did not take has no other owner: it would stay mapped for ever.
    if !matches!(mounted, Ok((_, true))) {
        discard(&served);
    }
    Ok(mounted?.0)
}

/// Maps a revision that was retired or sleeps, from its stored artifact. The caller has the plugin's turn.
pub(crate) fn mount_again(
    lifecycle: &Lifecycle,
    plugin: &PluginName,
    number: RevisionNumber,
) -> Result<(), LifecycleError> {
    let registry = lifecycle.registry();
    match registry.mounted(plugin, number) {
        Some(asleep) if asleep.is_closed() => return wake_up(lifecycle, &asleep),
        Some(_) => return Ok(()),
        None => {}
    }
    let status = registry.plugin(plugin)?;
    let Some(revision) = status.revisions.iter().find(|revision| revision.number == number) else {
        return Ok(());
    };
    let probed = lifecycle.vetting().again(revision.digest)?;
    let served = Arc::new(Served::new(load_for_service(lifecycle, &probed)?));
    match registry.mount(plugin, number, Arc::clone(&served)) {
        Ok(_) => Ok(()),
        // Somebody else was quicker.
        Err(_) if registry.mounted(plugin, number).is_some() => {
            discard(&served);
            Ok(())
        }
        Err(error) => {
            discard(&served);
            Err(error.into())
        }
    }
}

/// Maps a revision that sleeps again, gives it the states that were parked, and routes to it where it is live.
fn wake_up(lifecycle: &Lifecycle, asleep: &Arc<Mount<Served>>) -> Result<(), LifecycleError> {
    let begin = lifecycle.clock().now();
    let probed = lifecycle.vetting().again(asleep.digest())?;
    let served = Arc::new(Served::new(load_for_service(lifecycle, &probed)?));
    let old = asleep.handle().plugin();
    served.plugin().take_over(old);
    if let Err(error) = lifecycle.registry().awake(asleep, Arc::clone(&served)) {
        discard(&served);
        return Err(error.into());
    }
    old.forget_states();
    let micros = lifecycle.clock().now().since(begin).as_micros();
    lifecycle.woke(asleep, u64::try_from(micros).unwrap_or(u64::MAX));
    Ok(())
}

/// Unloads what was loaded and never mounted: no call was in it.
fn discard(served: &Served) {
    served.plugin().gate().close();
    if let Unloaded::Pinned(reasons) = served.plugin().unload() {
        tracing::warn!(plugin = %served.plugin().description().name, ?reasons, "a load without use stays mapped");
    }
}
