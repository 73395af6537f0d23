//! Bytes in the file that its variants differ in.
//!
//! Invariant: each mark is in the file once, and is read at run time, so that writing over it changes what the code does.

use std::hint::black_box;

static GENERATION: [u8; 24] = *b"peers-generation:0000001";
static DEED: [u8; 16] = *b"peers-deed:none!";

/// The number at the end of its mark.
pub(crate) fn generation() -> u64 {
    let mark = black_box(&GENERATION);
    let digits = mark.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// What the constructor does.
pub(crate) enum Deed {
    Nothing,
    Segfault,
    Abort,
    Exit,
    Spin,
}

/// The word at the end of its mark.
pub(crate) fn deed() -> Deed {
    match black_box(&DEED).rsplit(|byte| *byte == b':').next() {
        Some(b"segv!") => Deed::Segfault,
        Some(b"abrt!") => Deed::Abort,
        Some(b"exit!") => Deed::Exit,
        Some(b"spin!") => Deed::Spin,
        _ => Deed::Nothing,
    }
}
