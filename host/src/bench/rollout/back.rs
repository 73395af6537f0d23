//! Back to what was live: by a rollback, and by the end of a canary, while two threads call.

use patchbay::{Order, Patchbay, PluginName, RevisionNumber, Selector};

use super::super::measure::{least, quantile};
use super::super::report::{Report, Row};
use super::super::seen::{Orders, Seen, watch};
use super::super::swap::row;
use super::super::{BenchError, Effort};
use super::{NAME, Two, canary};

pub(super) fn run(bytes: &[u8], effort: Effort) -> Result<Report, BenchError> {
    let (rollbacks, aborts) = match effort {
        Effort::Quick => (100, 50),
        Effort::Full => (2000, 500),
    };
    let two = Two::open(bytes)?;
    let [older, newer] = super::super::swap::two_newest(&two.host.patchbay, &two.plugin)?;
    let mut back = Back {
        host: &two.host.patchbay,
        plugin: &two.plugin,
        older,
        newer,
    };
    let plain = watch(back.host, NAME, rollbacks, &mut back)?;
    let mut keyed = Keyed(back);
    let with_key = watch(keyed.0.host, NAME, rollbacks, &mut keyed)?;
    let mut abort = Abort {
        two: &two,
        stable: newer,
    };
    // What is live before is the newer one again.
    let to = Selector::Revision(newer);
    two.host
        .patchbay
        .promote(&two.plugin, &to, Order::by("bench", ""))
        .map_err(BenchError::new)?;
    let aborted = watch(&two.host.patchbay, NAME, aborts, &mut abort)?;
    let mut rows = Vec::new();
    for (what, seen) in [
        ("a warm rollback", &plain),
        ("a warm rollback with a key", &with_key),
        ("the abort of a canary", &aborted),
    ] {
        rows.push(row(&format!("{what}, until a call sees it"), &seen.micros, None));
        let late = quantile(&seen.micros, 0.99);
        rows.push(Row::plain(
            format!("{what}, 99 % within"),
            late,
            least(&seen.micros),
            "us",
        ));
        rows.push(row(
            &format!("{what}, until it is answered (the disk has it)"),
            &seen.acknowledged,
            Some(("seen", &seen.micros)),
        ));
    }
    let all: [&Seen; 3] = [&plain, &with_key, &aborted];
    let sum = |field: fn(&Seen) -> u64| all.into_iter().map(field).sum::<u64>();
    Ok(Report {
        subject: "back: rollbacks and aborts, two callers running",
        rows,
        notes: vec![
            format!(
                "{} calls during {rollbacks} + {rollbacks} rollbacks and {aborts} aborts: {} failed, {} answered by what \
                 was gone",
                sum(|seen| seen.calls),
                sum(|seen| seen.failed),
                sum(|seen| seen.stale)
            ),
            format!(
                "a warm rollback until a call sees it: {:.1} us at the median, {:.1} us with a key (budget 10 us)",
                quantile(&plain.micros, 0.5),
                quantile(&with_key.micros, 0.5)
            ),
        ],
    })
}

/// Promotes the newer version, then rolls back to the one before.
struct Back<'h> {
    host: &'h Patchbay,
    plugin: &'h PluginName,
    older: RevisionNumber,
    newer: RevisionNumber,
}

impl Back<'_> {
    fn roll_back(&self, key: Option<String>) -> Result<(), BenchError> {
        let to = Selector::Revision(self.older);
        let order = Order {
            key,
            ..Order::by("bench", "it is slow")
        };
        let done = self.host.rollback(self.plugin, Some(&to), order);
        done.map(|_| ()).map_err(BenchError::new)
    }
}

impl Orders for Back<'_> {
    fn prepare(&mut self, _: u32) -> Result<RevisionNumber, BenchError> {
        let to = Selector::Revision(self.newer);
        let done = self.host.promote(self.plugin, &to, Order::by("bench", ""));
        done.map_err(BenchError::new)?;
        Ok(self.older)
    }

    fn order(&mut self, _: u32) -> Result<(), BenchError> {
        self.roll_back(None)
    }
}

/// The same, each time under a name of its own.
struct Keyed<'h>(Back<'h>);

impl Orders for Keyed<'_> {
    fn prepare(&mut self, turn: u32) -> Result<RevisionNumber, BenchError> {
        self.0.prepare(turn)
    }

    fn order(&mut self, turn: u32) -> Result<(), BenchError> {
        self.0.roll_back(Some(format!("rollback-{turn}")))
    }
}

/// Gives a candidate as many of the calls as a canary can, then ends that.
struct Abort<'h> {
    two: &'h Two,
    stable: RevisionNumber,
}

impl Orders for Abort<'_> {
    fn prepare(&mut self, _: u32) -> Result<RevisionNumber, BenchError> {
        self.two.start(canary(99.99))?;
        Ok(self.stable)
    }

    fn order(&mut self, _: u32) -> Result<(), BenchError> {
        let order = Order::by("bench", "it is slow");
        let done = self.two.host.patchbay.rollout_abort(&self.two.plugin, order);
        done.map(|_| ()).map_err(BenchError::new)
    }
}
