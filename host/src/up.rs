//! `up`: a host with its API, until it is told to end.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use patchbay::{
    Config, ConfigError, ConfigFile, Explain, Mode, OpenError, Patchbay, SameVersion, Signatures, TrustPolicy,
};
use patchbay_cli::{DEFAULT_LISTEN, Exit, Format, UpArgs, with_process_streams};
use patchbay_http::HttpError;
use patchbay_vocab::Code;
use rustix::process::Signal;
use signal_hook::flag;
use signal_hook::low_level::pipe;
use tracing_subscriber::EnvFilter;

/// Why a host did not come up.
#[derive(Debug)]
pub(crate) enum UpError {
    Config(ConfigError),
    Open(OpenError),
    Http(HttpError),
    Listen {
        address: SocketAddr,
        cause: std::io::Error,
    },
    Serve(std::io::Error),
}

impl std::fmt::Display for UpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
            Self::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            Self::Serve(_) => f.write_str("the API ended"),
        }
    }
}

impl std::error::Error for UpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => error.source(),
            Self::Open(error) => error.source(),
            Self::Http(error) => error.source(),
            Self::Listen { cause, .. } | Self::Serve(cause) => Some(cause),
        }
    }
}

impl Explain for UpError {
    fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Listen { .. } => Code("PB-UP-001"),
            Self::Serve(_) => Code("PB-UP-002"),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Config(error) => error.help(),
            Self::Open(error) => error.help(),
            Self::Http(error) => error.help(),
            Self::Listen { .. } => "stop what listens there, or choose another --listen address".into(),
            Self::Serve(_) => "see the log; the plugins were unloaded in order".into(),
        }
    }
}

pub(crate) fn up(arguments: &UpArgs) -> Exit {
    start_log(arguments.log.as_deref(), "info");
    match run(arguments) {
        Ok(()) => Exit::Success,
        Err(error) => with_process_streams(|streams| streams.error(&error, Format::Human, error.exit())),
    }
}

impl UpError {
    /// How the process ends for this.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Http(_) => Exit::Usage,
            Self::Open(_) | Self::Listen { .. } | Self::Serve(_) => Exit::Internal,
        }
    }
}

/// Begins to log to standard error: what is asked for, else `standard`.
pub(crate) fn start_log(level: Option<&str>, standard: &str) {
    let filter = EnvFilter::new(level.unwrap_or(standard));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn run(arguments: &UpArgs) -> Result<(), UpError> {
    let file = arguments
        .config
        .as_deref()
        .map(ConfigFile::read)
        .transpose()
        .map_err(UpError::Config)?;
    let file = file.unwrap_or_default();
    let or = |given: &Option<PathBuf>, in_file: &Option<PathBuf>, standard: &str| {
        given
            .clone()
            .or_else(|| in_file.clone())
            .unwrap_or_else(|| standard.into())
    };
    let plugins = or(&arguments.plugins, &file.plugins, "plugins");
    let data = or(&arguments.data, &file.data, "data");
    let mut config = Config::new(plugins, data);
    file.apply(&mut config).map_err(UpError::Config)?;
    if let Some(dir) = &arguments.workflows {
        config.workflows.workflows = Some(dir.clone());
    }
    if arguments.require_signature {
        config.trust.signatures = Signatures::Required;
    }
    if lets_nothing_in(&config.trust) {
        with_process_streams(|streams| streams.note(NOTHING_COMES_IN));
    }
    if arguments.dev {
        config.same_version = SameVersion::Replace;
    }
    if arguments.safe_mode {
        config.delivery.mode = Mode::Safe;
    }
    if let Some(limit) = arguments.history_limit {
        config.history_limit = limit;
    }
    let address = arguments.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
    patchbay_http::may_listen(address).map_err(UpError::Http)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        // Before the plugins are loaded: an address in use is known at once.
        let listener = listen(address).await?;
        let bound = listener.local_addr().map_err(UpError::Serve)?;
        let opened = tokio::task::spawn_blocking(move || Patchbay::open(config)).await;
        let host = opened
            .map_err(|error| UpError::Serve(error.into()))?
            .map_err(UpError::Open)?;
        // Before it is announced: whoever reads that it is ready may end it in the same moment.
        let told_to_end = end();
        announce(bound);
        let served = patchbay_http::serve(listener, host.clone(), told_to_end)
            .await
            .map_err(UpError::Serve);
        tracing::info!("unloading the plugins");
        let close = move || host.close(std::time::Duration::from_secs(5));
        let _ = tokio::task::spawn_blocking(close).await;
        served
    })
}

