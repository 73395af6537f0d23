//! The parameters of a call: given inline, in a file, or on stdin.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use crate::error::CliError;

/// What a host takes at most; reading more would be in vain.
const MOST: u64 = 8 << 20;

/// Reads `text` as JSON, `@FILE` as a file's name, `-` as stdin, and nothing as an empty object.
pub(crate) fn read(text: Option<&str>) -> Result<Json, CliError> {
    match text {
        None => Ok(Json::Object(serde_json::Map::new())),
        Some("-") => parse(&bounded(std::io::stdin().lock(), "-".into())?),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => {
                let path = PathBuf::from(path);
                let file = File::open(&path).map_err(|cause| CliError::Unreadable {
                    path: path.clone(),
                    cause,
                })?;
                parse(&bounded(file, path)?)
            }
            None => parse(text.as_bytes()),
        },
    }
}

fn bounded(source: impl Read, path: PathBuf) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    match source.take(MOST + 1).read_to_end(&mut bytes) {
        Err(cause) => Err(CliError::Unreadable { path, cause }),
        Ok(size) if size as u64 > MOST => Err(CliError::TooLarge { most: MOST }),
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
