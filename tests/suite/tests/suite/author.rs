//! The loop of a plugin author: `new`, `dev`, `check`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use patchbay_tests_support::{Finished, binary, deploy, fixture, hostile, run, sample};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// The SDK of this workspace; the tests do not depend on where the binary lies.
fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api")
}

/// Where generated crates are compiled: one folder for all runs, so that the SDK is compiled once.
fn compiled() -> PathBuf {
    binary().ancestors().nth(2).unwrap().join("authors")
}

fn made(dir: &TempDir, name: &str, lang: &str) -> PathBuf {
    let path = dir.path().join(name);
    let (folder, sdk) = (path.to_str().unwrap(), sdk());
    let sdk = sdk.to_str().unwrap();
    let done = run(&[
        "new", name, "--lang", lang, "--path", folder, "--sdk", sdk, "--json",
    ]);
    assert_eq!(
        (done.code, done.json()["language"].as_str()),
        (0, Some(lang)),
        "{done:?}"
    );
    path
}

fn finished(command: &mut Command) -> Finished {
    let output = command
        .env("CARGO_TARGET_DIR", compiled())
        .env("CARGO_NET_OFFLINE", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The events of `dev --once --json`.
fn once(project: &Path) -> (Finished, Vec<Json>) {
    let done = finished(
        Command::new(binary())
            .args(["dev", "--once", "--json"])
            .arg(project),
    );
    let events = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (done, events)
}

fn outcomes(event: &Json) -> Vec<&str> {
    let runs = event["runs"].as_array().unwrap();
    runs.iter().map(|run| run["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_new_rust_plugin_passes_its_tests_goes_live_and_is_found_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let project = made(&dir, "made-in-rust", "rust");
    let tests = finished(
        Command::new("cargo")
            .args(["test", "--quiet"])
            .current_dir(&project),
    );
    assert_eq!(tests.code, 0, "{tests:?}");
    let (done, events) = once(&project);
    let [building, live, examples] = events.as_slice() else {
        panic!("{done:?}");
    };
    assert_eq!(
        (done.code, &building["kind"], &live["kind"]),
        (0, &json!("building"), &json!("live"))
    );
    assert_eq!(outcomes(examples), ["holds"; 3]);
    let file = compiled().join("debug/libmade_in_rust.so");
    let check = run(&["check", "--strict", file.to_str().unwrap(), "--json"]);
    assert_eq!((check.code, &check.json()["fit"]), (0, &json!(true)), "{check:?}");
}

#[test]
fn a_new_c_plugin_goes_live_and_is_found_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let project = made(&dir, "made-in-c", "c");
    let (done, events) = once(&project);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(outcomes(events.last().unwrap()), ["holds"; 2]);
    let file = project.join("target/made_in_c.so");
    let check = run(&["check", "--strict", file.to_str().unwrap(), "--json"]);
    assert_eq!((check.code, &check.json()["fit"]), (0, &json!(true)), "{check:?}");
}

#[test]
fn new_refuses_what_it_cannot_make_with_a_code_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (sdk, full) = (sdk(), dir.path().join("full"));
    let sdk = sdk.to_str().unwrap();
    fs::create_dir(&full).unwrap();
    fs::write(full.join("a"), "a").unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (arguments, code) in [
        (vec!["new", "Not/a/name"], "PB-CLI-001"),
        (vec!["new", "fn", "--path", &at("x"), "--sdk", sdk], "PB-NEW-001"),
        (
            vec!["new", "a", "--path", &at("x"), "--sdk", &at("full")],
            "PB-NEW-003",
        ),
        (
            vec!["new", "a", "--path", &at("full"), "--sdk", sdk],
            "PB-NEW-004",
        ),
        (
            vec!["new", "a", "--path", &at("no/x"), "--sdk", sdk],
            "PB-NEW-005",
        ),
    ] {
        let done = run(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
        assert!(done.err.contains(code) && done.err.contains("hint: "), "{done:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// `patchbay dev` over a project whose build copies `next.so`: what a save builds is what the test put there.
struct Dev {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
    dir: TempDir,
}

impl Dev {
    /// Starts it with `first` as what is built first.
    fn start(first: &Path, build: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings =
            format!("[build]\ncommand = [\"sh\", \"-ec\", '''{build}''']\nartifact = \"target/p.so\"\n");
        fs::write(dir.path().join("patchbay-dev.toml"), settings).unwrap();
        deploy(first, &dir.path().join("next.so"));
        let mut child = Command::new(binary())
            .args(["dev", "--json", "--listen", "127.0.0.1:0"])
            .arg(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let url = String::new();
        let mut dev = Self { child, out, url, dir };
        dev.url = dev.until("ready")["url"].as_str().unwrap().to_owned();
        dev
    }

    fn save(&self, next: &Path) {
        deploy(next, &self.dir.path().join("next.so"));
    }

    /// Reads until an event of this kind, and gives it.
    fn until(&mut self, kind: &str) -> Json {
        let mut seen = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it ended before `{kind}`: {seen:#?}");
            let event: Json = serde_json::from_str(&line).unwrap();
            if event["kind"] == kind {
                return event;
            }
            seen.push(event);
        }
    }

    /// The version that answers a call from elsewhere.
    fn answers(&self) -> Json {
        let done = run(&["call", "fx.version", "{}", "--json", "--url", &self.url]);
        assert_eq!(done.code, 0, "{done:?}");
        done.json()["output"]["result"].clone()
    }

    fn interrupt(mut self) -> (Option<i32>, TempDir) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let status = self.child.wait().unwrap();
        (
            status.code(),
            std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap()),
        )
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const COPY: &str = "cp next.so target/p.so";

#[test]
fn a_save_goes_live_and_other_content_under_the_same_version_does_so_too() {
    let mut dev = Dev::start(&fixture("echo-1-1"), COPY);
    assert_eq!(dev.until("live")["version"], "1.1.0");
    dev.save(&fixture("echo-1-1-other"));
    let live = dev.until("live");
    assert_eq!(
        (&live["version"], &live["revision"]),
        (&json!("1.1.0"), &json!(2))
    );
    // Back to what was there before, in a lower version, and the very same file again.
    dev.save(&fixture("echo-1-0"));
    assert_eq!(dev.until("live")["version"], "1.0.0");
    assert_eq!(dev.answers(), "1.0.0");
    dev.save(&fixture("echo-1-1"));
    assert_eq!(dev.until("live")["revision"], 1);
    dev.save(&fixture("echo-1-1"));
    dev.until("unchanged");
    assert_eq!(dev.answers(), "1.1.0");
}

#[test]
fn a_build_that_fails_is_shown_and_the_old_version_keeps_serving() {
    let mut dev = Dev::start(
        &fixture("echo-1-0"),
        "if grep -q ELF next.so; then cp next.so target/p.so; else cat next.so; exit 1; fi",
    );
    dev.until("live");
    let broken = dev.dir.path().join(".broken");
    fs::write(&broken, "error[E0308]: mismatched types\n").unwrap();
    dev.save(&broken);
    let failed = dev.until("failed");
    assert!(
        failed["diagnostics"].as_str().unwrap().contains("E0308"),
        "{failed}"
    );
    assert_eq!(dev.answers(), "1.0.0");
    dev.save(&fixture("echo-1-1"));
    assert_eq!(dev.until("live")["version"], "1.1.0");
}

#[test]
fn what_the_host_refuses_is_shown_with_code_and_hint_and_the_old_version_keeps_serving() {
    let mut dev = Dev::start(&fixture("echo-1-0"), COPY);
    dev.until("live");
    let bad = dev.dir.path().join(".bad.so");
    hostile("segfault", &bad);
    dev.save(&bad);
    let rejected = dev.until("rejected");
    assert_eq!(rejected["code"], "PB-PROBE-003", "{rejected}");
    assert_ne!(rejected["hint"], "");
    assert_eq!(dev.answers(), "1.0.0");
}

#[test]
fn a_save_during_a_build_is_built_after_it_and_never_beside_it() {
    // The second build finds the folder of the first one when both run, and fails.
    let build = "mkdir .running; cp next.so target/p.so; if [ -p .gate ]; then read -r _ < .gate; rm .gate; fi; rmdir .running";
    let mut dev = Dev::start(&fixture("echo-1-0"), build);
    dev.until("live");
    let gate = dev.dir.path().join(".gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    dev.save(&fixture("echo-1-1"));
    dev.until("building");
    dev.save(&fixture("echo-2-0"));
    // Opening it for writing waits for the build to open it for reading: it is running, and ends now.
    fs::write(&gate, "go\n").unwrap();
    while dev.until("live")["version"] != "2.0.0" {}
    assert_eq!(dev.answers(), "2.0.0");
}

#[test]
fn an_interrupt_ends_the_build_and_the_host_and_leaves_nothing() {
    let build = "cp next.so target/p.so; echo $$ > .pid; if [ -p .gate ]; then read -r _ < .gate; fi";
    let mut dev = Dev::start(&fixture("echo-1-0"), build);
    dev.until("live");
    let gate = dev.dir.path().join(".gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    dev.save(&fixture("echo-1-1"));
    dev.until("building");
    let (code, dir) = dev.interrupt();
    assert_eq!(code, Some(0));
    // Nobody has the pipe open any more: the build is gone, with what it started.
    let open = rustix::fs::open(
        dir.path().join(".gate"),
        rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    );
    assert_eq!(open.unwrap_err(), rustix::io::Errno::NXIO);
}

#[test]
fn once_says_no_when_the_build_fails_or_there_is_nothing_to_build() {
    let dir = tempfile::tempdir().unwrap();
    let (done, _) = once(dir.path());
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("PB-DEV-001"), "{done:?}");
    let settings = "[build]\ncommand = [\"false\"]\nartifact = \"p.so\"\n";
    fs::write(dir.path().join("patchbay-dev.toml"), settings).unwrap();
    let (done, events) = once(dir.path());
    assert_eq!((done.code, &events[1]["kind"]), (1, &json!("failed")), "{done:?}");
}

#[test]
fn check_tells_the_author_of_a_plugin_what_to_mend() {
    let good = run(&["check", "--json", sample("string").to_str().unwrap()]);
    let view = good.json();
    assert_eq!((good.code, &view["fit"]), (0, &json!(true)), "{good:?}");
    assert_eq!(view["identity"]["plugin"], "string");
    let examples = view["examples"].as_array().unwrap();
    assert!(
        examples.iter().all(|run| run["outcome"] == "holds"),
        "{examples:#?}"
    );
    let parts = ["code", "constants", "variables", "debug", "symbols"]
        .map(|part| view["size"][part].as_u64().unwrap());
    assert!(
        parts.iter().sum::<u64>() <= view["size"]["file"].as_u64().unwrap(),
        "{view}"
    );
    assert!(parts[0] > 0);

    // A plugin in C that says nothing of itself.
    let dir = tempfile::tempdir().unwrap();
    let bare = dir.path().join("fit.so");
    hostile("fit", &bare);
    let lax = run(&["check", "--json", bare.to_str().unwrap()]);
    let codes: Vec<_> = lax.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].clone())
        .collect();
    for code in ["PB-LINT-001", "PB-LINT-005", "PB-LINT-006"] {
        assert!(codes.contains(&json!(code)), "{code} is not in {codes:?}");
    }
    assert_eq!(lax.code, 0, "{lax:?}");
    let strict = run(&["check", "--strict", bare.to_str().unwrap()]);
    assert_eq!(strict.code, 1, "{strict:?}");
    assert!(
        strict.out.contains("warning[PB-LINT-006]") && strict.out.contains("  fix: "),
        "{strict:?}"
    );

    let tls = run(&["check", "--json", fixture("tls-1-0").to_str().unwrap()]).json();
    assert_eq!(tls["fit"], true, "{tls}");
}
