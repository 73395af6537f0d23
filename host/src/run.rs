//! `run` and `validate`: a host of its own for one workflow, or another host that does it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchbay::{
    Config, ConfigError, ConfigFile, ControlError, ErrorClass, Explain, OpenError, Patchbay, RunView,
    validate_document,
};
use patchbay_cli::{
    Asked, CancelRemote, Exit, Format, Progress, Refused, RunArgs, ValidateArgs, print_run, print_validation,
    read_document, read_run, run_remotely, with_process_streams,
};
use patchbay_vocab::Code;
use patchbay_wire::{ProblemView, ValidateView};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::up::{end, start_log, survive_long_files};

/// Where plugins are looked for when nobody says where.
const STANDARD: [&str; 2] = ["plugins", ".patchbay/plugins"];
/// How long the plugins may take to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// Refused plugin files that are told one by one.
const TOLD: usize = 5;

/// Why there is no host for the workflow.
#[derive(Debug, thiserror::Error)]
enum HostError {
    #[error("{}", no_plugins(.0.as_deref()))]
    NoPlugins(Option<PathBuf>),
    #[error("no temporary directory could be made")]
    Temporary(#[source] io::Error),
    #[error("signals cannot be waited for")]
    Runtime(#[source] io::Error),
    #[error("it was told to end before the run began")]
    Interrupted,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Control(#[from] ControlError),
}

fn no_plugins(asked: Option<&Path>) -> String {
    match asked {
        Some(path) => format!("there is no directory `{}`", path.display()),
        None => format!(
            "there is no directory of plugins, neither `{}` nor `{}`",
            STANDARD[0], STANDARD[1]
        ),
    }
}

impl Explain for HostError {
    fn code(&self) -> Code {
        match self {
            Self::NoPlugins(_) => Code("PB-CLI-010"),
            Self::Temporary(_) | Self::Runtime(_) => Code("PB-CLI-011"),
            Self::Interrupted => Code("PB-CLI-012"),
            Self::Config(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Control(error) => error.code(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::NoPlugins(_) => {
                "name the directory with --plugins, or have a running host do it with --url".into()
            }
            Self::Temporary(_) => {
                "name a directory with --data, or set TMPDIR to one that can be written".into()
            }
            Self::Runtime(_) => "raise the limit on open files and threads of this user".into(),
            Self::Interrupted => "start it again; nothing was run".into(),
            Self::Config(error) => error.help(),
            Self::Open(error) => error.help(),
            Self::Control(error) => error.help(),
        }
    }
}

impl HostError {
    fn refused(&self) -> Refused {
        let exit = match self {
            Self::NoPlugins(_) | Self::Config(_) => Exit::Usage,
            Self::Interrupted => Exit::No,
            Self::Temporary(_) | Self::Runtime(_) | Self::Open(_) => Exit::Internal,
            Self::Control(error) => exit_of(error.class()),
        };
        let problem = match self {
            Self::Control(error) => error.problem(),
            other => ProblemView::new(other.code(), other.chain(), other.help()),
        };
        Refused {
            problem: Box::new(problem),
            exit,
        }
    }
}

/// The same as for the answer of a host over HTTP.
const fn exit_of(class: ErrorClass) -> Exit {
    match class {
        ErrorClass::NotFound | ErrorClass::Invalid => Exit::Usage,
        ErrorClass::Forbidden | ErrorClass::Conflict | ErrorClass::NodeFailed | ErrorClass::Timeout => {
            Exit::No
        }
        ErrorClass::TooMany | ErrorClass::Unavailable => Exit::Unreachable,
        ErrorClass::Internal => Exit::Internal,
    }
}

/// A host for one command.
struct OwnHost {
    host: Patchbay,
    /// Goes after the host.
    _data: Option<TempDir>,
}

impl OwnHost {
    fn open(site: &Site, data: Option<&Path>) -> Result<Self, HostError> {
        let temporary = match data {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("patchbay-run-")
                    .tempdir()
                    .map_err(HostError::Temporary)?,
            ),
        };
        let data = data
            .or(temporary.as_ref().map(TempDir::path))
            .unwrap_or(Path::new("data"));
        let mut config = Config::new(&site.plugins, data);
        site.file.apply(&mut config)?;
        // What is served elsewhere is not served here as well: its schedules would start runs twice.
        config.workflows.workflows = None;
        config.vetting_threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        Ok(Self {
            host: Patchbay::open(config)?,
            _data: temporary,
        })
    }

    fn close(self) {
        self.host.close(FAREWELL);
    }
}

/// What a host of one command is opened over.
struct Site {
    plugins: PathBuf,
    /// Secrets, settings, rules, limits. Its data directory is not used: a running host may have it.
    file: ConfigFile,
}

/// The directory with the plugins: the one asked for, else the one of the configuration, else the first of the usual
/// ones that is there.
fn site(asked: Option<&Path>, config: Option<&Path>) -> Result<Site, HostError> {
    let file = config.map(ConfigFile::read).transpose()?.unwrap_or_default();
    let plugins = match asked.or(file.plugins.as_deref()) {
        Some(path) if path.is_dir() => path.to_owned(),
        Some(path) => return Err(HostError::NoPlugins(Some(path.to_owned()))),
        None => STANDARD
            .iter()
            .map(PathBuf::from)
            .find(|path| path.is_dir())
            .ok_or(HostError::NoPlugins(None))?,
    };
    Ok(Site { plugins, file })
}

fn runtime() -> Result<tokio::runtime::Runtime, HostError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(HostError::Runtime)?;
    survive_long_files();
    Ok(runtime)
}

pub(crate) fn run(arguments: &RunArgs) -> Exit {
    start_log(arguments.log.as_deref(), "off");
    let mut progress = match arguments.quiet {
        true => Progress::hidden(),
        false => Progress::start(),
    };
    let ran = read_run(arguments).and_then(|asked| match &arguments.url {
        Some(url) => run_there(url, asked, &mut progress),
        None => run_here(asked, arguments, &mut progress),
    });
    progress.end();
    with_process_streams(|streams| match ran {
        Ok(run) => print_run(&run, arguments, streams),
        Err(refused) => streams.problem(&refused.problem, Format::of_flag(arguments.json), refused.exit),
    })
}

/// Ctrl-C ends the run on the other host; its record is still waited for.
fn run_there(url: &str, asked: Asked, progress: &mut Progress) -> Result<RunView, Refused> {
    let (told, begun) = oneshot::channel::<CancelRemote>();
    let watcher = std::thread::Builder::new()
        .name("pb-interrupt".into())
        .spawn(move || {
            let Ok(runtime) = runtime() else { return };
            runtime.block_on(async {
                // Before it has begun there is nothing to end but this program.
                let Ok(cancel) = begun.await else { return };
                end().await;
                cancel.cancel();
                // Who asks twice does not wait for the record.
                end().await;
                std::process::exit(i32::from(Exit::No.code()));
            });
        });
    drop(watcher);
    run_remotely(url, asked, progress, |cancel| {
        let _ = told.send(cancel);
    })
}

fn run_here(asked: Asked, arguments: &RunArgs, progress: &mut Progress) -> Result<RunView, Refused> {
    let ran = || -> Result<RunView, HostError> {
        let site = site(arguments.plugins.as_deref(), arguments.config.as_deref())?;
        let runtime = runtime()?;
        runtime.block_on(async {
            let mut interrupted = std::pin::pin!(end());
            let data = arguments.data.clone();
            let opening = tokio::task::spawn_blocking(move || OwnHost::open(&site, data.as_deref()));
            let mut opening = std::pin::pin!(opening);
            let mut stopped = false;
            let opened = tokio::select! {
                opened = &mut opening => opened,
                () = &mut interrupted => {
                    stopped = true;
                    opening.await
                }
            };
            let own = opened.map_err(|error| HostError::Runtime(error.into()))??;
            let ran = match stopped {
                true => Err(HostError::Interrupted),
                false => {
                    tell_refused(&own.host, arguments);
                    drive(&own.host, asked, progress, interrupted).await
                }
            };
            own.close();
            ran
        })
    };
    ran().map_err(|error| error.refused())
}

/// Runs the workflow to its end; an interrupt ends it early.
async fn drive(
    host: &Patchbay,
    asked: Asked,
    progress: &mut Progress,
    mut interrupted: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Result<RunView, HostError> {
    let order = host.order_of_text(asked.document, asked.request)?;
    let (begun, mut watch) = match progress.is_shown() {
        true => host
            .begin_watched_run(order)
            .map(|(begun, watch)| (begun, Some(watch)))?,
        false => (host.begin_run(order)?, None),
    };
    let id = begun.id().clone();
    let mut ended = std::pin::pin!(begun.ended());
    let mut told = false;
    loop {
        let event = async {
            match &mut watch {
                Some(watch) => watch.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            run = &mut ended => return Ok(run.map_err(ControlError::from)?),
            event = event => match event {
                Some(event) => progress.tell(&event),
                None => watch = None,
            },
            () = &mut interrupted, if !told => {
                told = true;
                // It may have ended in this very moment.
                let _ = host.cancel_run(&id);
            }
        }
    }
}

/// A plugin that was refused is the reason for many an unknown node type.
fn tell_refused(host: &Patchbay, arguments: &RunArgs) {
    if arguments.quiet || arguments.json {
        return;
    }
    let refused = host.rejected();
    with_process_streams(|streams| {
        for file in refused.iter().take(TOLD) {
            streams.note(&format!(
                "warning[{}]: {} was refused: {}",
                patchbay_cli::line(&file.code),
                patchbay_cli::line(&file.path),
                patchbay_cli::line(&file.message)
            ));
        }
        if refused.len() > TOLD {
            streams.note(&format!(
                "warning: {} more files were refused",
                refused.len() - TOLD
            ));
        }
    });
}

pub(crate) fn validate(arguments: &ValidateArgs) -> Exit {
    start_log(None, "off");
    let format = Format::of_flag(arguments.json);
    let checked = read_document(&arguments.workflow).and_then(|text| check(&text, arguments));
    with_process_streams(|streams| match checked {
        Ok((view, alone)) => {
            let exit = print_validation(&view, arguments, streams);
            if alone {
                streams.note(
                    "note: node types and their parameters were not checked, since there is no directory \
                     of plugins: see --plugins and --url",
                );
            }
            exit
        }
        Err(refused) => streams.problem(&refused.problem, format, refused.exit),
    })
}

/// What was found, and whether the document was looked at without any plugins.
fn check(text: &str, arguments: &ValidateArgs) -> Result<(ValidateView, bool), Refused> {
    let site = match site(arguments.plugins.as_deref(), arguments.config.as_deref()) {
        Err(HostError::NoPlugins(None)) => return Ok((validate_document(text), true)),
        site => site.map_err(|error| error.refused())?,
    };
    let own = OwnHost::open(&site, arguments.data.as_deref()).map_err(|error| error.refused())?;
    let view = own.host.validate_workflow(text, arguments.tenant.as_ref());
    own.close();
    Ok((view, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_plugins_that_is_not_there_is_named_with_what_to_do() {
        let error = site(Some(Path::new("/nowhere/plugins")), None).err().unwrap();
        let refused = error.refused();
        assert_eq!(
            (refused.exit, &*refused.problem.code),
            (Exit::Usage, "PB-CLI-010")
        );
        assert!(refused.problem.message.contains("/nowhere/plugins"));
        assert!(refused.problem.hint.contains("--plugins"));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(site(Some(folder.path()), None).unwrap().plugins, folder.path());
    }

    #[test]
    fn a_configuration_names_the_plugins_unless_the_arguments_do() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["inbox", "other"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let file = folder.path().join("patchbay.toml");
        std::fs::write(&file, "plugins = \"inbox\"\n").unwrap();
        let other = folder.path().join("other");
        assert_eq!(
            site(None, Some(&file)).unwrap().plugins,
            folder.path().join("inbox")
        );
        assert_eq!(site(Some(&other), Some(&file)).unwrap().plugins, other);
        std::fs::write(&file, "pluggins = 1\n").unwrap();
        let refused = site(None, Some(&file)).err().unwrap().refused();
        assert_eq!(
            (refused.exit, &*refused.problem.code),
            (Exit::Usage, "PB-CONFIG-002")
        );
    }

    #[test]
    fn a_failure_ends_the_command_as_the_same_one_over_http_would() {
        let cases = [
            (ErrorClass::NotFound, 2),
            (ErrorClass::Invalid, 2),
            (ErrorClass::Conflict, 1),
            (ErrorClass::TooMany, 3),
            (ErrorClass::Unavailable, 3),
            (ErrorClass::Internal, 4),
        ];
        for (class, code) in cases {
            assert_eq!(exit_of(class).code(), code, "{class:?}");
        }
    }
}
