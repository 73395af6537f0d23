use patchbay_vocab::Explain;

use super::*;

fn parts(text: &str) -> Vec<Part> {
    text.parse::<IgnorePath>()
        .unwrap_or_else(|error| panic!("{error}"))
        .parts
}

fn key(text: &str) -> Part {
    Part::Key(text.to_owned())
}

#[test]
fn both_ways_of_writing_a_path_are_read() {
    assert_eq!(parts("/meta/at"), [key("meta"), key("at")]);
    assert_eq!(parts("/a~1b/~0/*/0"), [key("a/b"), key("~"), Part::Any, key("0")]);
    assert_eq!(parts("/"), [key("")]);
    assert_eq!(parts("$.items[*].id"), [key("items"), Part::Any, key("id")]);
    assert_eq!(
        parts("$[3]['a.b'][\"it's\"]['*']['\\'\\\\']"),
        [Part::Index(3), key("a.b"), key("it's"), key("*"), key("'\\"),]
    );
    assert_eq!(parts("$.*.größe"), [Part::Any, key("größe")]);
}

#[test]
fn a_wrong_path_says_where_it_is_wrong() {
    for (text, at) in [
        ("", 0),
        ("$", 0),
        ("meta/at", 0),
        ("/a~2", 2),
        ("/a/b~", 4),
        ("$.", 2),
        ("$.a..b", 4),
        ("$a", 1),
        ("$.a[", 4),
        ("$.a[1", 5),
        ("$.a[x]", 4),
        ("$.a['b]", 4),
        ("$.a['\\n']", 5),
        ("$.a b", 3),
        ("$[99999999999999999999999]", 2),
    ] {
        let error = text.parse::<IgnorePath>().expect_err(text);
        assert_eq!(error.at(), at, "{error}");
        assert_eq!(error.code().0, "PB-ROLLOUT-020");
    }
    assert!("/a".repeat(33).parse::<IgnorePath>().is_err());
    assert!("/a".repeat(32).parse::<IgnorePath>().is_ok());
    assert!(format!("/{}", "a".repeat(512)).parse::<IgnorePath>().is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_wrong_to_be_read(text in "\\PC{0,40}", odd in "[/$.\\[\\]'\"~*\\\\a0é]{0,20}") {
        for text in [text, format!("/{odd}"), format!("${odd}")] {
            if let Ok(path) = text.parse::<IgnorePath>() {
                proptest::prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
