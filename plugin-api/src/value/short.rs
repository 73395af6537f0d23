//! Invariant: the answers are those of the standard library; only texts of a few bytes get them without a call.
//!
//! Keys and most strings are that short, and the call costs more than the work.

#[inline]
fn high_bits(chunk: [u8; 8]) -> u64 {
    u64::from_le_bytes(chunk) & 0x8080_8080_8080_8080
}

/// Whether `text` is ASCII.
#[inline]
pub(super) fn is_ascii(text: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        if text.len() <= 16 {
            high_bits(*first) | high_bits(*last) == 0
        } else {
            text.is_ascii()
        }
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (u32::from_le_bytes(*first) | u32::from_le_bytes(*last)) & 0x8080_8080 == 0
    } else {
        match *text {
            [] => true,
            [a] => a < 0x80,
            [a, b] => a | b < 0x80,
            [a, b, c, ..] => a | b | c < 0x80,
        }
    }
}

/// Whether `a` and `b` are equal.
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() > 16 {
        return a == b;
    }
    if let (Some(a_first), Some(b_first)) = (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        a_first == b_first && a.last_chunk::<8>() == b.last_chunk::<8>()
    } else if let (Some(a_first), Some(b_first)) = (a.first_chunk::<4>(), b.first_chunk::<4>()) {
        a_first == b_first && a.last_chunk::<4>() == b.last_chunk::<4>()
    } else {
        a.iter().zip(b).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_ascii, same};

    #[test]
    fn short_texts_get_the_answers_of_the_standard_library_at_every_length() {
        for len in 0..40_usize {
            let plain = vec![b'x'; len];
            assert!(is_ascii(&plain) && same(&plain, &plain.clone()), "{len}");
            assert!(!same(&plain, &vec![b'x'; len + 1]), "{len}");
            for at in 0..len {
                let mut other = plain.clone();
                other[at] = 0x80;
                assert!(!is_ascii(&other) && !same(&plain, &other), "{len} {at}");
            }
        }
    }
}
