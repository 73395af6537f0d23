//! Whether a host that starts has a habit of dying, and who may be to blame.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis};

use crate::record::{Boot, GoodSet};

/// What a crash loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashLimits {
    /// So many boots in a row that neither proved well nor ended by order.
    pub boots: usize,
    /// All of them within this time before now.
    pub within: Duration,
}

impl Default for CrashLimits {
    fn default() -> Self {
        Self {
            boots: 3,
            within: Duration::from_secs(600),
        }
    }
}

/// Boots in a row that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashLoop {
    /// How many.
    pub boots: usize,
    /// When the first of them began.
    pub since: UnixMillis,
}

/// Whether the boots before this one, the newest first, are a crash loop.
#[must_use]
pub fn crash_loop(boots: &[Boot], now: UnixMillis, limits: CrashLimits) -> Option<CrashLoop> {
    let within = u64::try_from(limits.within.as_millis()).unwrap_or(u64::MAX);
    // A clock that was set back is no reason to miss it.
    let is_recent = |boot: &&Boot| now.0.saturating_sub(boot.started_at.0) <= within;
    let crashed: Vec<&Boot> = boots
        .iter()
        .take_while(|boot| boot.stable_at.is_none() && boot.ended_at.is_none())
        .take_while(is_recent)
        .collect();
    let first = crashed.last()?;
    (limits.boots > 0 && crashed.len() >= limits.boots).then_some(CrashLoop {
        boots: crashed.len(),
        since: first.started_at,
    })
}

/// A plugin that is not what it was when the host was last well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The plugin.
    pub plugin: PluginName,
    /// What was live then.
    pub good: Option<RevisionNumber>,
    /// What is to be live now.
    pub desired: Option<RevisionNumber>,
}

/// What differs between what was live when the host was last well, and what is to be live now.
#[must_use]
pub fn suspects(good: &GoodSet, desired: &BTreeMap<PluginName, RevisionNumber>) -> Vec<Suspect> {
    let plugins: BTreeSet<&PluginName> = good.live.keys().chain(desired.keys()).collect();
    plugins
        .into_iter()
        .map(|plugin| Suspect {
            plugin: plugin.clone(),
            good: good.live.get(plugin).copied(),
            desired: desired.get(plugin).copied(),
        })
        .filter(|suspect| suspect.good != suspect.desired)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn boot(minute: u64) -> Boot {
        Boot {
            id: minute,
            started_at: UnixMillis(minute * MINUTE),
            version: "1.0.0".to_owned(),
            stable_at: None,
            ended_at: None,
        }
    }

    fn found(boots: &[Boot], minute: u64) -> Option<CrashLoop> {
        crash_loop(boots, UnixMillis(minute * MINUTE), CrashLimits::default())
    }

    #[test]
    fn three_boots_in_a_row_that_went_wrong_are_a_loop() {
        let boots = [boot(103), boot(102), boot(101)];
        let all = CrashLoop {
            boots: 3,
            since: UnixMillis(101 * MINUTE),
        };
        assert_eq!(found(&boots, 104), Some(all));
        assert_eq!(found(&boots[..2], 104), None);
        assert_eq!(found(&[], 104), None);
        // The clock was set back.
        assert_eq!(found(&boots, 50), Some(all));
    }

    #[test]
    fn boots_long_ago_are_no_loop() {
        let boots = [boot(103), boot(102), boot(94)];
        assert_eq!(found(&boots, 104).map(|found| found.boots), Some(3));
        assert_eq!(found(&boots, 105), None);
    }

    #[test]
    fn a_boot_that_proved_well_or_ended_by_order_ends_the_row() {
        for well in [0, 1, 2] {
            let mut boots = [boot(103), boot(102), boot(101)];
            boots[well].stable_at = Some(UnixMillis(1));
            assert_eq!(found(&boots, 104), None, "{well} was stable");
            boots[well].stable_at = None;
            boots[well].ended_at = Some(UnixMillis(1));
            assert_eq!(found(&boots, 104), None, "{well} ended");
        }
        let mut boots = [boot(104), boot(103), boot(102), boot(101)];
        boots[3].ended_at = Some(UnixMillis(1));
        assert_eq!(found(&boots, 105).map(|found| found.boots), Some(3));
    }

    #[test]
    fn suspects_are_what_changed_since_the_host_was_well() {
        let set = |entries: &[(&str, u64)]| -> BTreeMap<PluginName, RevisionNumber> {
            let entry = |&(name, number): &(&str, u64)| (name.parse().unwrap(), RevisionNumber(number));
            entries.iter().map(entry).collect()
        };
        let good = GoodSet {
            at: UnixMillis(1),
            live: set(&[("gone", 1), ("moved", 1), ("same", 1)]),
        };
        let found = suspects(&good, &set(&[("moved", 2), ("new", 1), ("same", 1)]));
        let found: Vec<_> = found
            .iter()
            .map(|suspect| {
                let number = |revision: Option<RevisionNumber>| revision.map(|number| number.0);
                (
                    suspect.plugin.as_str(),
                    number(suspect.good),
                    number(suspect.desired),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("gone", Some(1), None),
                ("moved", Some(1), Some(2)),
                ("new", None, Some(1))
            ]
        );
    }
}
