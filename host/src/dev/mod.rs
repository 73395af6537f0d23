//! `dev`: a project's loop around a host of its own.
//!
//! Invariant: one thread owns the project, the build and what was handed over, and matches one enum of events; what a
//! build gives reaches the host by a rename into an inbox that nobody else writes to, and goes live by an explicit
//! promotion of that very content, so that an older build never replaces a newer one.

mod hand_over;
mod session;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use patchbay::{Config, Explain, Patchbay, Policy, SameVersion};
use patchbay_author::{DevError, Project};
use patchbay_cli::{DEFAULT_LISTEN, DevArgs, Exit, Format, with_process_streams};
use patchbay_vocab::Code;

use crate::up::{self, UpError};
use session::{DevEvent, Session, Times};

/// What is logged unless something else is asked for: the plugin's own words.
const LOG: &str = "off,patchbay::plugin=info";
/// How long the plugins may take to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no loop.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Dev(#[from] DevError),
    #[error(transparent)]
    Up(#[from] UpError),
}

impl Explain for Failure {
    fn code(&self) -> Code {
        match self {
            Self::Dev(error) => error.code(),
            Self::Up(error) => error.code(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Dev(error) => error.help(),
            Self::Up(error) => error.help(),
        }
    }
}

impl Failure {
    const fn exit(&self) -> Exit {
        match self {
            Self::Dev(DevError::NoProject { .. } | DevError::Folder { .. } | DevError::Settings { .. }) => {
                Exit::Usage
            }
            Self::Dev(_) => Exit::Internal,
            Self::Up(error) => error.exit(),
        }
    }
}

pub(crate) fn dev(arguments: &DevArgs) -> Exit {
    up::start_log(arguments.log.as_deref(), LOG);
    run(arguments).unwrap_or_else(|error| {
        let format = Format::of_flag(arguments.json);
        with_process_streams(|streams| streams.error(&error, format, error.exit()))
    })
}

fn run(arguments: &DevArgs) -> Result<Exit, Failure> {
    let project = Project::open(&arguments.dir)?;
    let times = if arguments.once {
        Times::Once
    } else {
        Times::Always
    };
    let address = match times {
        Times::Once => arguments.listen,
        Times::Always => Some(arguments.listen.unwrap_or(DEFAULT_LISTEN)),
    };
    if let Some(address) = address {
        patchbay_http::may_listen(address).map_err(UpError::Http)?;
    }
    let private = tempfile::Builder::new().prefix("patchbay-dev-").tempdir();
    let private = private.map_err(|cause| DevError::HandOver {
        path: std::env::temp_dir(),
        cause,
    })?;
    let runtime = up::runtime()?;
    let (events, inbox) = mpsc::channel();
    let (host, bound, stop) = runtime.block_on(start(private.path(), address, &events))?;
    let format = Format::of_flag(arguments.json);
    let mut session = Session::open(project, host.clone(), private.path(), events, format, times)?;
    let exit = session.run(&inbox, bound);
    // The order matters: no build that could still hand over, no calls, then the plugins.
    drop(session);
    drop(stop);
    host.close(CLOSE_WITHIN);
    runtime.shutdown_timeout(CLOSE_WITHIN);
    Ok(exit)
}

/// Held while the API serves.
type Stop = tokio::sync::oneshot::Sender<()>;

/// Opens the host, serves its API, and has signals and the host's events sent to the loop.
async fn start(
    private: &Path,
    address: Option<SocketAddr>,
    events: &mpsc::Sender<DevEvent>,
) -> Result<(Patchbay, Option<SocketAddr>, Stop), UpError> {
    // Before anything is built: an address in use is known at once.
    let listener = match address {
        Some(address) => Some(up::listen(address).await?),
        None => None,
    };
    let mut config = Config::new(private.join("inbox"), private.join("store"));
    config.same_version = SameVersion::Replace;
    // The loop promotes what it has built, whatever its version says.
    config.delivery.policy = Policy::Manual;
    let opened = tokio::task::spawn_blocking(move || Patchbay::open(config)).await;
    let host = opened
        .map_err(|error| UpError::Serve(error.into()))?
        .map_err(UpError::Open)?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let bound = match listener {
        Some(listener) => {
            let bound = listener.local_addr().map_err(UpError::Serve)?;
            let ended = async {
                let _ = stopped.await;
            };
            tokio::spawn(patchbay_http::serve(listener, host.clone(), ended));
            Some(bound)
        }
        None => None,
    };
    let (interrupts, mut heard) = (events.clone(), host.subscribe());
    tokio::spawn(async move {
        up::end().await;
        let _ = interrupts.send(DevEvent::Interrupted);
    });
    let told = events.clone();
    tokio::spawn(async move {
        use tokio::sync::broadcast::error::RecvError;
        loop {
            match heard.recv().await {
                Ok(event) => {
                    if told.send(DevEvent::Host(event)).is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
    Ok((host, bound, stop))
}
