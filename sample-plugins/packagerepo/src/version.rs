//! The order of versions.
//!
//! Invariant: the order is total and the same for every two texts: what is a version by semver.org comes after all that
//! is none, and what is none is ordered as text.

use std::cmp::Ordering;

use semver::Version;

/// A version as it is written, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Known<'v> {
    text: &'v str,
    version: Option<Version>,
}

impl<'v> Known<'v> {
    /// Reads a version; a `v` before it does not count.
    pub(crate) fn read(text: &'v str) -> Self {
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        Self {
            text,
            version: Version::parse(bare).ok(),
        }
    }

    /// What it is by semver.org.
    pub(crate) const fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Whether it is one that comes before a release, or is no version at all.
    pub(crate) fn is_unstable(&self) -> bool {
        self.version
            .as_ref()
            .is_none_or(|version| !version.pre.is_empty())
    }
}

impl Ord for Known<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // `None` is less than every version. Of two ways to write one version the text decides.
        self.version
            .cmp(&other.version)
            .then_with(|| self.text.cmp(other.text))
    }
}

impl PartialOrd for Known<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Known<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Known<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = String> {
        let version = (
            0_u64..4,
            0_u64..4,
            0_u64..4,
            prop::option::of("(alpha|beta|rc)\\.[0-9]{1,2}"),
        );
        let version = version.prop_map(|(major, minor, patch, pre)| match pre {
            Some(pre) => format!("{major}.{minor}.{patch}-{pre}"),
            None => format!("{major}.{minor}.{patch}"),
        });
        prop_oneof![4 => version, 1 => "v[0-3]\\.[0-3]\\.[0-3]", 1 => "[a-z0-9.]{0,8}"]
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in texts(), b in texts(), c in texts()) {
            let (a, b, c) = (Known::read(&a), Known::read(&b), Known::read(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }

        #[test]
        fn versions_are_ordered_as_semver_orders_them(a in texts(), b in texts()) {
            let (known_a, known_b) = (Known::read(&a), Known::read(&b));
            let bare = |text: &str| Version::parse(text.trim_start_matches('v'));
            match (bare(&a), bare(&b)) {
                (Ok(a), Ok(b)) if a != b => prop_assert_eq!(known_a.cmp(&known_b), a.cmp(&b)),
                (Ok(_), Err(_)) => prop_assert!(known_a > known_b),
                (Err(_), Ok(_)) => prop_assert!(known_a < known_b),
                _ => {}
            }
        }
    }

    #[test]
    fn a_release_comes_after_what_leads_to_it() {
        let ascending = [
            "",
            "latest",
            "0.9.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-rc.1",
            "1.0.0",
            "1.9.0",
            "1.10.0",
            "v2.0.0",
        ];
        for pair in ascending.windows(2) {
            assert!(Known::read(pair[0]) < Known::read(pair[1]), "{pair:?}");
        }
        assert!(Known::read("1.0.0-rc.1").is_unstable() && Known::read("latest").is_unstable());
        assert!(!Known::read("v1.0.0").is_unstable());
    }
}
