//! Schedules: cron patterns, and what n8n writes in their stead.
//!
//! Invariant: a pattern that is accepted has five or six fields and a time that comes; a time zone that is accepted
//! is in the time zone database. No clock and no file is asked.

use croner::parser::{CronParser, Seconds, Year};
use plugin_api::value::ValueRef;

/// Why a pattern is none.
pub(crate) fn check_cron(pattern: &str) -> Result<(), String> {
    const LONGEST: usize = 256;
    if pattern.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let fields = pattern.split_whitespace().count();
    if !(5..=6).contains(&fields) {
        return Err(format!("it has {fields} fields instead of 5 or 6"));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let cron = parser.parse(pattern).map_err(|error| error.to_string())?;
    if fits_some_day(pattern, &cron) {
        Ok(())
    } else {
        Err("no day ever fits it".to_owned())
    }
}

/// Whether there is a month of the pattern that has a day of it. Searching for the next time would say it too, after
/// it has looked through thousands of years.
fn fits_some_day(text: &str, cron: &croner::Cron) -> bool {
    const CLOSEST_WEEKDAY: u8 = 1 << 7;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [.., day, _, weekday] = fields.as_slice() else {
        return false;
    };
    let any = |field: &str| matches!(field, "*" | "?");
    // Either of the two is enough, unless they are joined by `+`.
    let by_weekday = !any(weekday) && !weekday.contains('+');
    // The last day is in every month.
    if by_weekday || any(day) || day.to_ascii_uppercase().contains('L') {
        return true;
    }
    let closest = cron.pattern.days.get_set_values(CLOSEST_WEEKDAY);
    let first = cron.pattern.days.values().into_iter().chain(closest).min();
    let longest = cron.pattern.months.values().into_iter().map(|month| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    });
    first.is_some_and(|first| longest.max().is_some_and(|longest| first <= longest))
}

/// When a schedule comes next, in milliseconds since 1970-01-01 UTC: strictly after `after`. `None` when it never does, or
/// is none that a plan could have.
#[must_use]
pub fn next_time(cron: &str, timezone: &str, after: i64) -> Option<i64> {
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let cron = parser.parse(cron).ok()?;
    let zone = jiff::tz::db().get(timezone).ok()?;
    let after = jiff::Timestamp::from_millisecond(after).ok()?.to_zoned(zone);
    let next = cron.find_next_occurrence(&after, false).ok()?;
    Some(next.timestamp().as_millisecond())
}

/// Whether the time zone database has the name.
pub(crate) fn is_timezone(name: &str) -> bool {
    name.len() <= 64 && jiff::tz::db().get(name).is_ok()
}

/// The patterns of an n8n node: `rule.interval` of a schedule trigger, or `triggerTimes.item` of a cron node. `None`
/// when it has neither; an error when one of them has no pattern that means the same.
pub(crate) fn from_rule(parameters: ValueRef<'_>) -> Option<Result<Vec<String>, String>> {
    let (list, one): (_, fn(ValueRef<'_>) -> Option<String>) = match parameters.pointer("/rule/interval") {
        Some(list) => (list, interval),
        None => (parameters.pointer("/triggerTimes/item")?, item),
    };
    let rules = list.as_list()?;
    let mut patterns = Vec::new();
    for (index, rule) in rules.iter().enumerate().take(100) {
        match one(rule) {
            Some(pattern) => patterns.push(pattern),
            None => {
                return Some(Err(format!(
                    "rule {index} has no cron pattern that means the same"
                )));
            }
        }
    }
    Some(Ok(patterns))
}

fn field(rule: ValueRef<'_>, key: &str, default: i64, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let number = rule.get(key).map_or(Some(default), |value| {
        crate::field::whole(value).and_then(|n| i64::try_from(n).ok())
    })?;
    range.contains(&number).then_some(number)
}

