//! A host on temporary directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use patchbay::{
    CallReply, CallRequest, Config, ControlError, EventView, Explain, OpenError, Order, Patchbay, PluginName,
    PluginView, RejectedView, RevisionView, SwapView, TenantId,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::built::{binary, fixture, sample};
use crate::tape::{DEADLINE, Tape};

/// A name that is known to be valid.
#[must_use]
pub fn name(text: &str) -> PluginName {
    text.parse().unwrap()
}

/// Puts a copy of `source` under `target` by an atomic rename.
pub fn deploy(source: &Path, target: &Path) {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let part = target.with_file_name(format!(".part-{}-{serial}", std::process::id()));
    fs::copy(source, &part).unwrap();
    fs::rename(part, target).unwrap();
}

/// Puts a copy of `source` without symbols, as authors ship it, under `target` by an atomic rename.
pub fn stripped(source: &Path, target: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("stripped.so");
    let done = std::process::Command::new("strip")
        .arg("--strip-all")
        .arg("-o")
        .arg(&out)
        .arg(source)
        .status();
    assert!(done.unwrap().success(), "strip failed on {}", source.display());
    deploy(&out, target);
}

/// A host, its directories, and a recording of its events.
#[derive(Debug)]
pub struct TestHost {
    host: Option<Patchbay>,
    tape: Tape,
    config: Config,
    dir: TempDir,
}

