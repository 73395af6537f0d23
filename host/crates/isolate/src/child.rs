//! The child's side.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use patchbay_intake::signature::{TrustPolicy, verify};
use patchbay_intake::{InspectPolicy, Inspected, StageConfig, Store, inspect};
use patchbay_loader::{Description, LayoutCheck, LoadError, MapsDir, Placed, Unloaded, load_placed};
use patchbay_vocab::{Explain, Explained};
use plugin_api::Contract;
use plugin_api::meta::PluginMeta;
use rustix::process::{Resource, Rlimit, Signal};

use crate::error::ProbeError;
use crate::examples::run_examples;
use crate::fence::{self, Grounds, Offence};
use crate::surroundings::Surroundings;
use crate::verdict::{Depth, Line, NodeFacts, Request, Says, StageRun, Verdict};

/// The argument that makes an executable of ours a child.
pub(crate) const ARGUMENT: &str = "__patchbay-probe";
/// Set in the environment of children: a host that is opened in one refuses, instead of starting children of its own.
pub(crate) const MARK: &str = "PATCHBAY_CHILD";

/// Whether this process was started as a child of a host.
#[must_use]
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Does a child's work and ends the process, when it was started as one; returns at once otherwise.
pub fn serve_if_asked() {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == ARGUMENT)
    {
        let status = match serve() {
            Ok(()) => 0,
            // What the plugin closed is gone: the status alone can say so.
            Err(_) => Offence::Descriptors.status(),
        };
        std::process::exit(status);
    }
}

/// The way to the host and back, taken out of the plugin's reach. Never closed: the fence takes that for an offence.
struct Speaker {
    out: ManuallyDrop<File>,
    ear: ManuallyDrop<File>,
    nonce: String,
}