/// What is said when every file will be refused.
const NOTHING_COMES_IN: &str = "warning: signatures are required and there is no key that may sign, so every plugin will be refused

hint: add a table `[trust.teams.NAME]` with `keys`, as `patchbay keygen` prints it, to the file that --config names";

/// Whether signatures are demanded of everybody and believed from nobody.
fn lets_nothing_in(trust: &TrustPolicy) -> bool {
    let mut keys = trust.teams.iter().flat_map(|team| &team.keys);
    trust.signatures == Signatures::Required && keys.all(|key| trust.revoked.contains(&key.id()))
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, UpError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("pb-http")
        .build()
        .map_err(UpError::Serve)?;
    survive_long_files();
    Ok(runtime)
}

/// Under a limit on the length of files (`ulimit -f`), a plugin that is too long to copy is a reason to refuse it, which
/// the failed write gives, and none to end the host, which the signal would do. A trial's child has the signal's
/// standard effect all the same: starting a program takes handlers away.
pub(crate) fn survive_long_files() {
    // That there is a handler is enough: nobody reads what it notes.
    if let Err(error) = flag::register(Signal::XFSZ.as_raw(), Arc::default()) {
        tracing::warn!(%error, "a file over the limit on lengths will end the host");
    }
}

pub(crate) async fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, UpError> {
    tokio::net::TcpListener::bind(address)
        .await
        .map_err(|cause| UpError::Listen { address, cause })
}

/// The one line that scripts wait for.
fn announce(address: SocketAddr) {
    let mut out = std::io::stdout().lock();
    // Nobody reading is no reason to end.
    let _ = writeln!(out, "ready http://{address}").and_then(|()| out.flush());
}

/// Ready when the process is asked to end, from the moment on at which this returns.
pub(crate) fn end() -> impl Future<Output = ()> {
    let listening = listen_for_signals();
    async move {
        let ended = match listening {
            Ok(told) => asked_to_end(told).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "cannot listen for signals; end the host with SIGKILL");
            std::future::pending::<()>().await;
        }
    }
}

/// Tokio's own signals are not used: that part of Tokio opens descriptors that it never closes, and since a build gives
/// a crate its features once, every plugin built together with the host would do so at each load.
fn listen_for_signals() -> std::io::Result<UnixStream> {
    let (told, telling) = UnixStream::pair()?;
    pipe::register(Signal::INT.as_raw(), telling.try_clone()?)?;
    pipe::register(Signal::TERM.as_raw(), telling)?;
    told.set_nonblocking(true)?;
    Ok(told)
}

async fn asked_to_end(told: UnixStream) -> std::io::Result<()> {
    let told = tokio::net::UnixStream::from_std(told)?;
    loop {
        told.readable().await?;
        match told.try_read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            read => return read.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use patchbay::{Pair, Protection, Team};

    use super::*;

    #[test]
    fn a_host_that_wants_signatures_and_believes_no_key_lets_nothing_in() {
        let mut trust = TrustPolicy::default();
        assert!(!lets_nothing_in(&trust), "unsigned files come in");
        trust.signatures = Signatures::Required;
        assert!(lets_nothing_in(&trust));
        let pair = Pair::generate(Protection::None).unwrap();
        trust.teams.push(Team {
            name: "payments".parse().unwrap(),
            keys: vec![pair.public().parse().unwrap()],
            plugins: None,
        });
        assert!(!lets_nothing_in(&trust));
        trust.revoked.insert(pair.id());
        assert!(lets_nothing_in(&trust), "its only key is revoked");
    }
}
