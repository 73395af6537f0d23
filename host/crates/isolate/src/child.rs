//! The child's side.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use patchbay_intake::{InspectPolicy, StageConfig, Store, inspect};
use patchbay_loader::{Description, LayoutCheck, LoadedPlugin, MapsDir, Nothing, SyncCall, Unloaded, load};
use patchbay_vocab::{Explain, Explained};
use plugin_api::Contract;
use plugin_api::meta::{Effect, PluginMeta};
use plugin_api::shim::host::{Caller, HostSink};
use plugin_api::value::Value;
use rustix::process::{Resource, Rlimit, Signal};

use crate::verdict::{Depth, ExampleRun, Line, NodeFacts, Request, Says, StageRun, Verdict};

/// The argument that makes an executable of ours a child.
pub(crate) const ARGUMENT: &str = "__patchbay-probe";
/// Set in the environment of children: a host that is opened in one refuses, instead of starting children of its own.
pub(crate) const MARK: &str = "PATCHBAY_CHILD";

/// Bytes an example's output may have.
const OUTPUT_LIMIT: usize = 16 << 20;

/// Characters of an example's output in a full report.
const MOST_QUOTED: usize = 64 << 10;

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
        let served = serve();
        std::process::exit(i32::from(served.is_err()));
    }
}

/// The way to the host: the standard output the child was started with, taken out of the plugin's reach.
struct Speaker {
    out: File,
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
}

fn serve() -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut text = String::new();
    BufReader::new(std::io::stdin()).read_line(&mut text)?;
    let request: Request = serde_json::from_str(&text)?;
    let out: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 100)?;
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    let mut speaker = Speaker {
        out: File::from(out),
        nonce: request.nonce.clone(),
    };
    let says = match examine(&request, &mut speaker) {
        Ok(verdict) => Says::Fit(verdict),
        Err(unfit) => Says::Unfit(unfit),
    };
    speaker.say(says)
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

fn examine(request: &Request, speaker: &mut Speaker) -> Result<Verdict, Explained> {
    let mut stages = Stages {
        speaker,
        runs: Vec::new(),
    };
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
    let inspected = stages.run("inspection", || inspect(staged, &policy))?;
    let maps = stages.run("preparation", || MapsDir::create(&request.maps))?;
    // The copy is made inside `load`, so files may grow until it is done; a file this large is all there is to write.
    limit(Resource::Fsize, inspected.size());
    limit(Resource::Cpu, request.cpu_seconds);
    limit(Resource::As, request.memory_bytes);
    limit(Resource::Core, 0);
    let plugin = stages.run("loading", || load(&inspected, &maps, LayoutCheck::Full))?;
    limit(Resource::Fsize, 0);
    let mut examples = Vec::new();
    stages.run("examples", || run_examples(&plugin, request, &mut examples))?;
    let keys = plugin.keys();
    plugin.gate().close();
    let unloaded = stages.run("unloading", || {
        Ok::<_, patchbay_loader::LoadError>(plugin.unload())
    })?;
    let pinned_by = match unloaded {
        Unloaded::Unmapped => Vec::new(),
        Unloaded::Pinned(reasons) => reasons,
        Unloaded::Kept(reason) => vec![reason],
    };
    let nodes = plugin.description().nodes.iter().map(|node| NodeFacts {
        node_type: node.node_type.to_string(),
        effect: format!("{:?}", node.meta.effect).to_lowercase(),
        examples: node.meta.examples.len(),
    });
    Ok(Verdict {
        nodes: nodes.collect(),
        stages: stages.runs,
        examples,
        pinned_by,
        keys,
        meta: match request.depth {
            Depth::Brief => None,
            Depth::Full => Some(described(plugin.description())),
        },
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

/// Runs the examples of nodes without effect; one that fails in the node's own way is a finding, not a refusal.
fn run_examples(
    plugin: &LoadedPlugin,
    request: &Request,
    runs: &mut Vec<ExampleRun>,
) -> Result<(), patchbay_loader::LoadError> {
    let until = Instant::now() + Duration::from_millis(request.example_millis);
    let Some(pass) = plugin.gate().enter() else {
        return Ok(());
    };
    let mut out = HostSink::with_limit(OUTPUT_LIMIT);
    let most = match request.depth {
        Depth::Brief => 500,
        Depth::Full => MOST_QUOTED,
    };
    for (at, node) in plugin.description().nodes.iter().enumerate() {
        if node.meta.effect != Effect::Pure || plugin.is_async(at) {
            continue;
        }
        for example in &node.meta.examples {
            if Instant::now() > until {
                return Ok(());
            }
            let name = node.node_type.as_str();
            let caller = Caller {
                tenant: "probe",
                run: "probe",
                node: name,
                deadline: u64::MAX,
                cancel: None,
            };
            let call = SyncCall {
                caller,
                services: &Nothing,
                config: None,
            };
            let begin = Instant::now();
            let got = match Value::from_json(&example.input.to_string()) {
                Err(error) => Err(error.to_string()),
                Ok(input) => match plugin.execute(&pass, at, input.as_ref(), &call, &mut out) {
                    Ok(output) => Ok(output.to_string()),
                    Err(fault) => Err(fault.to_string()),
                },
            };
            let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            let holds = got
                .as_ref()
                .ok()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
                .is_some_and(|output| output == example.output);
            let failed = got.is_err();
            let shown = match got {
                Ok(text) | Err(text) => text,
            };
            runs.push(ExampleRun {
                node_type: name.to_owned(),
                title: example.title.chars().take(200).collect(),
                holds,
                micros,
                failed,
                got: (!holds).then(|| shown.chars().take(most).collect()),
            });
        }
    }
    Ok(())
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