impl Speaker {
    fn say(&mut self, says: Says) -> std::io::Result<()> {
        let line = Line {
            nonce: self.nonce.clone(),
            says,
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.out.write_all(text.as_bytes())
    }

    /// Waits where the host can see it, until the host says to go on. By a system call of its own: that of the C library
    /// goes another way as soon as there are threads. Never inlined: copies of it would halt at instructions of their own.
    #[inline(never)]
    fn halt(&mut self) -> std::io::Result<()> {
        let mut word = [0_u8];
        match rustix::io::read(&*self.ear, &mut word)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn serve() -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut text = String::new();
    BufReader::new(std::io::stdin()).read_line(&mut text)?;
    let request: Request = serde_json::from_str(&text)?;
    let out: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 100)?;
    let ear: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 100)?;
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    let mut speaker = Speaker {
        out: ManuallyDrop::new(File::from(out)),
        ear: ManuallyDrop::new(File::from(ear)),
        nonce: request.nonce.clone(),
    };
    let mut stages = Stages {
        speaker: &mut speaker,
        runs: Vec::new(),
    };
    let mut ready = None;
    // The host looks at both halts from outside and compares them: they have to be one line at one height of the stack.
    for step in [Step::Prepare, Step::Try] {
        let says = match (step, ready.take()) {
            (Step::Prepare, _) => prepare(&request, &mut stages).map(|mut made| {
                let unfenced = made.unfenced.take();
                ready = Some(made);
                Says::Ready { unfenced }
            }),
            (Step::Try, Some(made)) => examine(&request, made, &mut stages).map(Box::new).map(Says::Fit),
            (Step::Try, None) => return Ok(()),
        };
        stages.speaker.say(says.unwrap_or_else(Says::Unfit))?;
        stages.speaker.halt()?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Step {
    /// Everything before the first byte of the plugin is mapped.
    Prepare,
    /// The trial itself.
    Try,
}

struct Stages<'s> {
    speaker: &'s mut Speaker,
    runs: Vec<StageRun>,
}

impl Stages<'_> {
    /// Tells the host what begins, and does it.
    fn run<T, E: Explain>(
        &mut self,
        stage: &str,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Explained> {
        // Nobody listening is a host that is gone; the death signal ends this process as well.
        let _ = self.speaker.say(Says::Begins(stage.to_owned()));
        let begin = Instant::now();
        let result = work().map_err(|error| error.explained());
        let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.runs.push(StageRun {
            stage: stage.to_owned(),
            micros,
        });
        result
    }
}

/// What a trial begins with.
struct Ready {
    inspected: Inspected,
    placed: Placed,
    _maps: MapsDir,
    before: Surroundings,
    /// Why there is no fence, when there is none.
    unfenced: Option<String>,
}

fn prepare(request: &Request, stages: &mut Stages<'_>) -> Result<Ready, Explained> {
    let config = StageConfig {
        dir: request.store.clone(),
        max_bytes: request.max_bytes,
        free_bytes_min: 0,
    };
    let staged = stages.run("reopening", || Store::attach(config)?.reopen(request.digest))?;
    let policy = InspectPolicy {
        allowed_libraries: request.allowed_libraries.clone(),
        forbidden_imports: request.forbidden_imports.clone(),
        contract: Contract {
            major: request.contract.0,
            minor: request.contract.1,
        },
        ..InspectPolicy::standard()
    };
    // The host that started this process has verified these very bytes; here they are only tried.
    let trust = TrustPolicy::default();
    let inspected = stages.run("inspection", || inspect(verify(staged, &trust)?, &policy))?;
    let (maps, placed) = stages.run("preparation", || {
        let maps = MapsDir::create(&request.maps)?;
        let placed = Placed::copy(&inspected, &maps)?;
        Ok::<_, LoadError>((maps, placed))
    })?;
    limit(Resource::Fsize, 0);
    limit(Resource::Cpu, request.cpu_seconds);
    limit(Resource::As, request.memory_bytes);
    limit(Resource::Core, 0);
    let grounds = Grounds {
        keep: [stages.speaker.out.as_raw_fd(), stages.speaker.ear.as_raw_fd()],
        memory_bytes: request.memory_bytes,
    };
    // One layer less, as on a kernel without such filters; the limits and the halts are still there.
    let unfenced = fence::raise(grounds).err().map(|error| error.to_string());
    Ok(Ready {
        unfenced,
        inspected,
        placed,
        _maps: maps,
        before: Surroundings::look(),
    })
}

fn examine(request: &Request, ready: Ready, stages: &mut Stages<'_>) -> Result<Verdict, Explained> {
    let Ready {
        inspected,
        placed,
        _maps,
        before,
        unfenced: _,
    } = ready;
    let plugin = stages.run("loading", || load_placed(placed, &inspected, LayoutCheck::Full))?;
    let mut examples = Vec::new();
    stages.run("examples", || run_examples(&plugin, request, &mut examples))?;
    let keys = plugin.keys();
    plugin.gate().close();
    let unloaded = stages.run("unloading", || Ok::<_, LoadError>(plugin.unload()))?;
    let pinned_by = match unloaded {
        Unloaded::Unmapped => Vec::new(),
        Unloaded::Pinned(reasons) => reasons,
        Unloaded::Kept(reason) => vec![reason],
    };
    stages.run("comparison", || {
        match Surroundings::look().changed_since(&before) {
            Some(what) => Err(ProbeError::Disturbed {
                what: what.to_owned(),
            }),
            None => Ok(()),
        }
    })?;
    let nodes = plugin.description().nodes.iter().map(|node| NodeFacts {
        node_type: node.node_type.to_string(),
        effect: format!("{:?}", node.meta.effect).to_lowercase(),
        examples: node.meta.examples.len(),
    });
    Ok(Verdict {
        nodes: nodes.collect(),
        description: plugin.description().digest,
        stages: std::mem::take(&mut stages.runs),
        examples,
        pinned_by,
        keys,
        meta: match request.depth {
            Depth::Brief => None,
            Depth::Full => Some(described(plugin.description())),
        },
        missing: Vec::new(),
    })
}

/// The metadata as the plugin gave it.
fn described(description: &Description) -> PluginMeta {
    PluginMeta {
        name: description.name.to_string(),
        version: description.version.to_string(),
        description: description.description.clone(),
        author: description.author.clone(),
        nodes: description.nodes.iter().map(|node| node.meta.clone()).collect(),
        ..PluginMeta::default()
    }
}

/// Limits a resource of this process; a limit the system does not take is one layer less, not a failure.
fn limit(resource: Resource, most: u64) {
    let _ = rustix::process::setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    );
}
