//! The rules: who may be admitted, who may go live. Pure decisions over the records; they change nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use patchbay_vocab::{Digest, PluginName, RevisionNumber, RevisionState, Version, VersionReq};

use crate::book::{Book, PluginRecord, RevisionRecord, unknown};
use crate::change::{Candidate, Force, SameVersion, Selector};
use crate::error::RegistryError;
use crate::snapshot::Snapshot;

/// The revision that has this very content, if any; an error when the candidate cannot be admitted.
pub(crate) fn check_candidate<H>(
    book: &Book<H>,
    candidate: &Candidate,
    same_version: SameVersion,
) -> Result<Option<RevisionNumber>, RegistryError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = candidate.nodes.iter().find(|node| !seen.insert(*node)) {
        return Err(RegistryError::DuplicateNode {
            plugin: candidate.plugin.clone(),
            version: candidate.version.clone(),
            node: twice.clone(),
        });
    }
    check_version(
        book,
        (&candidate.plugin, &candidate.version),
        candidate.digest,
        same_version,
    )
}

/// The number that this content of a version has already, or why the version cannot have it.
pub(crate) fn check_version<H>(
    book: &Book<H>,
    (plugin, version): (&PluginName, &Version),
    digest: Digest,
    same_version: SameVersion,
) -> Result<Option<RevisionNumber>, RegistryError> {
    let Some(record) = book.plugins.get(plugin) else {
        return Ok(None);
    };
    let same = || {
        record
            .revisions
            .values()
            .filter(|known| known.version == *version)
    };
    if let Some(known) = same().find(|known| known.digest == digest) {
        return Ok(Some(known.number));
    }
    match (same().next(), same_version) {
        (Some(known), SameVersion::Refuse) => Err(RegistryError::VersionReused {
            plugin: plugin.clone(),
            version: version.clone(),
            existing: known.number,
        }),
        _ => Ok(None),
    }
}

/// Whether a revision may go live now; it need not be loaded yet.
pub(crate) fn check_eligible<H>(
    book: &Book<H>,
    snapshot: &Snapshot<H>,
    revision: &RevisionRecord<H>,
    force: Force,
) -> Result<(), RegistryError> {
    if revision.is_quarantined() && force == Force::No {
        return Err(RegistryError::Quarantined {
            plugin: revision.plugin.clone(),
            revision: revision.number,
        });
    }
    check_nodes(snapshot, revision)?;
    // A circle never ends by waiting, a missing dependency may: the circle is told first.
    check_cycle(book, revision)?;
    check_dependencies(book, revision)?;
    if force == Force::No {
        check_dependents(book, revision)
    } else {
        Ok(())
    }
}

/// Whether a revision may be promoted now.
pub(crate) fn check_promote<H>(
    book: &Book<H>,
    snapshot: &Snapshot<H>,
    plugin: &PluginName,
    number: RevisionNumber,
    force: Force,
) -> Result<(), RegistryError> {
    let revision = book.revision(plugin, number)?;
    if revision.state == RevisionState::Live {
        return Ok(());
    }
    check_eligible(book, snapshot, revision, force)?;
    let Some(mount) = &revision.mount else {
        return Err(RegistryError::NotMounted {
            plugin: plugin.clone(),
            revision: number,
            state: revision.state,
        });
    };
    if mount.gate().is_closed() {
        return Err(RegistryError::GateClosed {
            plugin: plugin.clone(),
            revision: number,
        });
    }
    Ok(())
}

/// The live plugins that need `plugin` in a range that `breaks`, each with that range.
pub(crate) fn dependents_where<H>(
    book: &Book<H>,
    plugin: &PluginName,
    breaks: impl Fn(&VersionReq) -> bool,
) -> Vec<(PluginName, VersionReq)> {
    let needed_by = book.needed_by.get(plugin).into_iter().flatten();
    let ranges = needed_by.filter_map(|dependent| Some((dependent, &book.live(dependent)?.dependencies)));
    ranges
        .flat_map(|(dependent, all)| all.iter().map(move |dependency| (dependent, dependency)))
        .filter(|(_, dependency)| dependency.plugin == *plugin && breaks(&dependency.range))
        .map(|(dependent, dependency)| (dependent.clone(), dependency.range.clone()))
        .collect()
}

/// Whether a revision that was just admitted should replace what is live by itself.
pub(crate) fn should_go_live<H>(
    record: &PluginRecord<H>,
    number: RevisionNumber,
    same_version: SameVersion,
) -> bool {
    let Some(revision) = record.revisions.get(&number) else {
        return false;
    };
    if revision.is_quarantined() || record.live == Some(number) {
        return false;
    }
    let Some(live) = record.live_record() else {
        return true;
    };
    let order = revision.version.cmp_precedence(&live.version);
    order.is_gt() || (order.is_eq() && same_version == SameVersion::Replace)
}