impl TestHost {
    /// A host that is told of new files by the system alone: the periodic scan is an hour away.
    #[must_use]
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// A host with other settings.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path().join("plugins"), dir.path().join("data"));
        config.probe_helper = binary();
        config.stable_for = Duration::from_millis(50);
        config.rescan = Duration::from_secs(3600);
        change(&mut config);
        let host = Patchbay::open(config.clone()).unwrap();
        Self {
            tape: Tape::start(&host),
            host: Some(host),
            config,
            dir,
        }
    }

    /// The host with these fixtures dropped in and live, one after another.
    #[must_use]
    pub fn holding(fixtures: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let host = Self::with(change);
        for fixture in fixtures {
            host.bring_in(fixture);
        }
        host
    }

    /// A host that opens with these sample plugins and fixtures live.
    #[must_use]
    pub fn opened(samples: &[&str], fixtures: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        Self::with(|config| {
            fs::create_dir_all(&config.plugins).unwrap();
            for of in samples {
                deploy(&sample(of), &config.plugins.join(format!("{of}.so")));
            }
            for of in fixtures {
                deploy(&fixture(of), &config.plugins.join(format!("{of}.so")));
            }
            change(config);
        })
    }

    /// The host itself.
    #[must_use]
    pub fn host(&self) -> &Patchbay {
        self.host.as_ref().unwrap()
    }

    /// Its configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Its events.
    #[must_use]
    pub const fn tape(&self) -> &Tape {
        &self.tape
    }

    /// A path in a folder that ends with the test.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The path of a file in the plugin directory.
    #[must_use]
    pub fn inbox(&self, name: &str) -> PathBuf {
        self.config.plugins.join(name)
    }

    /// Where private copies are mapped from.
    #[must_use]
    pub fn maps(&self) -> PathBuf {
        self.config.data.join("maps")
    }

    /// Puts a fixture into the plugin directory by an atomic rename.
    pub fn drop_in(&self, of: &str) {
        deploy(&fixture(of), &self.inbox(&format!("{of}.so")));
    }

    /// Drops a fixture in and waits until it is live.
    pub fn bring_in(&self, of: &str) -> EventView {
        let from = self.tape.position();
        self.drop_in(of);
        let origin = format!("{of}.so");
        self.wait_after(from, &format!("{of} to go live"), |event| {
            event.kind == "plugin.live" && self.came_from(event, &origin)
        })
    }

    fn came_from(&self, event: &EventView, origin: &str) -> bool {
        let Some(plugin) = event
            .plugin
            .as_ref()
            .and_then(|plugin| self.host().plugin(plugin).ok())
        else {
            return false;
        };
        let mut revisions = plugin.revisions.iter();
        revisions.any(|known| Some(known.revision) == event.revision && known.origin.ends_with(origin))
    }

    /// Waits for an event of this kind about this version, since the start or yet to come.
    pub fn wait(&self, kind: &str, plugin: &str, version: &str) -> EventView {
        self.wait_after(0, &format!("{kind} of {plugin} {version}"), |event| {
            event.kind == kind
                && event
                    .plugin
                    .as_ref()
                    .is_some_and(|known| known.as_str() == plugin)
                && event
                    .version
                    .as_ref()
                    .is_some_and(|known| known.to_string() == version)
        })
    }

    /// Waits for an event at or after a position of the recording.
    pub fn wait_after(&self, from: usize, what: &str, wanted: impl Fn(&EventView) -> bool) -> EventView {
        self.tape
            .find_after(from, wanted)
            .unwrap_or_else(|| self.give_up(what))
    }

    /// Waits until a file of the plugin directory has been refused, and gives the listing's line.
    pub fn wait_rejected(&self, file: &str) -> RejectedView {
        let end = format!("/{file}: ");
        self.wait_after(0, &format!("{file} to be refused"), |event| {
            event.kind == "file.rejected" && event.message.contains(&end)
        });
        self.rejected(file)
            .unwrap_or_else(|| self.give_up(&format!("{file} in the list of refused files")))
    }

    /// The listing's line of a refused file.
    #[must_use]
    pub fn rejected(&self, file: &str) -> Option<RejectedView> {
        let listed = self.host().rejected().into_iter();
        listed
            .into_iter()
            .find(|rejected| rejected.path.ends_with(&format!("/{file}")))
    }

    /// Asks again and again until the answer is yes, giving way to other threads between; for states that no event
    /// tells of.
    pub fn until(&self, what: &str, mut yes: impl FnMut() -> bool) {
        let end = Instant::now() + DEADLINE;
        while !yes() {
            if Instant::now() > end {
                self.give_up::<()>(what);
            }
            std::thread::yield_now();
        }
    }

    fn give_up<T>(&self, what: &str) -> T {
        panic!(
            "waited in vain for {what}\nevents:\n{}refused: {:#?}\nplugins: {:#?}",
            self.tape.text(),
            self.host().rejected(),
            self.host().plugins()
        )
    }

    /// A plugin as the host lists it.
    #[must_use]
    pub fn plugin(&self, plugin: &str) -> PluginView {
        self.host()
            .plugin(&name(plugin))
            .unwrap_or_else(|error| self.give_up(&error.to_string()))
    }

    /// The live version; empty when there is none.
    #[must_use]
    pub fn live(&self, plugin: &str) -> String {
        self.plugin(plugin)
            .live
            .map(|version| version.to_string())
            .unwrap_or_default()
    }

    /// The latest revision of a version.
    #[must_use]
    pub fn revision(&self, plugin: &str, version: &str) -> RevisionView {
        let revisions = self.plugin(plugin).revisions.into_iter().rev();
        let mut found = revisions.filter(|known| known.version.to_string() == version);
        found
            .next()
            .unwrap_or_else(|| self.give_up(&format!("a revision of {plugin} {version}")))
    }

    /// Makes a version or revision live, as the actor `test`.
    ///
    /// # Errors
    /// As the host's.
    pub fn promote(&self, plugin: &str, to: &str) -> Result<SwapView, ControlError> {
        self.host()
            .promote(&name(plugin), &to.parse().unwrap(), Order::by("test", "a test"))
    }

    /// Calls a node with JSON.
    ///
    /// # Errors
    /// As the host's.
    pub fn try_call(&self, node: &str, input: Json) -> Result<CallReply, ControlError> {
        self.host().call_json(node, CallRequest::of(input))
    }

    /// Calls a node as a tenant.
    ///
    /// # Errors
    /// As the host's.
    pub fn call_for(&self, tenant: &str, node: &str, input: Json) -> Result<CallReply, ControlError> {
        let tenant: Option<TenantId> = Some(tenant.parse().unwrap());
        self.host().call_json(
            node,
            CallRequest {
                tenant,
                ..CallRequest::of(input)
            },
        )
    }

    /// Calls a node that must answer, and gives the field `result` of its answer.
    pub fn call(&self, node: &str, input: Json) -> Json {
        match self.try_call(node, input) {
            Ok(reply) => reply.output["result"].clone(),
            Err(error) => self.give_up(&format!(
                "an answer of {node}: {} {}",
                error.code(),
                error.chain()
            )),
        }
    }

    /// The version that answers calls of the plugin `echo`.
    #[must_use]
    pub fn version(&self) -> String {
        self.call("fx.version", json!({})).as_str().unwrap().to_owned()
    }

    /// Closes the host and opens another one on the same directories.
    pub fn restart(&mut self, between: impl FnOnce(&Config)) {
        self.close();
        between(&self.config);
        let host = Patchbay::open(self.config.clone()).unwrap();
        self.tape = Tape::start(&host);
        self.host = Some(host);
    }

    /// Closes the host and opens another one on the same directories, with other settings.
    ///
    /// # Errors
    /// When it cannot be opened; there is none then.
    pub fn reopen(&mut self, change: impl FnOnce(&mut Config)) -> Result<(), OpenError> {
        self.close();
        change(&mut self.config);
        let host = Patchbay::open(self.config.clone())?;
        self.tape = Tape::start(&host);
        self.host = Some(host);
        Ok(())
    }

    /// Closes the host.
    pub fn close(&mut self) {
        if let Some(host) = self.host.take() {
            host.close(DEADLINE);
        }
    }
}
