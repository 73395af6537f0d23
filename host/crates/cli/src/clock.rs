//! Times and sizes for people.

use patchbay_vocab::UnixMillis;

/// `2026-01-31 23:59:59Z`.
pub(crate) fn stamp(at: UnixMillis) -> String {
    let seconds = at.0 / 1000;
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01 in the proleptic Gregorian calendar, so that the leap day comes last in its year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time % 3600 / 60, time % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// `1.4 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = u128::from(count) * 10 / u128::from(unit);
        (tenths / 10, tenths % 10)
    };
    let (unit, name) = match count {
        0..1024 => return format!("{count} B"),
        1024..1_048_576 => (1024, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576, "MiB"),
        _ => (1_073_741_824, "GiB"),
    };
    let (whole, tenth) = tenths(unit);
    format!("{whole}.{tenth} {name}")
}

/// `870 us`, `3.1 ms`, `2.5 s`.
pub(crate) fn micros(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} us"),
        1_000..1_000_000 => format!("{}.{} ms", count / 1_000, count % 1_000 / 100),
        _ => format!("{}.{} s", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

/// `3d 4h`, `4h 5m`, `5m 6s`, `6s`.
pub(crate) fn uptime(millis: u64) -> String {
    let seconds = millis / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_follow_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_709_251_199_999, "2024-02-29 23:59:59Z"),
            (1_767_225_600_000, "2026-01-01 00:00:00Z"),
            (4_107_542_400_000, "2100-03-01 00:00:00Z"),
        ];
        for (millis, text) in cases {
            assert_eq!(stamp(UnixMillis(millis)), text);
        }
        // A server may send any number.
        assert!(stamp(UnixMillis(u64::MAX)).ends_with('Z'));
    }

    #[test]
    fn sizes_and_durations_have_one_digit_after_the_point() {
        assert_eq!(
            [0, 1023, 1536, 5 << 20, u64::MAX].map(bytes)[..4],
            ["0 B", "1023 B", "1.5 KiB", "5.0 MiB"]
        );
        assert_eq!([7, 3_140, 2_500_000].map(micros), ["7 us", "3.1 ms", "2.5 s"]);
        assert_eq!(
            [6_000, 306_000, 14_700_000, 273_600_000].map(uptime),
            ["6s", "5m 6s", "4h 5m", "3d 4h"]
        );
    }
}
