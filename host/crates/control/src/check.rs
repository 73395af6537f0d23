//! Looking at one file, without a host.

mod findings;

use std::path::{Path, PathBuf};
use std::time::Instant;

use patchbay_intake::signature::{Provenance, TrustPolicy, verify};
use patchbay_intake::{Inspected, Settled, StageConfig, Staged, Store, dissect, inspect, stage};
use patchbay_isolate::{ExampleRun, ProbeConfig, Verdict, probe_in_full};
use patchbay_lifecycle::LifecycleError;
use patchbay_lint::{Finding, Level};
use patchbay_vocab::{Explain, Explained};
use patchbay_wire::{
    CheckStageView, CheckView, ExampleRunView, FindingView, InspectView, Severity, SizeView,
};
use plugin_api::meta::Effect;

use crate::Config;
use crate::examples::{Came, Shown};
use crate::trust::signer;

/// Reads a file's headers and note, without running a line of it.
///
/// # Errors
/// Why it is not a plugin for this host.
pub fn inspect_file(file: &Path, config: &Config) -> Result<InspectView, LifecycleError> {
    let scratch = Scratch::make()?;
    let vouched = verify(scratch.stage(file, config)?, &config.trust)?;
    let inspected = inspect(vouched, &config.inspect)?;
    Ok(identity(file, &inspected))
}

fn identity(file: &Path, inspected: &Inspected) -> InspectView {
    let note = inspected.note();
    InspectView {
        path: file.display().to_string(),
        digest: inspected.digest(),
        size: inspected.size(),
        plugin: inspected.plugin().clone(),
        version: inspected.version().clone(),
        contract: note.contract.to_string(),
        sdk: note.sdk.clone(),
        compiler: note.compiler.clone(),
        target: note.target.clone(),
        entry: match inspected.entry_kind() {
            patchbay_intake::Entry::Sdk => "sdk".to_owned(),
            patchbay_intake::Entry::C => "c".to_owned(),
        },
        signed_by: signer(inspected.provenance()),
        needed: inspected.needed().to_vec(),
        imports: inspected.imports() as u64,
        exports: inspected.exports().to_vec(),
    }
}

/// Inspects a file as it is, whatever signature lies beside it, and hands it on.
pub(crate) fn inspect_alone<T, E: From<LifecycleError>>(
    file: &Path,
    config: &Config,
    then: impl FnOnce(&Inspected) -> Result<T, E>,
) -> Result<T, E> {
    let alone = || {
        let scratch = Scratch::make()?;
        let staged = scratch.stage(file, config)?;
        // Taken up anew, it comes from a folder where no signature can be.
        let staged = scratch.store(config)?.reopen(staged.digest())?;
        let inspected = inspect(verify(staged, &TrustPolicy::default())?, &config.inspect)?;
        Ok((scratch, inspected))
    };
    let (_scratch, inspected) = alone()?;
    then(&inspected)
}

/// Takes a file through the full vetting, trial load included, as the host would.
///
/// # Errors
/// When the vetting itself could not be done; an unfit file is an answer, not an error.
pub fn check_file(file: &Path, config: &Config) -> Result<CheckView, LifecycleError> {
    let scratch = Scratch::make()?;
    let mut stages = Vec::new();
    let mut found = None;
    let mut provenance = Provenance::Unsigned;
    let verdict = vet(file, config, &scratch, &mut stages, (&mut provenance, &mut found));
    let mut view = CheckView {
        fit: verdict.is_ok(),
        code: None,
        message: None,
        hint: None,
        plugin: found.as_ref().map(|inspected| inspected.plugin().clone()),
        version: found.as_ref().map(|inspected| inspected.version().clone()),
        signed_by: signer(&provenance),
        nodes: Vec::new(),
        stages,
        warnings: Vec::new(),
        identity: found.as_ref().map(|inspected| identity(file, inspected)),
        size: None,
        examples: Vec::new(),
        findings: Vec::new(),
    };
    let mut findings = Vec::new();
    if let Some(inspected) = &found {
        let anatomy = dissect(inspected).map_err(LifecycleError::Scratch)?;
        view.size = Some(SizeView {
            file: inspected.size(),
            code: anatomy.code,
            constants: anatomy.constants,
            variables: anatomy.variables,
            debug: anatomy.debug,
            symbols: anatomy.symbols,
        });
        let facts = findings::FileFacts {
            size: inspected.size(),
            entry: inspected.entry_kind(),
            needed: inspected.needed(),
            anatomy: &anatomy,
        };
        findings::of_the_file(&facts, &mut findings);
    }
    match verdict {
        Ok(verdict) => {
            view.examples = example_runs(&verdict);
            findings::of_the_trial(&verdict, &mut findings);
            findings::of_the_examples(&view.examples, &mut findings);
            findings.extend(verdict.meta.iter().flat_map(patchbay_lint::lint));
            let nodes = verdict.nodes.iter();
            view.nodes = nodes.filter_map(|node| node.node_type.parse().ok()).collect();
            view.stages
                .extend(verdict.stages.into_iter().map(|run| CheckStageView {
                    stage: format!("trial: {}", run.stage),
                    ok: true,
                    micros: run.micros,
                    code: None,
                    message: None,
                }));
        }
        Err(Explained { code, message, hint }) => {
            (view.code, view.message, view.hint) = (Some(code), Some(message), Some(hint));
        }
    }
    // The worst first; a stable sort keeps the nodes in their order.
    findings.sort_by_key(|finding| finding.level);
    let warnings = findings.iter().filter(|finding| finding.level == Level::Warning);
    view.warnings = warnings
        .map(|finding| format!("{}: {}", finding.place, finding.message))
        .collect();
    view.findings = findings.into_iter().map(finding_view).collect();
    Ok(view)
}

