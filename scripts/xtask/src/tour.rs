//! The tour of the README, run as it is written.
//!
//! A block that follows `<!-- tour: run -->` is run by bash in a fresh folder; `<!-- tour: run until -->` repeats it
//! until what follows `<!-- tour: shows -->` is what it shows; `<!-- tour: background -->` starts it, as in another
//! terminal, and ends it with the tour, as Ctrl-C does. In what is shown, `…` stands for anything in a line, and
//! alone for any lines; runs of blanks count as one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::tree;

/// How long a repeated block is given to show what it should.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// How a block is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Once,
    Until,
    Background,
}

#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    commands: String,
    how: How,
    shows: Option<String>,
}

/// The steps of the tour, in order.
fn steps(readme: &str) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = readme.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(what) = line
            .strip_prefix("<!-- tour: ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let number = at + 1;
        let fence = lines.next().map(|(_, fence)| fence).unwrap_or_default();
        ensure!(
            fence.starts_with("```"),
            "README.md:{number}: a block must follow the mark"
        );
        let mut block = String::new();
        loop {
            let (_, line) = lines
                .next()
                .with_context(|| format!("README.md:{number}: the block does not end"))?;
            if line == "```" {
                break;
            }
            block.push_str(line);
            block.push('\n');
        }
        match what {
            "run" | "run until" | "background" => {
                steps.push(Step {
                    line: number,
                    commands: block,
                    how: match what {
                        "run" => How::Once,
                        "run until" => How::Until,
                        _ => How::Background,
                    },
                    shows: None,
                });
            }
            "shows" => {
                let fresh = |step: &&mut Step| step.shows.is_none() && step.how != How::Background;
                let last = steps.last_mut().filter(fresh);
                last.with_context(|| format!("README.md:{number}: nothing was run before"))?
                    .shows = Some(block);
            }
            other => bail!("README.md:{number}: the tour knows no mark `{other}`"),
        }
    }
    ensure!(!steps.is_empty(), "README.md has no tour");
    Ok(steps)
}

