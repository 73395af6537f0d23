//! Addresses of people. Invariant: what is read as a mailbox was read whole, has no control characters, and its domain is
//! one that any server understands.

use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, text_of};
use plugin_api::value::Kind;

use crate::line::{has_control, one_line};

/// Addresses in one parameter.
pub(crate) const MAX_ADDRESSES: usize = 500;
/// Bytes of one parameter.
const MAX_BYTES: usize = 256 << 10;
/// Bytes of a name.
const MAX_NAME: usize = 512;

/// Reads one mailbox or several: a text with commas between, a map of `name` and `address`, or a list of either.
pub(crate) fn mailboxes(value: ValueRef<'_>, parameter: &str) -> NodeResult<Vec<Mailbox>> {
    let mut found = Vec::new();
    match value.as_list() {
        Some(list) => list
            .iter()
            .try_for_each(|item| read(item, parameter, &mut found))?,
        None => read(value, parameter, &mut found)?,
    }
    Ok(found)
}

/// Reads one mailbox.
pub(crate) fn mailbox(value: ValueRef<'_>, parameter: &str) -> NodeResult<Option<Mailbox>> {
    let mut found = mailboxes(value, parameter)?;
    if found.len() > 1 {
        return Err(NodeError::invalid(parameter, "there can be one address only"));
    }
    Ok(found.pop())
}

fn read(value: ValueRef<'_>, parameter: &str, found: &mut Vec<Mailbox>) -> NodeResult<()> {
    let wrong = |why: String| NodeError::invalid(parameter, why);
    let mut add = |mailbox: Mailbox| {
        if found.len() >= MAX_ADDRESSES {
            return Err(format!("more than {MAX_ADDRESSES} addresses"));
        }
        found.push(mailbox);
        Ok(())
    };
    match value.kind() {
        Kind::Null => Ok(()),
        Kind::Str => {
            let text = value.as_str().unwrap_or_default();
            if text.len() > MAX_BYTES {
                return Err(wrong(format!("is longer than {} KiB", MAX_BYTES >> 10)));
            }
            items(text)
                .filter(|item| !item.trim().is_empty())
                .try_for_each(|item| parse(item).and_then(&mut add).map_err(wrong))
        }
        Kind::Map => {
            let text = |key: &str| value.get(key).and_then(text_of).filter(|text| !text.is_empty());
            let address = text("address")
                .or_else(|| text("email"))
                .ok_or_else(|| wrong("a map needs `address`".to_owned()))?;
            let name = text("name").unwrap_or_default();
            made(&name, &address).and_then(add).map_err(wrong)
        }
        _ => Err(wrong(format!(
            "expected a text, a map with `address`, or a list of them, found {}",
            kind_name(value)
        ))),
    }
}

/// The parts of a text between commas that are neither in quotes nor in angle brackets.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped, mut angle) = (false, false, false);
        for (at, c) in text.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '<' if !quoted => angle = true,
                '>' if !quoted => angle = false,
                ',' if !quoted && !angle => {
                    rest = text.get(at + 1..);
                    return text.get(..at);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// Reads `address`, `<address>` or `Name <address>`.
fn parse(item: &str) -> Result<Mailbox, String> {
    let item = item.trim();
    let Some(before) = item.strip_suffix('>') else {
        return made("", item);
    };
    let (name, address) = before
        .rsplit_once('<')
        .ok_or_else(|| format!("`{}` is no address", one_line(item)))?;
    let name = name.trim();
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => made(&unescaped(quoted), address),
        None => made(name, address),
    }
}