fn interval(rule: ValueRef<'_>) -> Option<String> {
    let minute = field(rule, "triggerAtMinute", 0, 0..=59)?;
    let hour = field(rule, "triggerAtHour", 0, 0..=23)?;
    match rule
        .get("field")
        .and_then(|field| field.as_str())
        .unwrap_or("days")
    {
        "cronExpression" => rule
            .get("expression")
            .and_then(|text| text.as_str())
            .map(str::to_owned),
        "seconds" => {
            dividing(field(rule, "secondsInterval", 30, 1..=59)?, 60).map(|n| format!("*/{n} * * * * *"))
        }
        "minutes" => {
            dividing(field(rule, "minutesInterval", 5, 1..=59)?, 60).map(|n| format!("*/{n} * * * *"))
        }
        "hours" => {
            dividing(field(rule, "hoursInterval", 1, 1..=23)?, 24).map(|n| format!("{minute} */{n} * * *"))
        }
        "days" => {
            field(rule, "daysInterval", 1, 1..=1)?;
            Some(format!("{minute} {hour} * * *"))
        }
        "weeks" => {
            field(rule, "weeksInterval", 1, 1..=1)?;
            let days = rule.get("triggerAtDay").and_then(|days| days.as_list());
            let days: Option<Vec<String>> = days.map_or_else(
                || Some(vec!["0".to_owned()]),
                |days| {
                    days.iter()
                        .map(|day| {
                            day.as_i64()
                                .filter(|day| (0..=7).contains(day))
                                .map(|day| day.to_string())
                        })
                        .collect()
                },
            );
            let days = days.filter(|days| !days.is_empty())?.join(",");
            Some(format!("{minute} {hour} * * {days}"))
        }
        "months" => {
            let months = dividing(field(rule, "monthsInterval", 1, 1..=12)?, 12)?;
            let day = field(rule, "triggerAtDayOfMonth", 1, 1..=31)?;
            Some(format!("{minute} {hour} {day} */{months} *"))
        }
        _ => None,
    }
}

/// A step that fits evenly into its unit: others would be uneven at its end.
fn dividing(step: i64, unit: i64) -> Option<i64> {
    (unit % step == 0).then_some(step)
}

