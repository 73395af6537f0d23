use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;

fn fit(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let pattern = Pattern::read(pattern).expect(pattern);
    let found = pattern.fit(path).expect(path)?;
    Some(
        found
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text))
            .collect(),
    )
}

fn pair(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

#[test]
fn a_path_fits_segment_by_segment() {
    for (pattern, path, expected) in [
        ("/", "/", Some(vec![])),
        ("/v1", "/v1/", Some(vec![])),
        ("/v1/", "/v1?x=/", Some(vec![])),
        ("/:a/:b", "/x/y", Some(vec![pair("a", "x"), pair("b", "y")])),
        ("/:a/latest", "/x/latest#top", Some(vec![pair("a", "x")])),
        ("/:a", "/x%20y%C3%A4", Some(vec![pair("a", "x yä")])),
        ("/v%31", "/v1", None),
        ("/v1", "/v%31", Some(vec![])),
        ("/f/*", "/f/a/b", Some(vec![pair("rest", "a/b")])),
        ("/f/*path", "/f", None),
        ("/:a", "/", None),
        ("/:a", "/x/y", None),
        ("/:a/:b", "/x", None),
        ("/:a/:b", "/x//", None),
        ("/V1", "/v1", None),
    ] {
        assert_eq!(fit(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    for (pattern, why) in [
        ("v1", "begin with a slash"),
        ("//a", "empty segment"),
        ("/:", "no name"),
        ("/:a-b", "no name"),
        ("/:1a", "no name"),
        ("/:a/:a", "`a` twice"),
        ("/:a/*a", "`a` twice"),
        ("/*/b", "nothing can follow"),
    ] {
        let error = Pattern::read(pattern).unwrap_err();
        assert!(
            error.message.contains("`pattern`") && error.message.contains(why),
            "{pattern}: {error}"
        );
    }
    let long = "/a".repeat(MAX_SEGMENTS + 1);
    assert!(Pattern::read(&long).unwrap_err().message.contains("segments"));
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    let pattern = Pattern::read("/:a/*b").unwrap();
    for path in [
        "x",
        "",
        "/../x",
        "/%2e%2e/x",
        "/a%2Fb/x",
        "/a\\b/x",
        "/a%00/x",
        "/a%/x",
        "/a%2/x",
        "/a%zz/x",
        "/%ff/x",
        "/a/b/%2e",
    ] {
        let error = pattern.fit(path).unwrap_err();
        assert!(error.message.contains("`path`"), "{path}: {error}");
    }
}

#[test]
fn a_path_that_does_not_fit_is_not_found() {
    let error = Harness::new()
        .call::<parse_path>(r#"{"path": "/v2/x", "pattern": "/v1/:name"}"#)
        .unwrap_err();
    assert_eq!(
        (&*error.code, error.status_code),
        ("VALIDATION_FAILED", Some(404)),
        "{error}"
    );
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #[test]
    fn what_is_put_into_a_path_comes_out_of_it(texts in prop::collection::vec("[^/\\\\\\p{Cc}]{1,12}", 1..6)) {
        prop_assume!(texts.iter().all(|text| text != "." && text != ".."));
        let pattern: String = (0..texts.len()).map(|at| format!("/x/:n{at}")).collect();
        let path: String = texts.iter().map(|text| format!("/x/{}", encoded(text))).collect();
        let expected: Vec<_> = texts.iter().enumerate().map(|(at, text)| (format!("n{at}"), text.clone())).collect();
        prop_assert_eq!(fit(&pattern, &path), Some(expected));
    }

    #[test]
    fn no_path_leads_out_of_a_segment(path in "/[a-z0-9./%\\\\]{0,24}") {
        let pattern = Pattern::read("/:a/*b").unwrap();
        if let Ok(Some(found)) = pattern.fit(&path) {
            for part in found.iter().flat_map(|(_, text)| text.split('/')) {
                prop_assert!(part != "." && part != ".." && !part.contains('\\'));
            }
        }
    }

    #[test]
    fn any_text_as_a_pattern_is_read_or_refused(pattern in "\\PC{0,40}", path in "\\PC{0,40}") {
        if let Ok(pattern) = Pattern::read(&pattern) {
            let _ = pattern.fit(&path);
        }
    }
}