fn finding_view(finding: Finding) -> FindingView {
    FindingView {
        level: match finding.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Note,
        },
        code: finding.code.0.to_owned(),
        place: finding.place,
        message: finding.message,
        fix: finding.fix,
    }
}

/// Every example of every node: those that the trial ran, and those that it passed by.
fn example_runs(verdict: &Verdict) -> Vec<ExampleRunView> {
    let mut ran = verdict.examples.iter().peekable();
    let mut runs = Vec::new();
    for node in verdict.meta.iter().flat_map(|meta| &meta.nodes) {
        let Ok(node_type) = node.node_type.parse() else {
            continue;
        };
        for example in &node.examples {
            let shown = Shown {
                node: &node_type,
                title: &example.title,
                expected: &example.output,
            };
            // Examples are run in their order, so the next one that ran is this one, or this one did not run.
            let this =
                |run: &&ExampleRun| run.node_type == node.node_type && example.title.starts_with(&run.title);
            runs.push(match ran.next_if(this) {
                None if node.effect != Effect::Pure => shown.not_run("the node has effects"),
                None if node.is_async => shown.not_run("the node is async"),
                None => shown.not_run("the time for examples was used up"),
                Some(run) if run.holds => shown.judged(Came::Output(example.output.clone()), run.micros),
                Some(run) => {
                    let got = run.got.clone().unwrap_or_default();
                    let came = match serde_json::from_str(&got) {
                        _ if run.failed => Came::Error(got),
                        Ok(output) => Came::Output(output),
                        // What was cut is no JSON any more.
                        Err(_) => Came::LongOutput,
                    };
                    shown.judged(came, run.micros)
                }
            });
        }
    }
    runs
}

fn vet(
    file: &Path,
    config: &Config,
    scratch: &Scratch,
    stages: &mut Vec<CheckStageView>,
    (provenance, found): (&mut Provenance, &mut Option<Inspected>),
) -> Result<Verdict, Explained> {
    let staged = timed("staging", stages, || scratch.stage(file, config))?;
    let vouched = timed("signature", stages, || verify(staged, &config.trust))?;
    provenance.clone_from(vouched.provenance());
    let inspected = timed("inspection", stages, || inspect(vouched, &config.inspect))?;
    *found = Some(inspected.clone());
    let probed = timed("trial load", stages, || {
        let probe_config = ProbeConfig {
            helper: config.probe_helper.clone(),
            deadline: config.probe_deadline,
            store: scratch.path("artifacts"),
            max_bytes: config.max_plugin_bytes,
            maps: scratch.path("maps"),
            memory_bytes: config.probe_memory,
        };
        probe_in_full(&inspected, &config.inspect, &probe_config)
    })?;
    Ok(probed.verdict().clone())
}

fn timed<T, E: Explain>(
    stage: &str,
    stages: &mut Vec<CheckStageView>,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Explained> {
    let begin = Instant::now();
    let result = work().map_err(|error| error.explained());
    stages.push(CheckStageView {
        stage: stage.to_owned(),
        ok: result.is_ok(),
        micros: u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX),
        code: result.as_ref().err().map(|why| why.code.clone()),
        message: result.as_ref().err().map(|why| why.message.clone()),
    });
    result
}

/// A private folder for one check, removed with it.
struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    fn make() -> Result<Self, LifecycleError> {
        use std::hash::{BuildHasher, RandomState};
        use std::os::unix::fs::DirBuilderExt;
        let unique = RandomState::new().hash_one(std::process::id());
        let dir = std::env::temp_dir().join(format!("patchbay-check-{}-{unique:016x}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&dir)
            .map_err(LifecycleError::Scratch)?;
        std::fs::create_dir(dir.join("maps")).map_err(LifecycleError::Scratch)?;
        Ok(Self { dir })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn stage(&self, file: &Path, config: &Config) -> Result<Staged, patchbay_intake::StageError> {
        stage(Settled::vouched(file), &self.store(config)?)
    }

    fn store(&self, config: &Config) -> Result<Store, patchbay_intake::StageError> {
        Store::open(StageConfig {
            dir: self.path("artifacts"),
            max_bytes: config.max_plugin_bytes,
            free_bytes_min: 0,
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
