//! What is put in the place of a match.
//!
//! Invariant: a group that a replacement names is there; that is found out before anything is replaced.

use plugin_api::prelude::*;
use plugin_api::reading::Growing;
use regex::Captures;

/// A replacement in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replacement<'r>(Vec<Part<'r>>);

#[derive(Debug, PartialEq, Eq)]
enum Part<'r> {
    Text(&'r str),
    Group(usize),
}

impl<'r> Replacement<'r> {
    /// Reads `$1`, `${1}`, `$name`, `${name}`, `$<name>`, `$&` and `$$`. A dollar sign before anything else stands for itself.
    pub(crate) fn read(text: &'r str, names: &[Option<String>]) -> NodeResult<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            parts.push(Part::Text(before));
            let (part, behind) = reference(after, names)?;
            parts.push(part);
            rest = behind;
        }
        parts.push(Part::Text(rest));
        parts.retain(|part| *part != Part::Text(""));
        Ok(Self(parts))
    }

    /// Adds the replacement of one match.
    pub(crate) fn write(&self, captures: &Captures<'_>, out: &mut Growing) -> NodeResult<()> {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push(text, "replacement")?,
                Part::Group(group) => {
                    let text = captures.get(*group).map_or("", |group| group.as_str());
                    out.push(text, "replacement")?;
                }
            }
        }
        Ok(())
    }
}

/// What stands behind a dollar sign, and what is left.
fn reference<'r>(after: &'r str, names: &[Option<String>]) -> NodeResult<(Part<'r>, &'r str)> {
    for (start, end) in [('{', '}'), ('<', '>')] {
        if let Some((name, behind)) = after.strip_prefix(start).and_then(|after| after.split_once(end)) {
            return Ok((Part::Group(group(name, names)?), behind));
        }
    }
    if let Some(behind) = after.strip_prefix('$') {
        return Ok((Part::Text("$"), behind));
    }
    if let Some(behind) = after.strip_prefix('&') {
        return Ok((Part::Group(0), behind));
    }
    let length = |is: fn(&u8) -> bool| after.bytes().take_while(is).count();
    let digits = length(u8::is_ascii_digit);
    if digits > 0 {
        // `$10` is the tenth group, or the first one and a zero where there are fewer.
        for length in (1..=digits.min(5)).rev() {
            let (number, behind) = after.split_at_checked(length).unwrap_or_default();
            let number = number.parse().ok().filter(|number| *number < names.len());
            if let Some(number) = number {
                return Ok((Part::Group(number), behind));
            }
        }
    }
    let word = length(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let (word, behind) = after.split_at_checked(word).unwrap_or_default();
    if word.is_empty() {
        return Ok((Part::Text("$"), after));
    }
    Ok((Part::Group(group(word, names)?), behind))
}

/// The number of a group that is called by its number or its name.
fn group(name: &str, names: &[Option<String>]) -> NodeResult<usize> {
    let number = name.parse().ok().filter(|number| *number < names.len());
    let named = || names.iter().position(|known| known.as_deref() == Some(name));
    number.or_else(named).ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        let why = format_args!("the pattern has no group {name:?}; write `$$` for a dollar sign");
        NodeError::invalid("replacement", why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<Option<String>> {
        vec![None, None, Some("year".to_owned())]
    }

    #[test]
    fn references_are_told_from_text() {
        let cases: [(&str, &[Part<'_>]); 14] = [
            ("", &[]),
            ("a$1b", &[Part::Text("a"), Part::Group(1), Part::Text("b")]),
            ("$0$&", &[Part::Group(0), Part::Group(0)]),
            ("$10", &[Part::Group(1), Part::Text("0")]),
            ("${1}0", &[Part::Group(1), Part::Text("0")]),
            ("$12", &[Part::Group(1), Part::Text("2")]),
            ("$year-", &[Part::Group(2), Part::Text("-")]),
            ("${year}s", &[Part::Group(2), Part::Text("s")]),
            ("$<year>s", &[Part::Group(2), Part::Text("s")]),
            ("$2", &[Part::Group(2)]),
            ("$$1", &[Part::Text("$"), Part::Text("1")]),
            ("5 $", &[Part::Text("5 "), Part::Text("$")]),
            ("$ 5", &[Part::Text("$"), Part::Text(" 5")]),
            ("${1", &[Part::Text("$"), Part::Text("{1")]),
        ];
        for (text, parts) in cases {
            assert_eq!(Replacement::read(text, &names()).unwrap().0, parts, "{text}");
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_named() {
        for (text, name) in [
            ("$3", "\"3\""),
            ("${3}", "\"3\""),
            ("$month", "\"month\""),
            ("$yearly", "\"yearly\""),
            ("$<>", "\"\""),
            ("$99999999999999999999", "\"99999999999999999999\""),
        ] {
            let error = Replacement::read(text, &names()).unwrap_err();
            let expected = format!("parameter `replacement`: the pattern has no group {name}");
            assert!(error.message.starts_with(&expected), "{text}: {error}");
        }
    }
}
