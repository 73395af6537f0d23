//! Days and times, as ISO 8601 writes them.
//!
//! Invariant: what PostgreSQL keeps to the microsecond is written to the microsecond. Fractions have three digits where
//! those are enough, as JavaScript writes them.

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Days from 1970 to 2000, where PostgreSQL counts from.
const EPOCH: i64 = 10_957;

/// Year, month and day of a count of days since 1970, in the calendar that goes on forever both ways.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn day_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    match year {
        0..=9_999 => format!("{year:04}-{month:02}-{day:02}"),
        10_000.. => format!("+{year:06}-{month:02}-{day:02}"),
        _ => format!("-{:06}-{month:02}-{day:02}", -year),
    }
}

fn fraction(micros: i64) -> String {
    if micros % 1_000 == 0 {
        format!(".{:03}", micros / 1_000)
    } else {
        format!(".{micros:06}")
    }
}

/// `22:13:20.123`, of microseconds since midnight; without a fraction when there is none.
pub(super) fn time_text(micros: i64) -> String {
    let seconds = micros / SECOND;
    let clock = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    match micros % SECOND {
        0 => clock,
        rest => clock + &fraction(rest),
    }
}

/// A `date`: days since 2000.
pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        days => day_text(i64::from(days) + EPOCH),
    }
}

/// A `timestamp`: microseconds since 2000. `zone` is `Z`, or nothing for one without a zone.
pub(super) fn timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let seconds = of_day / SECOND;
    format!(
        "{}T{:02}:{:02}:{:02}{}{zone}",
        day_text(days + EPOCH),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        fraction(of_day % SECOND)
    )
}

/// Milliseconds since 1970 as a timestamp; `None` beyond what PostgreSQL knows.
pub(super) fn of_milliseconds(milliseconds: i64) -> Option<String> {
    let micros = milliseconds.checked_mul(1_000)?;
    let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (year, ..) = civil(days);
    let seconds = of_day / SECOND;
    (0..=9_999).contains(&year).then(|| {
        format!(
            "{}T{:02}:{:02}:{:02}{}Z",
            day_text(days),
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            fraction(of_day % SECOND)
        )
    })
}

/// An `interval`: `P1Y2M3DT4H5M6.007S`.
pub(super) fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::from("P");
    let mut push = |number: i64, unit: &str| {
        if number != 0 {
            text.push_str(&format!("{number}{unit}"));
        }
    };
    push(i64::from(months / 12), "Y");
    push(i64::from(months % 12), "M");
    push(i64::from(days), "D");
    if micros != 0 {
        text.push('T');
        let mut push = |number: i64, unit: &str| {
            if number != 0 {
                text.push_str(&format!("{number}{unit}"));
            }
        };
        let seconds = micros / SECOND;
        push(seconds / 3_600, "H");
        push(seconds / 60 % 60, "M");
        let (whole, rest) = (seconds % 60, micros % SECOND);
        if rest != 0 {
            let sign = if micros < 0 { "-" } else { "" };
            let digits = format!("{:06}", rest.abs());
            text.push_str(&format!(
                "{sign}{}.{}S",
                whole.abs(),
                digits.trim_end_matches('0')
            ));
        } else if whole != 0 {
            text.push_str(&format!("{whole}S"));
        }
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_in_the_calendar() {
        for (days, text) in [
            (0, "2000-01-01"),
            (-10_957, "1970-01-01"),
            (8_825, "2024-02-29"),
            (-730_119, "0001-01-01"),
            (-730_120, "0000-12-31"),
            (2_921_940, "+010000-01-01"),
            (i32::MAX, "infinity"),
        ] {
            assert_eq!(date(days), text);
        }
    }

    #[test]
    fn timestamps_have_three_digits_or_six() {
        assert_eq!(timestamp(0, "Z"), "2000-01-01T00:00:00.000Z");
        assert_eq!(timestamp(-1, ""), "1999-12-31T23:59:59.999999");
        assert_eq!(timestamp(i64::MIN, "Z"), "-infinity");
        assert_eq!(time_text(0), "00:00:00");
        assert_eq!(time_text(DAY), "24:00:00");
        assert_eq!(of_milliseconds(-1).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(of_milliseconds(i64::MAX), None);
    }

    #[test]
    fn intervals_have_the_parts_that_are_not_zero() {
        assert_eq!(
            interval(14, 3, 4 * 3_600 * SECOND + 6 * SECOND + 7_000),
            "P1Y2M3DT4H6.007S"
        );
        assert_eq!(interval(0, 0, 0), "PT0S");
        assert_eq!(interval(-1, 0, -500_000), "P-1MT-0.5S");
    }
}
