//! The contract's versions: what each added, and what a plugin says it needs.
//!
//! Invariant: a field that came after the first minor is in [`ADDED`], so that a host which lacks it can say so by name.

use std::fmt;
use std::mem::offset_of;

use crate::abi::HostTable;

/// A version of the contract. A host loads every plugin of its own major that needs a minor up to its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// Changes when an old plugin can no longer load.
    pub major: u32,
    /// Grows with each addition.
    pub minor: u32,
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The contract that this SDK speaks.
pub const CONTRACT: Contract = Contract { major: 1, minor: 3 };

/// The first minor of this major: what a plugin needs that says nothing, since the SDK asks before it uses what came
/// later.
pub const FIRST: Contract = Contract { major: 1, minor: 0 };

/// What each minor after the first added, as `TYPE.field`, or as `store NAME` for one that tables need not grow for;
/// ascending.
pub const ADDED: &[(u32, &[&str])] = &[
    (1, &["HostTable.wall_clock"]),
    (
        2,
        &[
            "HostTable.list",
            "HostTable.replace",
            "HostTable.select_output",
            "HostTable.evaluate",
        ],
    ),
    (3, &["store SETTINGS"]),
];

impl Contract {
    /// The fields that a host of this contract lacks for a plugin which needs `wanted`, as far as this build knows.
    #[must_use]
    pub fn lacks(self, wanted: Self) -> Vec<&'static str> {
        if self.major != wanted.major || self.major != CONTRACT.major {
            return Vec::new();
        }
        let later = ADDED
            .iter()
            .filter(|(minor, _)| (self.minor + 1..=wanted.minor).contains(minor));
        later.flat_map(|(_, fields)| fields.iter().copied()).collect()
    }

    /// Bytes of the [`HostTable`] that a host of this contract lends.
    #[must_use]
    pub const fn host_table_size(self) -> u32 {
        match self.minor {
            0 => offset_of!(HostTable, wall_clock) as u32,
            1 => offset_of!(HostTable, list) as u32,
            _ => size_of::<HostTable>() as u32,
        }
    }

    /// Reads `needs: "MAJOR.MINOR"`; stops the build when that is no contract this SDK speaks.
    #[doc(hidden)]
    #[must_use]
    pub const fn needed(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut parts, mut part, mut digits, mut at) = ([0_u32; 2], 0, 0, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'.' if part == 0 && digits > 0 => (part, digits) = (1, 0),
                digit @ b'0'..=b'9' if digits < 4 => {
                    parts[part] = parts[part] * 10 + (digit - b'0') as u32;
                    digits += 1;
                }
                _ => panic!("`needs` is written as \"MAJOR.MINOR\", such as \"1.1\""),
            }
            at += 1;
        }
        assert!(
            part == 1 && digits > 0,
            "`needs` is written as \"MAJOR.MINOR\", such as \"1.1\""
        );
        let [major, minor] = parts;
        assert!(
            major == CONTRACT.major && minor <= CONTRACT.minor,
            "`needs` names a contract that this plugin-api does not speak"
        );
        Self { major, minor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_lacks_is_what_came_after_its_minor() {
        let second = Contract { major: 1, minor: 1 };
        assert_eq!(FIRST.lacks(second), ["HostTable.wall_clock"]);
        assert_eq!(FIRST.lacks(CONTRACT).len(), 6);
        assert_eq!(
            second.lacks(CONTRACT),
            [
                "HostTable.list",
                "HostTable.replace",
                "HostTable.select_output",
                "HostTable.evaluate",
                "store SETTINGS"
            ]
        );
        assert_eq!(CONTRACT.lacks(CONTRACT), [""; 0]);
        assert_eq!(CONTRACT.lacks(FIRST), [""; 0]);
        // What a minor adds that this build has not heard of cannot be named.
        let newer = Contract { major: 1, minor: 99 };
        assert_eq!(CONTRACT.lacks(newer), [""; 0]);
        assert_eq!(FIRST.lacks(newer), FIRST.lacks(CONTRACT));
        assert_eq!(FIRST.lacks(Contract { major: 2, minor: 1 }), [""; 0]);
    }

    #[test]
    fn additions_are_listed_in_order_up_to_this_contract() {
        let minors: Vec<u32> = ADDED.iter().map(|(minor, _)| *minor).collect();
        assert_eq!(minors, (1..=CONTRACT.minor).collect::<Vec<_>>());
        assert!(ADDED.iter().all(|(_, fields)| !fields.is_empty()));
    }

    #[test]
    fn each_minor_lends_a_table_that_is_not_smaller_than_the_one_before() {
        let sizes = (0..=CONTRACT.minor).map(|minor| Contract { major: 1, minor }.host_table_size());
        assert_eq!(sizes.collect::<Vec<_>>(), [72, 80, 112, 112]);
        assert_eq!(CONTRACT.host_table_size() as usize, size_of::<HostTable>());
    }

    #[test]
    fn a_need_is_read_from_its_text() {
        assert_eq!(Contract::needed("1.0"), FIRST);
        assert_eq!(Contract::needed("1.1"), Contract { major: 1, minor: 1 });
        assert_eq!(Contract::needed("1.2"), Contract { major: 1, minor: 2 });
        assert_eq!(Contract::needed("1.3"), CONTRACT);
        for bad in [
            "", "1", "1.", ".1", "1.1.0", "1.x", "2.0", "1.99", "0.1", "1.10000", "99999.0",
        ] {
            assert!(
                std::panic::catch_unwind(|| Contract::needed(bad)).is_err(),
                "`{bad}` was taken"
            );
        }
    }
}
