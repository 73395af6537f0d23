use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;

fn call<N: Export>(arguments: &[(&str, &str)]) -> Value {
    let values: Vec<_> = arguments
        .iter()
        .map(|(name, text)| (*name, Value::from(*text)))
        .collect();
    let input = Value::from_pairs(values.iter().map(|(name, value)| (*name, value.as_ref()))).unwrap();
    let instance = Harness::new().instance::<N>("null").unwrap();
    let output = instance.call_value(input.as_ref()).unwrap();
    output.as_ref().get("result").unwrap().to_value()
}

fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap()
}

/// Patterns that match here and there in short texts of few letters.
fn pattern() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b+", "a|b", "a*", "", "(a)(b)?", "[^a]", "^a", "b$", r"\b", "é", "a.b",
    ])
}

proptest! {
    #[test]
    fn an_escaped_text_matches_itself_under_all_flags(
        literal in "\\PC{1,12}|[ \t\r\n.*+?^${}()|\\[\\]#é😀-]{1,12}",
        before in "[ab]{0,3}",
        after in "[ab]{0,3}",
        flags in prop::sample::subsequence(vec!["m", "s", "x", "u"], 0..=4),
    ) {
        let escaped = call::<escape>(&[("value", &literal)]);
        let escaped = text(escaped.as_ref());
        let (value, flags) = (format!("{before}{literal}{after}"), flags.concat());
        let found = call::<first_match>(&[("value", &value), ("pattern", escaped), ("flags", &flags)]);
        prop_assert_eq!(found.as_ref().get("match").and_then(|found| found.as_str()), Some(literal.as_str()));
        let whole = format!("^(?:{escaped})$");
        let pattern = [("pattern", whole.as_str()), ("flags", &flags)];
        let fits = |value: &str| call::<test>(&[("value", value), pattern[0], pattern[1]]).as_ref().as_bool().unwrap();
        prop_assert!(fits(&literal));
        if !flags.contains('m') {
            let longer = literal.clone() + "x";
            prop_assert!(!fits(&longer));
        }
    }

    #[test]
    fn matches_are_where_they_say(value in "[abé😀 ]{0,20}", pattern in pattern()) {
        let all = call::<match_all>(&[("value", &value), ("pattern", pattern)]);
        let characters: Vec<char> = value.chars().collect();
        let mut end_before = 0;
        let all = all.as_ref().as_list().unwrap();
        for found in all {
            let number = |name: &str| usize::try_from(found.get(name).unwrap().as_i64().unwrap()).unwrap();
            let (start, end) = (number("start"), number("end"));
            let between: String = characters[start..end].iter().collect();
            prop_assert_eq!(&between, text(found.get("match").unwrap()));
            prop_assert!(end_before <= start && start <= end);
            end_before = end;
        }
        let first = call::<first_match>(&[("value", &value), ("pattern", pattern)]);
        prop_assert_eq!(all.get(0).map_or_else(Value::null, |found| found.to_value()), first);
        let tested = call::<test>(&[("value", &value), ("pattern", pattern)]);
        prop_assert_eq!(tested.as_ref().as_bool(), Some(!all.is_empty()));
    }

    #[test]
    fn replacing_by_the_match_changes_nothing(value in "[abé😀 ]{0,20}", pattern in pattern()) {
        let replaced = call::<replace>(&[("value", &value), ("pattern", pattern), ("replacement", "$&"), ("all", "true")]);
        prop_assert_eq!(text(replaced.as_ref()), &value);
        let marked = call::<replace>(&[("value", &value), ("pattern", pattern), ("replacement", "\u{1}"), ("all", "true")]);
        let all = call::<match_all>(&[("value", &value), ("pattern", pattern)]);
        let marks = text(marked.as_ref()).matches('\u{1}').count();
        prop_assert_eq!(marks, all.as_ref().as_list().unwrap().len());
    }

    #[test]
    fn parts_and_matches_make_the_text_again(value in "[ab,; ]{0,20}", pattern in prop::sample::select(vec![",", "[,;]+", ", ?", "a|b"])) {
        let parts = call::<split>(&[("value", &value), ("pattern", pattern)]);
        let all = call::<match_all>(&[("value", &value), ("pattern", pattern)]);
        let between = all.as_ref().as_list().unwrap();
        let mut again = String::new();
        for (position, part) in parts.as_ref().as_list().unwrap().iter().enumerate() {
            again.push_str(text(part));
            if let Some(found) = between.get(position) {
                again.push_str(text(found.get("match").unwrap()));
            }
        }
        prop_assert_eq!(again, value);
    }

    #[test]
    fn no_pattern_makes_a_panic(pattern in "\\PC{0,30}|[\\[\\](){}?*+.|\\\\wdbBWDsu^$&~a<>:=!x#-]{0,30}", value in "[ab1_é ]{0,20}", flags in "[imsxu]{0,3}") {
        let input = [("value", &value), ("pattern", &pattern), ("flags", &flags)].map(|(name, text)| (name, Value::from(text.as_str())));
        let input = Value::from_pairs(input.iter().map(|(name, value)| (*name, value.as_ref()))).unwrap();
        let instance = Harness::new().instance::<match_all>("null").unwrap();
        if let Err(error) = instance.call_value(input.as_ref()) {
            prop_assert_eq!(&error.code, plugin_api::error::code::VALIDATION_FAILED, "{}", error);
            prop_assert!(error.message.contains("`pattern`"), "{}", error);
        }
    }

    #[test]
    fn what_is_rewritten_for_ascii_is_a_pattern_wherever_the_original_is(pattern in "[\\[\\](){}?*+.|\\\\wdbBWD^&~a-]{0,20}") {
        let flags = dialect::Flags { unicode: true, ..dialect::Flags::default() };
        if compiled::Compiled::of(&pattern, flags).is_ok() {
            let ascii = compiled::Compiled::of(&pattern, dialect::Flags::default());
            prop_assert!(ascii.is_ok(), "{:?}", ascii);
        }
    }
}
