//! Paths as workflows write them.
//!
//! Invariant: a [`Below`] has names alone, joined by `/`: none is empty, `.` or `..`, none is longer than a name can be,
//! and there are not so many of them that a walk would not end soon.

use plugin_api::prelude::*;
use plugin_api::reading::shown;

/// The longest path, in bytes.
pub(crate) const LONGEST: usize = 1_024;
/// The longest name, in bytes, on the file systems there are.
const LONGEST_NAME: usize = 255;
/// The most names of a path.
pub(crate) const DEEPEST: usize = 64;

/// A path below the tenant's folder; without names it is that folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Below {
    text: String,
}

impl Below {
    /// Checks a path that was given, which may have `.` and more slashes than needed in it.
    ///
    /// # Errors
    /// When it is missing, is absolute, has `..` in it, or cannot be one.
    pub(crate) fn read(given: Option<&str>, parameter: &str) -> NodeResult<Self> {
        let text = given.ok_or_else(|| NodeError::invalid(parameter, "is missing"))?;
        let wrong = |why: &str| {
            let found = shown(Value::from(text).as_ref());
            NodeError::invalid(parameter, format_args!("{why}, but is {found}"))
        };
        if text.len() > LONGEST {
            return Err(wrong("must not be longer than 1,024 bytes"));
        }
        if text.contains('\0') {
            return Err(wrong("must not have a NUL in it"));
        }
        if text.starts_with('/') {
            return Err(wrong("must be relative to the tenant's folder"));
        }
        let names: Vec<&str> = text
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .collect();
        if names.contains(&"..") {
            return Err(wrong("must not have `..` in it"));
        }
        if names.iter().any(|name| name.len() > LONGEST_NAME) {
            return Err(wrong("must not have a name of more than 255 bytes"));
        }
        if names.len() > DEEPEST {
            return Err(wrong("must not have more than 64 names"));
        }
        Ok(Self {
            text: names.join("/"),
        })
    }

    /// As [`read`](Self::read), for what cannot be the tenant's folder itself.
    ///
    /// # Errors
    /// When it is that folder, too.
    pub(crate) fn read_named(given: Option<&str>, parameter: &str) -> NodeResult<Self> {
        let path = Self::read(given, parameter)?;
        if path.text.is_empty() {
            return Err(NodeError::invalid(
                parameter,
                "must name something in the tenant's folder",
            ));
        }
        Ok(path)
    }

    /// The path as results show it; `.` for the tenant's folder.
    pub(crate) fn as_str(&self) -> &str {
        if self.text.is_empty() { "." } else { &self.text }
    }

    /// The folder it is in, and its name.
    pub(crate) fn parted(&self) -> (&str, &str) {
        match self.text.rsplit_once('/') {
            Some((folder, name)) => (folder, name),
            None => (".", self.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_its_names() {
        for (text, expected) in [
            ("a", "a"),
            ("a/b.txt", "a/b.txt"),
            ("./a//b/./c/", "a/b/c"),
            ("", "."),
            (".", "."),
            ("././", "."),
            ("...", "..."),
            ("..a/b..", "..a/b.."),
            ("a b/\u{e4}", "a b/\u{e4}"),
            ("a\\..\\b", "a\\..\\b"),
            ("~", "~"),
        ] {
            assert_eq!(
                Below::read(Some(text), "path").unwrap().as_str(),
                expected,
                "{text}"
            );
        }
        assert_eq!(Below::read(Some("a/b/c"), "path").unwrap().parted(), ("a/b", "c"));
        assert_eq!(Below::read(Some("a"), "path").unwrap().parted(), (".", "a"));
    }

    #[test]
    fn what_leads_out_or_cannot_be_a_path_is_an_error_that_names_the_parameter() {
        let (long_name, long) = ("x".repeat(256), "a/".repeat(600));
        let deep = vec!["a"; 65].join("/");
        for text in [
            "/",
            "/etc/passwd",
            "//a",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./..",
            "a\0b",
            "\0",
            &long_name,
            &long,
            &deep,
        ] {
            let error = Below::read(Some(text), "path").unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{text}");
            assert!(error.message.contains("`path`"), "{text}: {error}");
            assert!(
                error.message.len() < 200 && !error.message.contains('\0'),
                "{error}"
            );
        }
        assert!(Below::read_named(Some("./"), "path").is_err());
    }

    proptest! {
        #[test]
        fn reading_a_path_again_changes_nothing(text in "[a-z./ ]{0,30}") {
            if let Ok(path) = Below::read(Some(&text), "path") {
                prop_assert_eq!(Below::read(Some(path.as_str()), "path").unwrap(), path.clone());
                let names: Vec<&str> = path.as_str().split('/').collect();
                prop_assert!(names == ["."] || !names.iter().any(|name| matches!(*name, "" | "." | "..")));
            }
        }
    }
}
