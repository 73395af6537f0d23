//! One build.
//!
//! Invariant: a build that is dropped has ended, with all that it started.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use crate::project::Recipe;
use crate::{DevError, Project};

/// Bytes of diagnostics that are kept.
const MOST_DIAGNOSTICS: u64 = 256 << 10;
/// Bytes of one line of cargo's messages; longer ones are of other crates' build scripts.
const LONGEST_LINE: u64 = 4 << 20;

/// Where the compiler's own words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostics {
    /// To this process's standard error, as they come.
    Shown,
    /// Into [`Built::Failed`].
    Kept,
}

/// A build that is running.
#[derive(Debug)]
pub struct Build {
    child: Child,
    recipe: Recipe,
    began: Instant,
    began_at: SystemTime,
}

/// What a build said until it ended; for [`Build::finish`].
#[derive(Debug)]
pub struct Said {
    libraries: Vec<PathBuf>,
    diagnostics: String,
}

/// How a build ended.
#[derive(Debug)]
pub enum Built {
    /// It went well.
    Linked {
        /// The plugin's file.
        artifact: PathBuf,
        /// How long it took.
        took: Duration,
        /// When it began, by the clock that stamps files.
        began: SystemTime,
    },
    /// It failed.
    Failed {
        /// The compiler's words, when they were to be kept; cut when there are too many.
        diagnostics: String,
        /// How long it took.
        took: Duration,
    },
}

impl Build {
    /// Starts a build; `on_end` is called, on a thread of its own, when it has said all it had to say.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn start(
        project: &Project,
        diagnostics: Diagnostics,
        on_end: impl FnOnce(Said) + Send + 'static,
    ) -> Result<Self, DevError> {
        let mut command = command(project);
        let program = command.get_program().to_string_lossy().into_owned();
        let start = |cause| DevError::Start {
            program: program.clone(),
            cause,
        };
        if let Recipe::Command { artifact, .. } = &project.recipe
            && let Some(folder) = artifact.parent()
        {
            std::fs::create_dir_all(folder).map_err(|cause| DevError::Folder {
                path: folder.to_owned(),
                cause,
            })?;
        }
        let stderr = match diagnostics {
            Diagnostics::Shown => Stdio::inherit(),
            Diagnostics::Kept => Stdio::piped(),
        };
        let (began, began_at) = (Instant::now(), SystemTime::now());
        let mut child = command
            .current_dir(project.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            // One signal ends the compiler and everything that it started.
            .process_group(0)
            .spawn()
            .map_err(start)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let build = Self {
            child,
            recipe: project.recipe.clone(),
            began,
            began_at,
        };
        let manifest = match &project.recipe {
            Recipe::Cargo { manifest } => Some(manifest.clone()),
            Recipe::Command { .. } => None,
        };
        let listen = move || on_end(listen(out, err, manifest.as_deref()));
        std::thread::Builder::new()
            .name("pb-build".into())
            .spawn(listen)
            .map_err(start)?;
        Ok(build)
    }

    /// Waits for the end of a build that has said all, and says what came of it.
    ///
    /// # Errors
    /// When it went well and gave no plugin.
    pub fn finish(mut self, said: Said) -> Result<Built, DevError> {
        let status = self.child.wait();
        let took = self.began.elapsed();
        if !status.is_ok_and(|status| status.success()) {
            return Ok(Built::Failed {
                diagnostics: said.diagnostics,
                took,
            });
        }
        let artifact = match &self.recipe {
            Recipe::Cargo { manifest } => said.libraries.into_iter().next().ok_or_else(|| {
                let manifest = manifest.display();
                format!("the package of `{manifest}` has no library of the type cdylib")
            }),
            Recipe::Command { artifact, .. } if artifact.is_file() => Ok(artifact.clone()),
            Recipe::Command { artifact, .. } => Err(format!("`{}` was not written", artifact.display())),
        };
        let artifact = artifact.map_err(|why| DevError::NoArtifact { why })?;
        Ok(Built::Linked {
            artifact,
            took,
            began: self.began_at,
        })
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        // Not yet waited for, so the number is still this child's.
        if let Ok(None) = self.child.try_wait()
            && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn command(project: &Project) -> Command {
    match &project.recipe {
        Recipe::Cargo { manifest } => {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo
                .args([
                    "build",
                    "--lib",
                    "--message-format=json-render-diagnostics",
                    "--manifest-path",
                ])
                .arg(manifest);
            cargo
        }
        Recipe::Command { command, .. } => {
            let (program, arguments) = command
                .split_first()
                .map_or(("", &[][..]), |(first, rest)| (first, rest));
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
    }
}

fn listen(out: Option<ChildStdout>, err: Option<ChildStderr>, manifest: Option<&Path>) -> Said {
    let words = err.map(|err| std::thread::spawn(move || kept(err)));
    let mut said = Said {
        libraries: Vec::new(),
        diagnostics: String::new(),
    };
    match (out, manifest) {
        (Some(out), Some(manifest)) => said.libraries = libraries(out, manifest),
        // What a command prints is for people, whatever stream it takes.
        (Some(out), None) => said.diagnostics = kept(out),
        (None, _) => {}
    }
    let words = words.and_then(|words| words.join().ok()).unwrap_or_default();
    said.diagnostics.push_str(&words);
    said
}

/// The first bytes of a stream; the rest is read and forgotten, so that its writer is not held up.
fn kept(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.by_ref().take(MOST_DIAGNOSTICS).read_to_end(&mut bytes);
    let more = std::io::copy(&mut from, &mut std::io::sink()).unwrap_or(0);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if more > 0 {
        text.push_str("\n... and more\n");
    }
    text
}

/// One of cargo's messages, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// The shared libraries of one package, as cargo's messages name them.
fn libraries(out: impl Read, manifest: &Path) -> Vec<PathBuf> {
    let mut out = BufReader::new(out);
    let mut libraries = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        match out.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return libraries,
            Ok(_) => {}
        }
        // What is no message is a build script's own output, or the end of a line that was too long.
        let Ok(message) = serde_json::from_slice::<Message>(&line) else {
            continue;
        };
        let is_library = |target: &Target| target.kind.iter().any(|kind| kind == "cdylib");
        if message.reason == "compiler-artifact"
            && message.manifest_path.as_deref() == Some(manifest)
            && message.target.as_ref().is_some_and(is_library)
        {
            let shared = |path: &PathBuf| path.extension().is_some_and(|end| end == "so" || end == "dylib");
            libraries.extend(message.filenames.into_iter().filter(shared));
        }
    }
}

#[cfg(test)]
mod tests;
