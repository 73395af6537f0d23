//! The names that workflows call nodes by: `ids.txt` has a line for each, the canonical id first, other ids after it.

use patchbay_tests_support::patchbay::NodeView;

const TABLE: &str = include_str!("ids.txt");

/// Names that no node answers to, and why that is meant. One that a node answers to does not belong here.
pub(super) const ABSENT: [(&str, &str); 3] = [
    (
        "control.getBotStatus",
        "it asks for the state of one product's own bot",
    ),
    (
        "control.resetBotState",
        "it clears the state of one product's own bot",
    ),
    (
        "control.startBot",
        "it starts one product's own bot as a thread of the executor",
    ),
];

/// A line of the table.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) aliases: Vec<&'static str>,
}

pub(super) fn known() -> Vec<Entry> {
    let lines = TABLE.lines().map(|line| {
        let mut names = line.split(' ');
        Entry {
            name: names.next().unwrap_or_default(),
            aliases: names.collect(),
        }
    });
    lines.collect()
}

impl Entry {
    /// Which of its names no node answers to, or one does that should not.
    pub(super) fn judged(&self, nodes: &[NodeView]) -> Vec<String> {
        let answered = |name: &str| {
            let mut names = nodes
                .iter()
                .flat_map(|node| std::iter::once(&node.node_type).chain(&node.aliases));
            names.any(|known| known.as_str() == name)
        };
        let absent = ABSENT.iter().find(|(name, _)| *name == self.name);
        let names = std::iter::once(self.name).chain(self.aliases.iter().copied());
        let wrong = names.filter_map(|name| match (answered(name), absent) {
            (false, None) => Some(format!("{name}: no node answers to it")),
            (true, Some((_, why))) => Some(format!("{name}: a node answers to it, so take out `{why}`")),
            _ => None,
        });
        wrong.collect()
    }
}
