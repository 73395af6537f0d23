//! Invariant: a text of the form `$name` is a variable of the run or an error, and never taken for what it says.

use plugin_api::prelude::*;
use plugin_api::reading::field;

/// The longest `$name`.
const MAX_NAME: usize = 256;

/// The value of a parameter: as it was given, that of the variable it names, or, when it is missing or null, that of the
/// variable `otherwise`.
pub(crate) fn find(
    given: ValueRef<'_>,
    parameter: &str,
    otherwise: &str,
    ctx: &Ctx<'_>,
) -> NodeResult<Option<Value>> {
    if given.is_null() {
        let value = ctx.variable::<Value>(otherwise)?;
        return Ok(value.filter(|value| !value.as_ref().is_null()));
    }
    let Some(path) = given.as_str().and_then(variable_path) else {
        return Ok(Some(given.to_value()));
    };
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = ctx.variable::<Value>(name)?;
    let found = value.as_ref().and_then(|value| match rest {
        None => Some(value.as_ref()),
        Some(rest) => field(value.as_ref(), rest),
    });
    match found {
        Some(value) => Ok(Some(value.to_value())),
        None => Err(NodeError::invalid(
            parameter,
            format_args!(
                "`${path}` means a variable of the run, and there is none of that name; set it before, or write an \
                 expression such as {{{{ $steps.ID.output }}}}"
            ),
        )),
    }
}

/// `a.b` of `$a.b`, `None` for any other text.
fn variable_path(text: &str) -> Option<&str> {
    let path = text.strip_prefix('$').filter(|path| path.len() < MAX_NAME)?;
    let is_word =
        |step: &str| !step.is_empty() && step.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_name = path
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    (is_name && path.split('.').all(is_word)).then_some(path)
}

/// At most `bytes` of a text, cut between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

/// A text from outside, fit for an error: one line, no control characters, not long.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .take(300)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_name_means_a_variable() {
        for (text, path) in [
            ("$messages", Some("messages")),
            ("$a.b.0", Some("a.b.0")),
            ("$_x1", Some("_x1")),
            ("$100", None),
            ("$", None),
            ("$a b", None),
            ("$a.", None),
            ("a$b", None),
            ("", None),
        ] {
            assert_eq!(variable_path(text), path, "{text}");
        }
        assert_eq!(variable_path(&format!("${}", "a".repeat(MAX_NAME))), None);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("aé", 99), "aé");
    }

    #[test]
    fn a_text_from_outside_is_one_short_line() {
        assert_eq!(one_line("a\r\nb\u{1b}[1m"), "a  b [1m");
        assert_eq!(one_line(&"é".repeat(1_000)).chars().count(), 300);
    }
}
