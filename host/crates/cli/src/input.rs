//! The parameters of a call: given inline, in a file, or on stdin.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchbay_vocab::PluginName;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::error::CliError;

/// What a host takes at most; reading more would be in vain.
const MOST: u64 = 8 << 20;

/// The longest document that a host reads.
const LONGEST_DOCUMENT: u64 = 16 << 20;

/// Reads `text` as JSON, `@FILE` as a file's name, `-` as stdin, and nothing as an empty object.
pub(crate) fn read(text: Option<&str>) -> Result<Json, CliError> {
    match text {
        None => Ok(Json::Object(serde_json::Map::new())),
        Some(text) => parse(&bytes_of(text)?),
    }
}

/// Reads the same as the text that it is, so that maps keep the order of their keys.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, CliError> {
    serde_json::from_slice(&bytes_of(text)?).map_err(CliError::BadJson)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, CliError> {
    match text.strip_prefix('@') {
        Some(path) => file(path.into(), MOST),
        None if text == "-" => bounded(std::io::stdin().lock(), "-".into(), MOST),
        None => Ok(text.as_bytes().to_vec()),
    }
}

/// Reads a document, `-` from stdin. Whether it is one is for the host to say, with findings.
pub(crate) fn document(path: &Path) -> Result<String, CliError> {
    let bytes = match path.to_str() {
        Some("-") => bounded(std::io::stdin().lock(), "-".into(), LONGEST_DOCUMENT)?,
        _ => file(path.to_owned(), LONGEST_DOCUMENT)?,
    };
    String::from_utf8(bytes)
        .map_err(|error| CliError::BadJson(serde::de::Error::custom(format!("{}: {error}", path.display()))))
}

fn file(path: PathBuf, most: u64) -> Result<Vec<u8>, CliError> {
    match File::open(&path) {
        Ok(file) => bounded(file, path, most),
        Err(cause) => Err(CliError::Unreadable { path, cause }),
    }
}

fn bounded(source: impl Read, path: PathBuf, most: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    match source.take(most + 1).read_to_end(&mut bytes) {
        Err(cause) => Err(CliError::Unreadable { path, cause }),
        Ok(size) if size as u64 > most => Err(CliError::TooLarge { most }),
        Ok(_) => Ok(bytes),
    }
}

fn parse(bytes: &[u8]) -> Result<Json, CliError> {
    serde_json::from_slice(bytes).map_err(CliError::BadJson)
}

/// Reads `500ms`, `2s` or `1m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("give a whole number and a unit: 500ms, 2s, 1m".into()),
    };
    let count: u64 = digits
        .parse()
        .map_err(|_| "give a whole number and a unit: 500ms, 2s, 1m".to_owned())?;
    match count.checked_mul(scale) {
        Some(millis @ 1..=86_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err("give between 1ms and one day".into()),
    }
}

/// Reads how long ago: `90s`, `10m`, `2h`, `7d`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "give a whole number and a unit: 90s, 10m, 2h, 7d".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let scale = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    match count.checked_mul(scale) {
        Some(seconds @ 1..=3_155_760_000) => Ok(Duration::from_secs(seconds)),
        _ => Err("give between 1s and a hundred years".into()),
    }
}

/// Reads how long something may last: `500ms`, `60s`, `5m`, `2h`, `7d`.
pub(crate) fn lapse(text: &str) -> Result<Duration, String> {
    let wrong = || "give a whole number and a unit: 500ms, 60s, 5m, 2h, 7d".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    match count.checked_mul(scale) {
        Some(millis @ 0..=31_622_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err("give at most 366 days".into()),
    }
}

/// The longest key of an order.
const LONGEST_KEY: usize = 64;

/// A name for an order: a header, so printable ASCII and short.
pub(crate) fn key(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_KEY).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        && text.trim().len() == text.len();
    match fits {
        true => Ok(text.to_owned()),
        false => Err("give 1 to 64 printable ASCII characters, without blanks around them".into()),
    }
}

/// The longest id of a rollout, which holds the name of its plugin.
const LONGEST_ROLLOUT: usize = 128;

/// The id of a rollout, or the name of a plugin.
pub(crate) fn rollout(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_ROLLOUT).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    match fits {
        true => Ok(text.to_owned()),
        false => Err("give a plugin's name, or an id as `patchbay rollout status --all` lists them".into()),
    }
}

/// A hash as an audit has it.
pub(crate) fn hash(text: &str) -> Result<String, String> {
    match text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("give the 64 hexadecimal digits that `patchbay audit verify` prints as the head".into()),
    }
}

/// Reads `PLUGIN=VERSION`.
pub(crate) fn version(text: &str) -> Result<(PluginName, String), String> {
    let Some((plugin, version)) = text.split_once('=') else {
        return Err("write PLUGIN=VERSION, such as string=1.2.0 or string=r3".into());
    };
    let plugin = plugin.parse().map_err(|error| format!("{error}"))?;
    match version {
        "" => Err("write a version after the `=`, such as 1.2.0 or r3".into()),
        version => Ok((plugin, version.to_owned())),
    }
}

