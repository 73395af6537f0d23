//! Invariant: two values are the same exactly if their [`canonical`] bytes are: `1` and `1.0` are, and the order of a
//! map's entries does not count.

use super::number::OVER_I64;
use crate::value::{Kind, ValueRef};

/// Whether two values are equal, down to the last item. `1` equals `1.0`, and the order of a map's entries does not
/// count.
#[must_use]
pub fn same(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    // What is equal byte by byte is equal; this is most of what is.
    a == b || same_by(a, b, &leaves)
}

fn leaves(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::I64, Kind::I64) => a.as_i64() == b.as_i64(),
        // An integer that no float stands for is equal to none.
        (Kind::I64 | Kind::F64, Kind::I64 | Kind::F64) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// Whether two values are equal as [`same`] is, but for what is not a list or map on both sides: `leaves` decides there.
pub fn same_by(
    a: ValueRef<'_>,
    b: ValueRef<'_>,
    leaves: &dyn Fn(ValueRef<'_>, ValueRef<'_>) -> bool,
) -> bool {
    if let (Some(a), Some(b)) = (a.as_list(), b.as_list()) {
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_by(a, b, leaves));
    }
    if let (Some(a), Some(b)) = (a.as_map(), b.as_map()) {
        let has = |(key, a): (&str, _)| b.get(key).is_some_and(|b| same_by(a, b, leaves));
        return a.len() == b.len() && a.iter().all(has);
    }
    leaves(a, b)
}

/// Bytes to look values up by: equal for values that are the [`same`].
#[must_use]
pub fn canonical(value: ValueRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: ValueRef<'_>, out: &mut Vec<u8>) {
    let whole = value
        .as_f64()
        .filter(|float| float.fract() == 0.0 && (-OVER_I64..OVER_I64).contains(float));
    let integer = value.as_i64().or_else(|| whole.map(|float| float as i64));
    if let Some(integer) = integer {
        out.push(b'i');
        out.extend_from_slice(&integer.to_le_bytes());
    } else if let Some(list) = value.as_list() {
        out.push(b'l');
        out.extend_from_slice(&list.len().to_le_bytes());
        list.iter().for_each(|item| write(item, out));
    } else if let Some(map) = value.as_map() {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        out.push(b'm');
        out.extend_from_slice(&entries.len().to_le_bytes());
        for (key, value) in entries {
            out.extend_from_slice(&key.len().to_le_bytes());
            out.extend_from_slice(key.as_bytes());
            write(value, out);
        }
    } else {
        // An encoding says itself where it ends.
        out.push(b'v');
        out.extend_from_slice(value.raw());
    }
}