fn item(rule: ValueRef<'_>) -> Option<String> {
    let minute = field(rule, "minute", 0, 0..=59)?;
    let hour = field(rule, "hour", 14, 0..=23)?;
    match rule
        .get("mode")
        .and_then(|mode| mode.as_str())
        .unwrap_or("everyDay")
    {
        "everyMinute" => Some("* * * * *".to_owned()),
        "everyHour" => Some(format!("{minute} * * * *")),
        "everyDay" => Some(format!("{minute} {hour} * * *")),
        "everyWeek" => Some(format!(
            "{minute} {hour} * * {}",
            field(rule, "weekday", 1, 0..=7)?
        )),
        "everyMonth" => Some(format!(
            "{minute} {hour} {} * *",
            field(rule, "dayOfMonth", 1, 1..=31)?
        )),
        "everyX" => {
            let value = field(rule, "value", 2, 1..=59)?;
            match rule.get("unit").and_then(|unit| unit.as_str()).unwrap_or("hours") {
                "minutes" => dividing(value, 60).map(|n| format!("*/{n} * * * *")),
                "hours" => dividing(value, 24).map(|n| format!("0 */{n} * * *")),
                _ => None,
            }
        }
        "custom" => rule
            .get("cronExpression")
            .and_then(|text| text.as_str())
            .map(|text| text.trim().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::value::Value;

    use super::*;

    #[test]
    fn patterns_of_five_and_six_fields_that_come_are_accepted() {
        for pattern in [
            "* * * * *",
            "*/5 * * * * *",
            "0 9 * * MON-FRI",
            "0 0 29 2 *",
            "0 0 L * *",
        ] {
            assert_eq!(check_cron(pattern), Ok(()), "{pattern}");
        }
        for pattern in [
            "",
            "* * * *",
            "61 * * * *",
            "0 0 31 2 *",
            "* * * * * * *",
            "a b c d e",
            "@reboot",
        ] {
            assert!(check_cron(pattern).is_err(), "{pattern}");
        }
        assert!(check_cron(&"*,".repeat(1_000)).is_err());
    }

    #[test]
    fn a_day_fits_exactly_when_a_search_finds_one() {
        let start = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
        let days = [
            "1", "29", "30", "31", "30,31", "31W", "L", "LW", "*", "?", "*/31", "15-31",
        ];
        let months = ["2", "FEB,APR", "4", "*", "2-3"];
        for (day, month, weekday) in days
            .iter()
            .flat_map(|day| months.iter().map(move |month| (day, month)))
            .flat_map(|(day, month)| ["*", "MON", "+MON"].map(|weekday| (day, month, weekday)))
        {
            let text = format!("0 0 {day} {month} {weekday}");
            let parser = CronParser::builder().year(Year::Disallowed).build();
            let Ok(cron) = parser.parse(&text) else {
                continue;
            };
            let found = cron.find_next_occurrence(&start, false).is_ok();
            assert_eq!(check_cron(&text).is_ok(), found, "{text}");
        }
    }

    #[test]
    fn time_zones_are_names_of_the_database() {
        for name in ["UTC", "Europe/Berlin", "America/New_York"] {
            assert!(is_timezone(name), "{name}");
        }
        for name in ["", "Mars/Olympus", "../etc/passwd", "Europe"] {
            assert!(!is_timezone(name), "{name}");
        }
    }

    #[test]
    fn rules_become_patterns() -> Result<(), Box<dyn std::error::Error>> {
        let cases = [
            (
                r#"{"rule":{"interval":[{"field":"cronExpression","expression":"1 2 * * *"}]}}"#,
                Some("1 2 * * *"),
            ),
            (
                r#"{"rule":{"interval":[{"field":"minutes","minutesInterval":15}]}}"#,
                Some("*/15 * * * *"),
            ),
            (
                r#"{"rule":{"interval":[{"field":"minutes","minutesInterval":7}]}}"#,
                None,
            ),
            (
                r#"{"rule":{"interval":[{"field":"hours","hoursInterval":6,"triggerAtMinute":30}]}}"#,
                Some("30 */6 * * *"),
            ),
            (
                r#"{"rule":{"interval":[{"triggerAtHour":7}]}}"#,
                Some("0 7 * * *"),
            ),
            (
                r#"{"rule":{"interval":[{"field":"weeks","triggerAtDay":[1,3],"triggerAtHour":7}]}}"#,
                Some("0 7 * * 1,3"),
            ),
            (
                r#"{"rule":{"interval":[{"field":"weeks","weeksInterval":2}]}}"#,
                None,
            ),
            (
                r#"{"rule":{"interval":[{"field":"months","triggerAtDayOfMonth":3}]}}"#,
                Some("0 0 3 */1 *"),
            ),
            (
                r#"{"triggerTimes":{"item":[{"mode":"everyX","value":10,"unit":"minutes"}]}}"#,
                Some("*/10 * * * *"),
            ),
            (r#"{"triggerTimes":{"item":[{"hour":8}]}}"#, Some("0 8 * * *")),
        ];
        for (json, expected) in cases {
            let value = Value::from_json(json)?;
            let found = from_rule(value.as_ref()).ok_or("no rule")?;
            let expected = expected.map(|pattern| vec![pattern.to_owned()]);
            assert_eq!(found.clone().ok(), expected, "{json}");
            for pattern in found.unwrap_or_default() {
                assert_eq!(check_cron(&pattern), Ok(()), "{pattern}");
            }
        }
        assert!(from_rule(Value::from_json("{}")?.as_ref()).is_none());
        Ok(())
    }
}
