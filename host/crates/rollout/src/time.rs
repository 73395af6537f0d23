//! Times as people write them: `500ms`, `90s`, `5m`, `1h`, `7d`.

use crate::error::PolicyError;

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A time, in milliseconds.
pub(crate) fn millis(text: &str) -> Result<u64, PolicyError> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, millis)| *millis);
    let millis = number
        .parse::<u64>()
        .ok()
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit));
    millis
        .ok_or_else(|| PolicyError::piece("time", text, "a whole number with ms, s, m, h or d, such as 90s"))
}

/// As it would be written, in the largest unit that needs no fraction.
pub(crate) fn written(millis: u64) -> String {
    let unit = UNITS
        .iter()
        .find(|(_, size)| millis >= *size && millis.is_multiple_of(*size));
    unit.map_or_else(
        || "0s".to_owned(),
        |(name, size)| format!("{}{name}", millis / size),
    )
}

/// About as long, in two digits or so: for what is still to come.
pub(crate) fn about(millis: u64) -> String {
    let unit = UNITS.iter().find(|(_, size)| millis >= 2 * *size);
    unit.map_or_else(
        || written(millis),
        |(name, size)| format!("{}{name}", millis / size),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["500ms", "90s", "5m", "1h", "7d", "1500ms", "61m", "25h"] {
            assert_eq!(written(millis(text).expect(text)), text);
        }
        assert_eq!(written(0), "0s");
        assert_eq!(about(7_190_000), "119m");
        assert_eq!(about(1_500), "1500ms");
        for wrong in [
            "",
            "5",
            "m",
            "-5s",
            "5 m",
            "1.5h",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
    }
}
