//! `audit verify` without a host: over a data directory, or over what was exported.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use patchbay_cli::{AuditSource, Exit, Format, VerifyArgs, print_verified, with_process_streams};
use patchbay_state::{StateConfig, StateError, Verdict};
use patchbay_wire::AuditVerifiedView;

pub(crate) fn verify(arguments: &VerifyArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let verdict = walk(&arguments.source, arguments.head.as_deref());
    with_process_streams(|streams| match verdict {
        Ok(verdict) => print_verified(&view(verdict), format, streams),
        Err(error) => streams.error(&error, format, Exit::Usage),
    })
}

fn walk(source: &AuditSource, head: Option<&str>) -> Result<Verdict, StateError> {
    match source {
        AuditSource::Data(data) => {
            let state = StateConfig::within(data, env!("CARGO_PKG_VERSION"));
            patchbay_state::verify(&state.path, head)
        }
        AuditSource::File(path) if path == Path::new("-") => exported(&mut std::io::stdin().lock(), head),
        AuditSource::File(path) => {
            let file = File::open(path).map_err(StateError::Export)?;
            exported(&mut BufReader::new(file), head)
        }
    }
}

fn exported(lines: &mut impl BufRead, head: Option<&str>) -> Result<Verdict, StateError> {
    patchbay_state::verify_export(lines, head)
}

fn view(verdict: Verdict) -> AuditVerifiedView {
    match verdict {
        Verdict::Whole(whole) => AuditVerifiedView {
            intact: true,
            records: whole.records,
            head: whole.head.hash,
            broken_at: None,
            message: format!("{} records, each as it was written", whole.records),
        },
        Verdict::Broken(broken) => AuditVerifiedView {
            intact: false,
            records: broken.seq.saturating_sub(1),
            head: String::new(),
            broken_at: Some(broken.seq),
            message: broken.message,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;
    use std::time::Duration;

    use patchbay_state::{Entry, State, Write};
    use patchbay_vocab::{Explain, SystemClock, UnixMillis};

    use super::*;

    /// A data directory with an audit of three records.
    fn audited() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        let config = StateConfig::within(data.path(), "0.0.0");
        std::fs::create_dir_all(&config.artifacts).unwrap();
        let (state, _) = State::open(&config, Arc::new(SystemClock::new())).unwrap();
        let record = |n: u64| {
            Write::Audit(Entry {
                at: UnixMillis(n),
                actor: "ann".to_owned(),
                action: "pin.set".to_owned(),
                plugin: None,
                revision: None,
                tenant: None,
                workflow: None,
                reason: format!("reason {n}"),
                key: None,
                detail: "{}".to_owned(),
            })
        };
        state
            .record((1..=3).map(record).collect(), Duration::from_secs(60))
            .unwrap();
        state.end_clean(Duration::from_secs(60)).unwrap();
        state.close();
        data
    }

    fn looked_at(source: &AuditSource, head: Option<&str>) -> AuditVerifiedView {
        view(walk(source, head).unwrap())
    }

    #[test]
    fn a_directory_and_what_was_exported_from_it_give_the_same_answer() {
        let data = audited();
        let of_data = looked_at(&AuditSource::Data(data.path().into()), None);
        assert!(of_data.intact, "{}", of_data.message);
        assert!(of_data.records >= 3 && of_data.head.len() == 64);

        let file = data.path().join("export.jsonl");
        let state = StateConfig::within(data.path(), "");
        patchbay_state::export(&state.path, 0, &mut File::create(&file).unwrap()).unwrap();
        let of_file = looked_at(&AuditSource::File(file.clone()), Some(&of_data.head));
        assert_eq!(of_file, of_data);

        // A head that is not among the records, and a record that is not as it was written.
        let other = "0".repeat(64);
        assert!(!looked_at(&AuditSource::File(file.clone()), Some(&other)).intact);
        let text = std::fs::read_to_string(&file)
            .unwrap()
            .replace("reason 2", "reason 7");
        let broken = view(exported(&mut Cursor::new(text), None).unwrap());
        assert!(!broken.intact && broken.broken_at.is_some(), "{broken:?}");
    }

    #[test]
    fn what_is_not_there_is_an_error_with_a_code() {
        let data = tempfile::tempdir().unwrap();
        for source in [
            AuditSource::Data(data.path().into()),
            AuditSource::File(data.path().join("none.jsonl")),
        ] {
            let error = walk(&source, None).unwrap_err();
            assert!(error.code().0.starts_with("PB-DURABLE-"), "{error}");
        }
    }
}