/// The levels of the log, as `--log` takes them.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Checks what is to be logged: a level, or several parts with a comma between them, each of which is a level or
/// `TARGET=LEVEL`. A bare word that is no level would otherwise name a target, and log nothing.
pub(crate) fn log_filter(text: &str) -> Result<String, String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_target = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':'))
    };
    let wrong = text.split(',').find(|part| match part.split_once('=') {
        Some((target, level)) => !(is_target(target) && is_level(level)),
        None => !is_level(part),
    });
    match wrong {
        None => Ok(text.to_owned()),
        Some(part) => Err(format!(
            "`{part}` is none of error, warn, info, debug, trace or off, and no TARGET=LEVEL"
        )),
    }
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why; it is kept".to_owned()),
        reason => Ok(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Explain;
    use serde_json::json;

    use super::*;

    #[test]
    fn input_is_inline_a_file_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.json");
        std::fs::write(&path, "[1, 2]").unwrap();
        assert_eq!(read(None).unwrap(), json!({}));
        assert_eq!(read(Some(r#"{"a": 1}"#)).unwrap(), json!({"a": 1}));
        assert_eq!(
            read(Some(&format!("@{}", path.display()))).unwrap(),
            json!([1, 2])
        );
    }

    #[test]
    fn unusable_input_is_a_usage_error_with_its_own_code() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large.json");
        File::create(&large).unwrap().set_len(MOST + 1).unwrap();
        let cases = [
            ("{", "PB-CLI-003"),
            ("", "PB-CLI-003"),
            ("@/nowhere/input.json", "PB-CLI-004"),
            (&format!("@{}", large.display()), "PB-CLI-005"),
        ];
        for (text, code) in cases {
            let error = read(Some(text)).unwrap_err();
            assert_eq!(
                (error.code().0, error.exit()),
                (code, crate::Exit::Usage),
                "{text}"
            );
        }
    }

    #[test]
    fn deeply_nested_input_is_refused_and_not_followed() {
        assert!(read(Some(&"[".repeat(1_000_000))).is_err());
    }

    #[test]
    fn raw_input_keeps_the_order_of_its_keys_and_its_numbers() {
        let text = r#"{"b": 1.0, "a": [12345678901234567890]}"#;
        assert_eq!(raw(text).unwrap().get(), text);
        assert!(raw("{").is_err() && raw("").is_err());
    }

    #[test]
    fn a_document_is_text_of_a_bounded_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("cut"), "{\"nodes\": [").unwrap();
        std::fs::write(path("binary"), b"{\xff}").unwrap();
        File::create(path("large"))
            .unwrap()
            .set_len(LONGEST_DOCUMENT + 1)
            .unwrap();
        assert_eq!(document(&path("cut")).unwrap(), "{\"nodes\": [");
        let code = |name: &str| document(&path(name)).unwrap_err().code().0;
        assert_eq!(
            (code("binary"), code("large"), code("none"), code("")),
            ("PB-CLI-003", "PB-CLI-005", "PB-CLI-004", "PB-CLI-004")
        );
    }

    #[test]
    fn spans_and_versions_are_read_or_refused() {
        assert_eq!(span("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(span("7d"), Ok(Duration::from_secs(604_800)));
        for bad in ["", "5", "2w", "0s", "1.5h", "99999999999999999999d"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(version("string=1.2.0").unwrap().1, "1.2.0");
        for bad in ["", "string", "string=", "=1.0.0", "a b=1.0.0"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_ids_and_hashes_are_held_to_what_a_host_takes() {
        assert_eq!(key("deploy 17/retry"), Ok("deploy 17/retry".to_owned()));
        for bad in ["", " a", "a ", "a\tb", "a\r\nx: y", "gr\u{fc}n", &"a".repeat(65)] {
            assert!(key(bad).is_err(), "{bad:?}");
        }
        assert_eq!(rollout("r-string-3"), Ok("r-string-3".to_owned()));
        for bad in ["", "../x", "a/b", "a?b", "a b", &"a".repeat(129)] {
            assert!(rollout(bad).is_err(), "{bad:?}");
        }
        assert_eq!(hash(&"AB".repeat(32)), Ok("ab".repeat(32)));
        for bad in ["", "ab", &"zz".repeat(32), &"ab".repeat(33)] {
            assert!(hash(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_lapse_may_be_nothing_or_a_year() {
        assert_eq!(lapse("0s"), Ok(Duration::ZERO));
        assert_eq!(lapse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(lapse("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(lapse("366d"), Ok(Duration::from_secs(31_622_400)));
        for bad in [
            "",
            "5",
            "m",
            "1.5m",
            "-1s",
            "367d",
            "99999999999999999999d",
            "18446744073709551615h",
        ] {
            assert!(lapse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_need_a_unit_and_a_bound() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "0s",
            "99999999999999999999s",
            "18446744073709551615m",
            "2d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
