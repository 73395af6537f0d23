//! Invariant: a text of the form `$name` in a document is a variable of the run or an error, and never taken for what it
//! says; what an expression came to is data, and names nothing. For that reason such parameters reach the node as they are
//! written, and the node fills in their `{{ }}`.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::field;

/// The longest `$name`.
const MAX_NAME: usize = 256;

/// The value of a parameter: that of the variable it names, what its expressions come to, or, when it is missing or null,
/// that of the variable `otherwise`, unless that is no name either.
pub(crate) fn find(
    given: ValueRef<'_>,
    parameter: &str,
    otherwise: &str,
    ctx: &Ctx<'_>,
) -> NodeResult<Option<Value>> {
    if let Some(path) = given.as_str().and_then(variable_path) {
        return named(path, parameter, ctx).map(Some);
    }
    let given = filled(given, parameter, ctx)?;
    if !given.as_ref().is_null() {
        return Ok(Some(given));
    }
    if otherwise.is_empty() {
        return Ok(None);
    }
    let value = ctx.variable::<Value>(otherwise)?;
    Ok(value.filter(|value| !value.as_ref().is_null()))
}

fn named(path: &str, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = ctx.variable::<Value>(name)?;
    let found = value.as_ref().and_then(|value| match rest {
        None => Some(value.as_ref()),
        Some(rest) => field(value.as_ref(), rest),
    });
    match found {
        Some(value) => Ok(value.to_value()),
        None => Err(NodeError::invalid(
            parameter,
            format_args!(
                "`${path}` means a variable of the run, and there is none of that name; set it before, or write an \
                 expression such as {{{{ $steps.ID.output }}}}"
            ),
        )),
    }
}

/// The value with its expressions filled in; outside a workflow, where there are none, as it is.
fn filled(given: ValueRef<'_>, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<Value> {
    if !has_expressions(given) {
        return Ok(given.to_value());
    }
    match ctx.render(given, &[]) {
        Err(error) if error.code == code::UNSUPPORTED => Ok(given.to_value()),
        Err(mut error) => {
            error.message = format!("parameter `{parameter}`: {}", error.message).into();
            Err(error)
        }
        filled => filled,
    }
}

fn has_expressions(value: ValueRef<'_>) -> bool {
    if let Some(text) = value.as_str() {
        return text.contains("{{");
    }
    let items = value.as_list().into_iter().flatten();
    let entries = value.as_map().into_iter().flatten();
    items.into_iter().any(has_expressions)
        || entries
            .into_iter()
            .any(|(key, value)| key.contains("{{") || has_expressions(value))
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