/// Whether a text is what a block shows.
fn fits(shown: &str, text: &str) -> bool {
    let tidy = |text: &str| -> Vec<String> {
        let lines = text.trim_end().lines();
        lines
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    lines_fit(&tidy(shown), &tidy(text))
}

fn lines_fit(shown: &[String], text: &[String]) -> bool {
    match shown.split_first() {
        None => text.is_empty(),
        Some((line, rest)) if line == "…" => (0..=text.len()).any(|skip| lines_fit(rest, &text[skip..])),
        Some((line, rest)) => text
            .split_first()
            .is_some_and(|(found, after)| line_fits(line, found) && lines_fit(rest, after)),
    }
}

fn line_fits(shown: &str, found: &str) -> bool {
    let parts: Vec<&str> = shown.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return shown == found;
    };
    let Some(mut rest) = found.strip_prefix(*first) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A host that ends with the tour.
struct Host {
    process: Process,
    url: String,
}

impl Host {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let log = std::fs::File::create(folder.join("host.log"))?;
        let mut child = Command::new(binary)
            .args(["up", "--listen", "127.0.0.1:0", "--config"])
            .arg(folder.join("patchbay.toml"))
            .arg("--plugins")
            .arg(folder.join("plugins"))
            .arg("--data")
            .arg(folder.join("store"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}; build the workspace first", binary.display()))?;
        let out = child.stdout.take().context("the host's stdout")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let mut host = Self {
            process: Process(child),
            url: String::new(),
        };
        host.url = match line.trim().strip_prefix("ready ") {
            Some(url) => url.to_owned(),
            None => bail!(
                "the host did not come up: {}",
                std::fs::read_to_string(folder.join("host.log"))?
            ),
        };
        Ok(host)
    }
}

/// A process that ends with the tour, whatever becomes of it.
struct Process(Child);

impl Process {
    /// Ends it as Ctrl-C does.
    fn end(mut self) -> Result<()> {
        let sent = Command::new("kill")
            .args(["-INT", &self.0.id().to_string()])
            .status()?;
        ensure!(sent.success(), "a process could not be told to end");
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                ensure!(status.success(), "a process ended with {status}");
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        bail!("a process did not end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Where the steps run.
struct Place {
    folder: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    fn run(&self, step: &Step) -> Result<String> {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{}", step.commands)])
            .current_dir(&self.folder)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .output()
            .context("cannot run bash")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success() || step.how == How::Until,
            "README.md:{}: the block ended with {}\n{text}",
            step.line,
            output.status
        );
        Ok(text)
    }

    /// Starts a block whose one command takes the shell's place, so that a signal reaches it.
    fn start(&self, step: &Step) -> Result<Process> {
        let log = std::fs::File::create(self.folder.join("background.log"))?;
        let child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("exec {}", step.commands)])
            .current_dir(&self.folder)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run bash")?;
        Ok(Process(child))
    }

    fn check(&self, step: &Step) -> Result<()> {
        let begin = Instant::now();
        loop {
            let text = self.run(step)?;
            let Some(shows) = &step.shows else { return Ok(()) };
            if fits(shows, &text) {
                return Ok(());
            }
            if step.how != How::Until || begin.elapsed() > PATIENCE {
                bail!(
                    "README.md:{}: shown in the README:\n{shows}\nshown now:\n{text}",
                    step.line
                );
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// The configuration of `./scripts/up`, for a host in another folder.
fn configure(root: &Path, folder: &Path) -> Result<()> {
    let here = folder.display().to_string();
    let config = std::fs::read_to_string(root.join("scripts/up.toml"))?.replace("@HERE@", &here);
    std::fs::create_dir(folder.join("files"))?;
    std::fs::write(
        folder.join("database.url"),
        format!("sqlite:{here}/try.db?mode=rwc\n"),
    )?;
    std::fs::write(folder.join("patchbay.toml"), config)?;
    Ok(())
}

pub(crate) fn tour() -> Result<()> {
    let begin = Instant::now();
    let root = tree::root();
    let steps = steps(&std::fs::read_to_string(root.join("README.md")).context("README.md")?)?;
    let own = std::env::current_exe()?;
    let built = own.parent().context("the folder of this program")?;
    let folder = tempfile::Builder::new().prefix("patchbay-tour-").tempdir()?;
    for part in ["plugins", "work"] {
        std::fs::create_dir(folder.path().join(part))?;
    }
    for package in tree::packages(&root)?
        .iter()
        .filter(|package| package.folder(&root).starts_with("sample-plugins/"))
    {
        for target in package
            .targets
            .iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "cdylib"))
        {
            let file = format!("lib{}.so", target.name);
            let copied = std::fs::copy(built.join(&file), folder.path().join("plugins").join(&file));
            copied.with_context(|| format!("{file} is not built; run cargo build --workspace"))?;
        }
    }
    configure(&root, folder.path())?;
    let host = Host::start(&built.join("patchbay"), folder.path())?;
    let path = std::env::var("PATH").unwrap_or_default();
    // The folder that the tests compile generated plugins in: the SDK is compiled once for both.
    let target = built.parent().unwrap_or(built).join("authors");
    // Free a moment ago: as good as it gets for a port that another process will listen on.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let place = Place {
        folder: folder.path().join("work"),
        environment: vec![
            ("PLUGINS", folder.path().join("plugins").display().to_string()),
            ("PATCHBAY_URL", host.url.clone()),
            ("DEV", free.to_string()),
            ("URL", host.url.clone()),
            ("PATH", format!("{}:{path}", built.display())),
            // What was compiled the last time is used again; what it gives lies where the README says.
            ("CARGO_BUILD_BUILD_DIR", target.display().to_string()),
            ("CARGO_NET_OFFLINE", "true".to_owned()),
        ],
    };
    let mut background = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let first = step.commands.lines().next().unwrap_or_default();
        println!("{:>2}/{} {first}", number + 1, steps.len());
        let done = match step.how {
            How::Background => place.start(step).map(|process| background.push(process)),
            How::Once | How::Until => place.check(step),
        };
        if let Err(error) = done {
            let said = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
            let host = said(folder.path().join("host.log"));
            let other = said(place.folder.join("background.log"));
            return Err(error.context(format!(
                "the tour stopped; the host said:\n{host}\nwhat runs beside it said:\n{other}"
            )));
        }
    }
    for process in background {
        process.end()?;
    }
    host.process.end()?;
    println!(
        "the tour holds: {} steps in {:.1} s",
        steps.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_anything_in_a_line_and_for_lines() {
        assert!(fits("a  … z\n", "a   b c z\n"));
        assert!(fits("first\n…\nlast\n", "first\nx\ny\nlast\n"));
        assert!(fits("first\n…\n", "first\n"));
        assert!(!fits("a … z\n", "a b c\n"));
        assert!(!fits("one\n", "one\ntwo\n"));
        assert!(!fits("ab…ba", "aba"));
    }

    #[test]
    fn steps_are_the_marked_blocks_in_order() {
        let readme = "# x\n```sh\nnot run\n```\n<!-- tour: run -->\n```sh\necho a\n```\n<!-- tour: shows -->\n```text\na\n```\n";
        let found = steps(readme).unwrap();
        let wanted = Step {
            line: 5,
            commands: "echo a\n".into(),
            how: How::Once,
            shows: Some("a\n".into()),
        };
        assert_eq!(found, [wanted]);
        assert!(steps("<!-- tour: run -->\nno block\n").is_err());
        assert!(steps("nothing").is_err());
    }
}
