//! Damage with a plan: fields of headers, of the dynamic table and of the note take the values that readers fear.

use proptest::prelude::*;

use super::*;

/// A change to the bytes of a good plugin.
#[derive(Clone, Debug)]
enum Change {
    /// A field of the file's header.
    Header { at: usize, value: u64 },
    /// A field of a program header.
    Segment { number: usize, field: usize, value: u64 },
    /// Tag or value of an entry of the dynamic table.
    Dynamic { number: usize, field: usize, value: u64 },
    /// Bytes of the note.
    Note { at: usize, value: u64 },
    /// Any word.
    Word { at: usize, value: u64 },
    /// Everything behind a place.
    Cut { at: usize },
    /// A piece of the file somewhere else.
    Moved { from: usize, to: usize, len: usize },
}

/// Numbers at the edges of what fits, and small ones.
fn fearful() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(i64::MAX as u64),
        Just(u64::from(u32::MAX)),
        (0_u32..64).prop_map(|bit| 1 << bit),
        (0_u32..64).prop_map(|bit| (1_u64 << bit).wrapping_sub(1)),
        0_u64..0x8000,
        any::<u64>(),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0_usize..1 << 15;
    prop_oneof![
        (0_usize..64, fearful()).prop_map(|(at, value)| Change::Header { at, value }),
        (0_usize..12, 0_usize..56, fearful()).prop_map(|(number, field, value)| Change::Segment {
            number,
            field,
            value
        }),
        (0_usize..32, prop_oneof![Just(0_usize), Just(8)], fearful())
            .prop_map(|(number, field, value)| Change::Dynamic { number, field, value }),
        (0_usize..312, fearful()).prop_map(|(at, value)| Change::Note { at, value }),
        (place.clone(), fearful()).prop_map(|(at, value)| Change::Word { at, value }),
        place.clone().prop_map(|at| Change::Cut { at }),
        (place.clone(), place, 1_usize..512).prop_map(|(from, to, len)| Change::Moved { from, to, len }),
    ]
}

struct Good {
    bytes: Vec<u8>,
    dynamic: usize,
    note: usize,
}

impl Good {
    fn build() -> Self {
        let bytes = fit().flag("-Wl,--hash-style=both").build();
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let mut headers = (0..usize::from(bytes[56])).map(|n| word(32) + n * 56);
        let dynamic = headers.find(|at| bytes[*at..at + 4] == [2, 0, 0, 0]).unwrap();
        let owner = bytes
            .windows(9)
            .position(|window| window == b"Patchbay\0")
            .unwrap();
        Self {
            dynamic: word(dynamic + 8),
            note: owner - 12,
            bytes,
        }
    }

    fn changed(&self, changes: &[Change]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for change in changes {
            let (at, value) = match *change {
                Change::Header { at, value } | Change::Word { at, value } => (at, value),
                Change::Segment { number, field, value } => (64 + number * 56 + field, value),
                Change::Dynamic { number, field, value } => (self.dynamic + number * 16 + field, value),
                Change::Note { at, value } => (self.note + at, value),
                Change::Cut { at } => {
                    bytes.truncate(at);
                    continue;
                }
                Change::Moved { from, to, len } => {
                    let end = |at: usize| (at + len).min(bytes.len());
                    let piece = bytes[from.min(bytes.len())..end(from)].to_vec();
                    if let Some(room) = bytes.get_mut(to..to + piece.len()) {
                        room.copy_from_slice(&piece);
                    }
                    continue;
                }
            };
            if let Some(room) = bytes.get_mut(at..at + 8) {
                room.copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes
    }
}

#[test]
fn a_plugin_changed_with_a_plan_is_fit_within_the_policy_or_refused_with_a_code() {
    let (good, policy) = (Good::build(), standard());
    let config = ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(changes in prop::collection::vec(change(), 1..6))| {
        match read_bytes(&good.changed(&changes), &policy) {
            Ok(facts) => {
                prop_assert!(facts.mapped_bytes <= policy.max_mapped_bytes);
                prop_assert!(facts.linkage.exports.len() <= policy.max_exports_listed);
                prop_assert!(facts.note.contract <= policy.contract);
            }
            Err(error) => {
                prop_assert!(error.code().0.starts_with("PB-INSPECT-"), "{}", error);
                prop_assert!(!error.help().is_empty());
            }
        }
    });
}
