//! What holds for every text.

use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "what `json!` gives is used once")]
fn result<N: Export>(input: Json) -> Json {
    let output = Harness::new().call::<N>(&input.to_string()).unwrap();
    let output: Json = serde_json::from_str(&output.to_json()).unwrap();
    output["result"].clone()
}

fn text<N: Export>(input: Json) -> String {
    result::<N>(input).as_str().unwrap().to_owned()
}

/// Texts in which what is looked for, split at and replaced comes up.
fn few_letters() -> impl Strategy<Value = String> {
    "[ab,é😀]{0,20}"
}

proptest! {
    #[test]
    fn upper_and_lower_case_stay_so(value in any::<String>()) {
        let large = text::<upper>(json!({"value": value}));
        prop_assert_eq!(&text::<upper>(json!({"value": large})), &large);
        let small = text::<lower>(json!({"value": value}));
        prop_assert_eq!(&text::<lower>(json!({"value": small})), &small);
    }

    #[test]
    fn what_is_trimmed_has_nothing_left_to_trim(value in "[ \t\u{feff}\u{2003}ab]{0,12}") {
        let trimmed = text::<trim>(json!({"value": value}));
        prop_assert_eq!(&text::<trim>(json!({"value": trimmed})), &trimmed);
        prop_assert!(value.contains(&trimmed));
        let start = text::<trim>(json!({"value": value, "mode": "start"}));
        prop_assert!(value.ends_with(&start));
        prop_assert_eq!(text::<trim>(json!({"value": start, "mode": "end"})), trimmed);
    }

    #[test]
    fn joining_what_was_split_gives_the_text_back(value in few_letters(), separator in "(|,|é|b😀)", splits in -1_i64..5) {
        let parts = result::<split>(json!({"value": value, "separator": separator, "maxSplits": splits}));
        if splits >= 0 {
            prop_assert!(parts.as_array().unwrap().len() as i64 <= splits + 1);
        }
        prop_assert_eq!(text::<join>(json!({"values": parts, "separator": separator})), value);
    }

    #[test]
    fn a_limit_keeps_the_first_parts(value in few_letters(), separator in "(|,|b)", limit in 0_usize..8) {
        let all = result::<split>(json!({"value": value, "separator": separator}));
        let all = all.as_array().unwrap();
        let first = result::<split>(json!({"value": value, "separator": separator, "limit": limit}));
        prop_assert_eq!(first.as_array().unwrap(), &all[..limit.min(all.len())]);
    }

    #[test]
    fn a_text_has_as_many_characters_as_parts_without_a_separator(value in any::<String>()) {
        let parts = result::<split>(json!({"value": value, "separator": ""}));
        prop_assert_eq!(result::<length>(json!({"value": value})), json!(parts.as_array().unwrap().len()));
    }

    #[test]
    fn two_substrings_that_meet_make_the_text(value in few_letters(), at in -2_i64..25) {
        let head = text::<substring>(json!({"value": value, "end": at}));
        let tail = text::<substring>(json!({"value": value, "start": at}));
        prop_assert_eq!(head + &tail, value);
    }

    #[test]
    fn a_substring_is_within_its_bounds(value in few_letters(), start in any::<i8>(), end in any::<i8>()) {
        let part = text::<substring>(json!({"value": value, "start": start, "end": end}));
        prop_assert!(value.contains(&part));
        let width = i64::from(start.max(0)).abs_diff(i64::from(end.max(0)));
        prop_assert!(part.chars().count() as u64 <= width);
        prop_assert_eq!(text::<substring>(json!({"value": value, "start": end, "end": start})), part);
    }

    #[test]
    fn a_padded_text_has_the_length_asked_for(value in "[aé😀]{0,8}", fill in "[xyß]{1,3}", wanted in 0_usize..40) {
        let input = json!({"value": value, "fillString": fill, "length": wanted});
        let (before, behind) = (text::<pad_start>(input.clone()), text::<pad_end>(input));
        let long = wanted.max(value.chars().count());
        prop_assert_eq!(result::<length>(json!({"value": before})), json!(long));
        prop_assert_eq!(result::<length>(json!({"value": behind})), json!(long));
        prop_assert_eq!(before.strip_suffix(&value), behind.strip_prefix(&value));
    }

    #[test]
    fn what_is_replaced_is_gone(value in few_letters(), search in "(,|é|b😀|ab)") {
        let replaced = text::<replace>(json!({"value": value, "search": search, "replacement": "x", "all": true}));
        prop_assert_eq!(result::<includes>(json!({"value": replaced, "search": search})), json!(false));
        let same = text::<replace>(json!({"value": value, "search": search, "replacement": search, "all": true}));
        prop_assert_eq!(same, value);
    }

    #[test]
    fn replacing_one_by_one_comes_to_replacing_as_many(value in few_letters(), search in "(,|é|a)", count in 0_i64..6) {
        let mut one_by_one = value.clone();
        for _ in 0..count {
            one_by_one = text::<replace>(json!({"value": one_by_one, "search": search, "replacement": "x"}));
        }
        let at_once = text::<replace>(json!({"value": value, "search": search, "replacement": "x", "count": count}));
        prop_assert_eq!(at_once, one_by_one);
    }

    #[test]
    fn a_text_starts_and_ends_with_what_it_is_made_of(head in any::<String>(), tail in any::<String>()) {
        let whole = text::<concat>(json!({"values": [head, tail]}));
        prop_assert_eq!(result::<starts_with>(json!({"value": whole, "prefix": head})), json!(true));
        prop_assert_eq!(result::<ends_with>(json!({"value": whole, "suffix": tail})), json!(true));
        for search in [&head, &tail] {
            prop_assert_eq!(result::<includes>(json!({"value": whole, "search": search})), json!(true));
        }
        let sum = head.chars().count() + tail.chars().count();
        prop_assert_eq!(result::<length>(json!({"value": whole})), json!(sum));
    }

    #[test]
    fn how_texts_are_grouped_does_not_matter(a in any::<String>(), b in any::<String>(), c in any::<String>()) {
        let left = text::<concat>(json!({"values": [text::<concat>(json!({"values": [a, b]})), c]}));
        let right = text::<concat>(json!({"values": [a, text::<concat>(json!({"values": [b, c]}))]}));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn a_template_without_variables_stays_as_it_is(template in "[{}a-c ]{0,16}") {
        prop_assert_eq!(text::<format>(json!({"template": template})), template);
    }

    #[test]
    fn a_variable_is_filled_in_as_it_stands(value in any::<String>(), before in "[a-c}]{0,4}", behind in "[a-c{}]{0,4}") {
        let filled = text::<format>(json!({"template": format!("{before}{{name}}{behind}"), "variables": {"name": value}}));
        prop_assert_eq!(filled, format!("{before}{value}{behind}"));
    }
}