/// The text that a quoted one stands for.
fn unescaped(quoted: &str) -> String {
    let mut escaped = false;
    quoted
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

fn made(name: &str, address: &str) -> Result<Mailbox, String> {
    let shown = one_line(address);
    if has_control(name) || has_control(address) {
        return Err(format!(
            "the name or the address `{shown}` has a line break or another control character"
        ));
    }
    let name = name.trim();
    if name.len() > MAX_NAME {
        return Err(format!("the name of `{shown}` is longer than {MAX_NAME} bytes"));
    }
    let no_address = || format!("`{shown}` is no address, which is of the form `name@domain`");
    let (user, domain) = address.trim().rsplit_once('@').ok_or_else(no_address)?;
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).map_err(|_| no_address())?
    };
    let address = Address::new(user, domain).map_err(|_| no_address())?;
    Ok(Mailbox::new(
        Some(name.to_owned()).filter(|name| !name.is_empty()),
        address,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<String>, String> {
        let value = Value::from_json(json).unwrap();
        mailboxes(value.as_ref(), "to")
            .map(|all| all.iter().map(ToString::to_string).collect())
            .map_err(|error| error.message.into_owned())
    }

    #[test]
    fn addresses_are_read_in_every_form() {
        for (json, expected) in [
            (r#""ada@example.com""#, vec!["ada@example.com"]),
            (r#"" Ada <ada@example.com> ""#, vec!["Ada <ada@example.com>"]),
            (
                r#""a@example.com, B <b@example.com>""#,
                vec!["a@example.com", "B <b@example.com>"],
            ),
            (
                r#""\"Lovelace, Ada\" <ada@example.com>, b@example.com""#,
                vec!["\"Lovelace, Ada\" <ada@example.com>", "b@example.com"],
            ),
            (
                r#""\"a \\\"b\\\"\" <a@example.com>""#,
                vec!["\"a \\\"b\\\"\" <a@example.com>"],
            ),
            (
                r#"["a@example.com", {"name": "B", "address": "b@example.com"}, {"email": "c@example.com"}]"#,
                vec!["a@example.com", "B <b@example.com>", "c@example.com"],
            ),
            (r#""ada@bücher.example""#, vec!["ada@xn--bcher-kva.example"]),
            (r#""ada@[127.0.0.1]""#, vec!["ada@[127.0.0.1]"]),
            (r#""a@example.com,,""#, vec!["a@example.com"]),
            ("null", vec![]),
            (r#""""#, vec![]),
            ("[]", vec![]),
        ] {
            assert_eq!(
                read(json),
                Ok(expected.into_iter().map(str::to_owned).collect()),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_whole() {
        for (json, part) in [
            ("5", "found a number"),
            (r#"[["a@example.com"]]"#, "found a list"),
            ("{}", "a map needs `address`"),
            (r#""ada""#, "`ada` is no address"),
            (r#""ada@""#, "is no address"),
            (r#""@example.com""#, "is no address"),
            (r#""ada@example.com bob@example.com""#, "is no address"),
            (r#""ada@exa mple.com""#, "is no address"),
            (r#""a@example.com; b@example.com""#, "is no address"),
            (r#""ada@example.com>""#, "is no address"),
            (r#""Ada <ada@example.com""#, "is no address"),
            (r#""ada@example.com\r\nBcc: eve@example.com""#, "line break"),
            (
                r#"{"name": "Ada\nBcc: eve@example.com", "address": "ada@example.com"}"#,
                "line break",
            ),
            (r#"{"address": "ada@example.com\u0000"}"#, "control character"),
            (r#""ada@-.example""#, "is no address"),
        ] {
            let why = read(json).unwrap_err();
            assert!(why.contains(part) && why.contains("`to`"), "{json}: {why}");
        }
        let many = format!("\"{}\"", vec!["a@example.com"; 501].join(","));
        assert!(read(&many).unwrap_err().contains("more than 500"));
        let long = format!("\"{}@example.com\"", "a".repeat(300_000));
        assert!(read(&long).unwrap_err().contains("longer than 256 KiB"));
        let named = format!(r#"{{"name": "{}", "address": "a@example.com"}}"#, "n".repeat(600));
        assert!(read(&named).unwrap_err().contains("longer than 512"));
    }
}
