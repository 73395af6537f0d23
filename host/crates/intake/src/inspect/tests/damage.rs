//! Damaged files end in a coded error or are fit; they never end the process.

use super::*;

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn a_plugin_cut_at_every_percent_is_refused() {
    for flags in [vec![], vec!["-s"], vec!["-g"]] {
        let good = Recipe { flags, ..fit() }.build();
        assert_eq!(code(&good), "fit");
        for percent in 0..100 {
            let cut = &good[..good.len() * percent / 100];
            assert_ne!(code(cut), "fit", "{percent} %");
        }
        assert_eq!(code(&good[..good.len() - 1]), "010");
    }
}

#[test]
fn a_plugin_whose_every_byte_is_flipped_in_turn_never_ends_the_process() {
    let good = fit().flag("-Wl,--hash-style=both").build();
    let mut bytes = good.clone();
    let policy = standard();
    let mut refused = 0;
    for at in 0..bytes.len() {
        bytes[at] = !good[at];
        refused += usize::from(read_bytes(&bytes, &policy).is_err());
        bytes[at] = good[at];
    }
    // Most bytes are padding, code and section headers, which no reader of segments looks at.
    assert!(refused > 500, "only {refused}");
}

#[test]
fn random_mutants_never_end_the_process() {
    let good = fit().flag("-Wl,--hash-style=both").build();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let policy = standard();
    // Half of them aim at the tables at the start, where a hit matters.
    for round in 0..4000 {
        let mut bytes = good.clone();
        let reach = if round % 2 == 0 { bytes.len() } else { 2048 };
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(reach - 8);
            let len = 1 + dice.roll(8);
            let value = match dice.roll(4) {
                0 => u64::MAX,
                1 => 0,
                2 => 1 << dice.roll(64),
                _ => dice.0,
            };
            bytes[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
        }
        if let Err(error) = read_bytes(&bytes, &policy) {
            assert!(error.code().0.starts_with("PB-INSPECT-"));
        }
    }
}

#[test]
fn random_bytes_behind_a_good_header_never_end_the_process() {
    let good = fit().build();
    let mut dice = Dice(7);
    for _ in 0..500 {
        let mut bytes = good.clone();
        for byte in &mut bytes[64..] {
            *byte = dice.roll(256) as u8;
        }
        assert_ne!(code(&bytes), "fit");
    }
}

/// Offset of the first program header of this type.
fn header_at(bytes: &[u8], kind: u32) -> usize {
    let count = usize::from(u16::from_le_bytes([bytes[56], bytes[57]]));
    (0..count)
        .map(|n| 64 + n * 56)
        .find(|at| bytes[*at..*at + 4] == kind.to_le_bytes())
        .unwrap()
}

fn with_word(bytes: &[u8], at: usize, word: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
    bytes
}

fn word_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[test]
fn segments_that_lie_about_their_place_are_refused() {
    let good = fit().build();
    let load = header_at(&good, 1);
    let (offset, address, in_file, in_memory, align) = (load + 8, load + 16, load + 32, load + 40, load + 48);
    for (at, word, expected) in [
        (offset, !0xfff, "010"),
        (in_file, 1 << 40, "010"),
        (in_memory, u64::MAX, "012"),
        (in_memory, 1, "012"),
        (in_memory, 1 << 36, "012"),
        (address, 1 << 46, "012"),
        (address, 1 << 48, "012"),
        (align, 3, "012"),
        (align, 1 << 60, "012"),
    ] {
        assert_eq!(code(&with_word(&good, at, word)), expected, "{at} = {word:#x}");
    }
    let dynamic = header_at(&good, 2);
    assert_eq!(code(&with_word(&good, dynamic + 16, 1 << 40)), "011");
    assert_eq!(code(&with_word(&good, dynamic + 32, 16)), "011");
    let relro = header_at(&good, 0x6474_e552);
    assert_eq!(code(&with_word(&good, relro + 40, 1 << 30)), "011");
}

#[test]
fn tables_that_lie_about_their_place_or_size_are_refused() {
    let good = fit().flag("-Wl,--hash-style=both").build();
    let dynamic = word_at(&good, header_at(&good, 2) + 8) as usize;
    let mut seen = 0;
    for entry in (dynamic..).step_by(16) {
        let tag = word_at(&good, entry);
        if tag == 0 {
            break;
        }
        // Addresses and sizes that the linker follows: hash, strings, symbols, relocations, code, versions.
        let followed = [
            2,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            20,
            23,
            25,
            26,
            27,
            28,
            0x6fff_fef5,
            0x6fff_fff0,
            0x6fff_fffe,
        ];
        if followed.contains(&tag) {
            seen += 1;
            assert_eq!(
                code(&with_word(&good, entry + 8, (1 << 40) + 8)),
                "011",
                "tag {tag:#x}"
            );
        }
    }
    assert!(seen >= 15, "only {seen} tables");
}

#[test]
fn hash_tables_without_an_end_are_refused_at_once() {
    let good = fit().flag("-Wl,--hash-style=both").build();
    let dynamic = word_at(&good, header_at(&good, 2) + 8) as usize;
    let value = |tag: u64| {
        let entry = (dynamic..)
            .step_by(16)
            .find(|at| word_at(&good, *at) == tag)
            .unwrap();
        word_at(&good, entry + 8) as usize
    };
    let (sysv, gnu) = (value(4), value(0x6fff_fef5));
    let counts = word_at(&good, sysv);
    let (buckets, chains) = (counts as u32 as usize, (counts >> 32) as usize);
    // Each chain entry names itself.
    let mut bytes = good.clone();
    for n in 1..chains {
        let at = sysv + 8 + (buckets + n) * 4;
        bytes[at..at + 4].copy_from_slice(&(n as u32).to_le_bytes());
    }
    assert_eq!(code(&bytes), "011");
    assert_eq!(code(&with_word(&good, sysv, u64::MAX)), "011");
    for (word, expected) in [(0, "011"), (u64::MAX, "011"), (1 << 32 | 0xffff_fff0, "011")] {
        assert_eq!(code(&with_word(&good, gnu, word)), expected, "{word:#x}");
    }
    // A bucket that starts behind every symbol there can be.
    let bloom = word_at(&good, gnu + 8) as u32 as usize;
    let bucket = gnu + 16 + bloom * 8;
    let mut bytes = good.clone();
    bytes[bucket..bucket + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(code(&bytes), "014");
}
