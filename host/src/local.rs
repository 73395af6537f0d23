//! `inspect` and `check`: one file, no host.

use patchbay::{Config, ConfigError, check_file, inspect_file};
use patchbay_cli::{
    CheckArgs, Exit, Format, InspectArgs, TrustArgs, render_check, render_inspect, with_process_streams,
};
use patchbay_wire::Severity;

/// A configuration for looking at files; its directories are not used.
fn config(trust: &TrustArgs) -> Result<Config, ConfigError> {
    let mut config = Config::new("", "");
    config.trust = crate::trust::policy(trust)?;
    Ok(config)
}

fn refused(error: &ConfigError, format: Format) -> Exit {
    with_process_streams(|streams| streams.error(error, format, Exit::Usage))
}

pub(crate) fn inspect(arguments: &InspectArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let config = match config(&arguments.trust) {
        Ok(config) => config,
        Err(error) => return refused(&error, format),
    };
    let view = inspect_file(&arguments.file, &config);
    with_process_streams(|streams| match (view, format) {
        (Ok(view), Format::Json) => streams.json(&view),
        (Ok(view), Format::Human) => streams.answer(&render_inspect(&view)),
        (Err(error), format) => streams.error(&error, format, Exit::No),
    })
}

pub(crate) fn check(arguments: &CheckArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let config = match config(&arguments.trust) {
        Ok(config) => config,
        Err(error) => return refused(&error, format),
    };
    let view = check_file(&arguments.file, &config);
    with_process_streams(|streams| match view {
        Ok(view) => {
            let shown = match format {
                Format::Json => streams.json(&view),
                Format::Human => streams.answer(&render_check(&view)),
            };
            let worst = view.findings.iter().map(|finding| finding.level).min();
            let mend = match worst {
                Some(Severity::Error) => true,
                Some(Severity::Warning) => arguments.strict,
                Some(Severity::Note) | None => false,
            };
            match (view.fit && !mend, shown) {
                (false, Exit::Success) => Exit::No,
                (_, shown) => shown,
            }
        }
        Err(error) => streams.error(&error, format, Exit::Internal),
    })
}