/// The revision that a rollback goes to.
pub(crate) fn rollback_target<H>(
    plugin: &PluginName,
    record: &PluginRecord<H>,
    selector: Option<&Selector>,
) -> Result<RevisionNumber, RegistryError> {
    let unknown_version = |wanted: &Selector| RegistryError::UnknownRevision {
        plugin: plugin.clone(),
        wanted: wanted.clone(),
    };
    match selector {
        Some(Selector::Revision(number)) if record.revisions.contains_key(number) => Ok(*number),
        Some(Selector::Revision(number)) => Err(unknown(plugin, *number)),
        Some(wanted @ Selector::Version(version)) => {
            let latest = record
                .revisions
                .values()
                .rev()
                .find(|known| known.version == *version);
            latest
                .map(|known| known.number)
                .ok_or_else(|| unknown_version(wanted))
        }
        None => once_live(record)
            .map(|revision| revision.number)
            .next()
            .ok_or_else(|| RegistryError::NothingToRollBackTo {
                plugin: plugin.clone(),
            }),
    }
}

/// The revisions that could take over from the live one when it fails, the most recently live first.
pub(crate) fn fallbacks<'b, H>(
    book: &'b Book<H>,
    snapshot: &'b Snapshot<H>,
    record: &'b PluginRecord<H>,
) -> impl Iterator<Item = &'b RevisionRecord<H>> {
    // What is needed of others still holds; that dependents want the failed version does not bring it back.
    once_live(record).filter(|revision| check_eligible(book, snapshot, revision, Force::Yes).is_ok())
}

/// What was live before, the latest first, without the live one and the quarantined ones.
fn once_live<H>(record: &PluginRecord<H>) -> impl Iterator<Item = &RevisionRecord<H>> {
    let before = record
        .live_order
        .iter()
        .filter(|number| record.live != Some(**number));
    before
        .filter_map(|number| record.revisions.get(number))
        .filter(|revision| !revision.is_quarantined())
}

fn check_nodes<H>(snapshot: &Snapshot<H>, revision: &RevisionRecord<H>) -> Result<(), RegistryError> {
    for node in &*revision.nodes {
        let route = snapshot.slot(node.as_str()).and_then(|slot| snapshot.route(slot));
        if let Some(owner) = route.map(|route| route.mount().plugin())
            && *owner != revision.plugin
        {
            return Err(RegistryError::NodeClaimed {
                plugin: revision.plugin.clone(),
                node: node.clone(),
                owner: owner.clone(),
            });
        }
    }
    Ok(())
}

fn check_dependencies<H>(book: &Book<H>, revision: &RevisionRecord<H>) -> Result<(), RegistryError> {
    for dependency in &*revision.dependencies {
        let Some(live) = book.live(&dependency.plugin) else {
            return Err(RegistryError::DependencyMissing {
                plugin: revision.plugin.clone(),
                dependency: dependency.plugin.clone(),
                range: dependency.range.clone(),
            });
        };
        if !dependency.range.matches(&live.version) {
            return Err(RegistryError::DependencyOutOfRange {
                plugin: revision.plugin.clone(),
                dependency: dependency.plugin.clone(),
                range: dependency.range.clone(),
                live: live.version.clone(),
            });
        }
    }
    Ok(())
}

fn check_dependents<H>(book: &Book<H>, revision: &RevisionRecord<H>) -> Result<(), RegistryError> {
    let dependents = dependents_where(book, &revision.plugin, |range| !range.matches(&revision.version));
    if dependents.is_empty() {
        return Ok(());
    }
    Err(RegistryError::BreaksDependents {
        plugin: revision.plugin.clone(),
        version: revision.version.clone(),
        dependents,
    })
}

/// Looks, breadth first, for a way from the dependencies back to the plugin: through what is live, and where nothing
/// is live through what would go live, so that two plugins that wait for each other are told so.
fn check_cycle<H>(book: &Book<H>, revision: &RevisionRecord<H>) -> Result<(), RegistryError> {
    let goal = &revision.plugin;
    let mut came_from: BTreeMap<&PluginName, &PluginName> = BTreeMap::new();
    let mut queue = VecDeque::new();
    let mut dependencies = &revision.dependencies;
    let mut at = goal;
    loop {
        for dependency in &**dependencies {
            let next = &dependency.plugin;
            if next == goal {
                return Err(RegistryError::DependencyCycle {
                    path: path_to(goal, at, &came_from),
                });
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                queue.extend(book.live(next).or_else(|| book.would_be_live(next)));
            }
        }
        let Some(next) = queue.pop_front() else {
            return Ok(());
        };
        (at, dependencies) = (&next.plugin, &next.dependencies);
    }
}

/// `goal -> ... -> last -> goal`, from the links of the search.
fn path_to(
    goal: &PluginName,
    last: &PluginName,
    came_from: &BTreeMap<&PluginName, &PluginName>,
) -> Vec<PluginName> {
    let back = std::iter::successors(Some(last), |at| came_from.get(at).copied());
    let mut path = vec![goal.clone()];
    path.extend(back.take_while(|at| *at != goal).cloned());
    path.push(goal.clone());
    path.reverse();
    path
}
