//! Variants of the measured file: other generations, and files that are wrong in one way each.
//!
//! Invariant: a variant differs from what was built in the bytes that its name says, so that what happens to a subject is
//! owed to them alone.

use anyhow::{Context, Result, ensure};

/// Whether a file is put there whole, or is seen while it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Written beside and renamed.
    Renamed,
    /// Written over the file that is there.
    InPlace,
    /// The same, but for a second in which half of it is written.
    InPlaceStalled,
}

/// A file that something is wrong with, or the way it comes.
pub(crate) struct BadFile {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) delivery: Delivery,
}

/// The file as generation `number`.
pub(crate) fn generation(built: &[u8], number: u64) -> Result<Vec<u8>> {
    marked(built, b"peers-generation:", format!("{number:07}").as_bytes())
}

/// All that is tried, as generation `number`: variants of `built`, and `changed`, whose `scale` takes another parameter.
pub(crate) fn bad_files(built: &[u8], changed: &[u8], number: u64) -> Result<Vec<BadFile>> {
    let good = generation(built, number)?;
    let cut = |percent: usize| good[..good.len() * percent / 100].to_vec();
    let deed = |word: &[u8; 5]| marked(&good, b"peers-deed:", word);
    let renamed = |name, bytes| BadFile {
        name,
        bytes,
        delivery: Delivery::Renamed,
    };
    Ok(vec![
        renamed("cut off at 50 %", cut(50)),
        renamed("cut off at 90 %", cut(90)),
        renamed("a text file", b"This is no library.\n".to_vec()),
        renamed("an empty file", Vec::new()),
        renamed("without the symbols that are looked up", without_symbols(&good)?),
        renamed("for another architecture", for_another_machine(&good)),
        BadFile {
            name: "a good file, written in place",
            bytes: good.clone(),
            delivery: Delivery::InPlace,
        },
        BadFile {
            name: "the same, stalled half way for 1 s",
            bytes: good.clone(),
            delivery: Delivery::InPlaceStalled,
        },
        renamed("its constructor segfaults", deed(b"segv!")?),
        renamed("its constructor aborts", deed(b"abrt!")?),
        renamed("its constructor calls exit(0)", deed(b"exit!")?),
        renamed("its constructor never ends", deed(b"spin!")?),
        renamed("a function got another parameter", generation(changed, number)?),
    ])
}

/// Writes `value` after a mark, which has to be there once.
fn marked(bytes: &[u8], mark: &[u8], value: &[u8]) -> Result<Vec<u8>> {
    let found: Vec<usize> = places(bytes, mark).collect();
    ensure!(
        found.len() == 1,
        "the mark `{}` is in the file {} times",
        String::from_utf8_lossy(mark),
        found.len()
    );
    let begin = found[0] + mark.len();
    let mut bytes = bytes.to_vec();
    bytes
        .get_mut(begin..begin + value.len())
        .context("the file ends in its mark")?
        .copy_from_slice(value);
    Ok(bytes)
}

fn places<'b>(bytes: &'b [u8], wanted: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    bytes
        .windows(wanted.len())
        .enumerate()
        .filter(move |(_, window)| *window == wanted)
        .map(|(at, _)| at)
}

/// Other names in place of those that hot-lib-reloader and Patchbay look for.
fn without_symbols(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    for name in [&b"peer_generation\0"[..], b"peer_scale\0", b"_1as_0lib_1header"] {
        let found: Vec<usize> = places(&bytes, name).collect();
        ensure!(!found.is_empty(), "a symbol is not in the file");
        for at in found {
            bytes[at] = b'X';
        }
    }
    Ok(bytes)
}

/// `e_machine` of an ELF header, at byte 18: AArch64 instead of x86-64, or the other way round.
fn for_another_machine(bytes: &[u8]) -> Vec<u8> {
    const AARCH64: u8 = 183;
    const X86_64: u8 = 62;
    let mut bytes = bytes.to_vec();
    if let Some(machine) = bytes.get_mut(18) {
        *machine = if *machine == AARCH64 { X86_64 } else { AARCH64 };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_written_after_its_mark_and_nowhere_else() {
        let built = b"..peers-generation:0000001..0000001";
        assert_eq!(
            generation(built, 42).unwrap(),
            b"..peers-generation:0000042..0000001"
        );
    }

    #[test]
    fn a_file_without_its_mark_or_with_two_of_them_is_no_variant() {
        assert!(generation(b"nothing", 2).is_err());
        assert!(generation(b"peers-generation:0000001peers-generation:0000001", 2).is_err());
        assert!(generation(b"peers-generation:00", 2).is_err());
    }
}
