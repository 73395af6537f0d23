//! What a bad file does to the process that serves: it is given to one, and watched.
//!
//! Invariant: every word in the table comes from the end of a real process, or from lines that a living one wrote; a process
//! that says nothing for [`SILENCE`] hangs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::Effort;
use crate::report::FileRow;
use crate::stage::{FILE, PATIENCE, built, drop_in, inbox};
use crate::stand::{Answers, Line, SEVENTY, Who};
use crate::variant::{BadFile, Delivery, bad_files, generation};

/// The generation that is served when the bad file comes, that of the bad file, and that of the good file after it.
const BEFORE: u64 = 2;
const BAD: u64 = 3;
const AFTER: u64 = 4;

/// No beat for so long, and the caller hangs.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a process is waited for until it has taken its second file, and how often it is given that.
const WARM_UP: Duration = Duration::from_secs(3);
const TRIES: u32 = 5;
/// How long a process is watched after its answers have changed, for what comes later.
const AFTERMATH: Duration = Duration::from_millis(500);

pub(crate) fn run(effort: Effort) -> Result<Vec<FileRow>> {
    let watched = match effort {
        Effort::Quick => Duration::from_secs(3),
        Effort::Full => Duration::from_secs(5),
    };
    let file = fs::read(built(FILE)?)?;
    let changed = fs::read(built("libmeasured_changed.so")?)?;
    let [first, before, after] = [1, BEFORE, AFTER].map(|number| generation(&file, number));
    let (first, before, after) = (first?, before?, after?);
    let mut rows = Vec::new();
    for bad in bad_files(&file, &changed, BAD)? {
        let try_on = |who| Trial::of(who, &first, &before)?.verdict(&bad, &after, watched);
        // Both at once: they wait most of the time.
        let (hot, patchbay) = std::thread::scope(|scope| {
            let hot = scope.spawn(|| try_on(Who::HotLibReloader));
            (hot.join(), try_on(Who::Patchbay))
        });
        let Ok(hot) = hot else {
            bail!("the watcher of a trial panicked")
        };
        let (hot, patchbay) = (hot.context(bad.name)?, patchbay.context(bad.name)?);
        rows.push(FileRow {
            file: bad.name,
            hot_lib_reloader: hot,
            patchbay,
        });
    }
    Ok(rows)
}

/// One process that serves the generation before the bad one.
struct Trial {
    child: Child,
    lines: Receiver<Line>,
    answers: Option<Answers>,
    refused: Option<String>,
    inbox: PathBuf,
    _folder: TempDir,
}

/// Why watching ended.
enum Seen {
    Gone(ExitStatus),
    Silent,
    /// What was waited for has come, or the time is up.
    Enough,
}

impl Trial {
    fn of(who: Who, first: &[u8], before: &[u8]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (name, inbox) = match who {
            Who::HotLibReloader => ("hot-lib-reloader", folder.path().to_owned()),
            Who::Patchbay => ("patchbay", inbox(folder.path())),
        };
        fs::create_dir_all(&inbox)?;
        drop_in(&inbox, first)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["stand", name])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().context("the process has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // A process that dies may leave half a line.
                let Ok(line) = serde_json::from_str(&line) else {
                    return;
                };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut trial = Self {
            child,
            lines,
            answers: None,
            refused: None,
            inbox,
            _folder: folder,
        };
        let _ = trial.watch(PATIENCE, |trial| trial.serves(1))?;
        ensure!(trial.serves(1), "the process never served its first file");
        // A reload, so that its watch is known to be set up; a file that came before that would not be seen.
        for _ in 0..TRIES {
            drop_in(&trial.inbox, before)?;
            let _ = trial.watch(WARM_UP, |trial| trial.serves(BEFORE))?;
            if trial.serves(BEFORE) {
                return Ok(trial);
            }
        }
        bail!("the process never took a second file")
    }

    fn serves(&self, number: u64) -> bool {
        self.answers
            .as_ref()
            .is_some_and(|answers| answers.generation == Ok(number))
    }

    /// Gives it the bad file and then a good one; says in words what came of both.
    fn verdict(mut self, bad: &BadFile, good: &[u8], watched: Duration) -> Result<String> {
        let before = self.answers.clone();
        self.deliver(bad)?;
        let seen = self.watch(watched, |trial| {
            trial.answers != before || trial.refused.is_some()
        })?;
        let seen = match seen {
            Seen::Enough => self.watch(AFTERMATH, |_| false)?,
            ended => ended,
        };
        let first = match seen {
            Seen::Gone(status) => return Ok(format!("process gone: {}", ending(status))),
            Seen::Silent => "every call hangs".to_owned(),
            Seen::Enough => self.words(),
        };
        drop_in(&self.inbox, good)?;
        let then = match self.watch(watched, |trial| trial.serves(AFTER))? {
            Seen::Gone(status) => format!("process gone: {}", ending(status)),
            _ if self.serves(AFTER) => "a good file after it is taken".into(),
            _ => "a good file after it does not help".into(),
        };
        Ok(format!("{first}; {then}"))
    }

    fn words(&self) -> String {
        let Some(Answers { generation, scale }) = &self.answers else {
            return "no answer".into();
        };
        let answered = match (generation, scale) {
            (Ok(BEFORE), Ok(SEVENTY)) => "serves the file before".to_owned(),
            (Ok(BAD), Ok(SEVENTY)) => "serves it".into(),
            (Ok(BAD), Ok(other)) => {
                format!("serves it, wrong answer without an error (scale(7) = {other})")
            }
            (Ok(BAD), Err(error)) => format!("serves it, calls that do not fit it get an error ({error})"),
            (Ok(number), _) => format!("serves generation {number}"),
            (Err(error), _) => format!("every call fails ({error})"),
        };
        match &self.refused {
            Some(code) => format!("refused, {code}; {answered}"),
            None => answered,
        }
    }

    fn deliver(&self, bad: &BadFile) -> Result<()> {
        let in_place = || File::create(self.inbox.join(FILE));
        match bad.delivery {
            Delivery::Renamed => drop_in(&self.inbox, &bad.bytes)?,
            Delivery::InPlace => in_place()?.write_all(&bad.bytes)?,
            Delivery::InPlaceStalled => {
                let (begin, end) = bad.bytes.split_at(bad.bytes.len() / 2);
                let mut file = in_place()?;
                file.write_all(begin)?;
                file.flush()?;
                std::thread::sleep(Duration::from_secs(1));
                file.write_all(end)?;
            }
        }
        Ok(())
    }

    /// Reads what the process says until `enough`, its end, its silence, or for `most`.
    fn watch(&mut self, most: Duration, enough: impl Fn(&Self) -> bool) -> Result<Seen> {
        let (begin, mut heard) = (Instant::now(), Instant::now());
        while begin.elapsed() < most && !enough(self) {
            match self.lines.recv_timeout(Duration::from_millis(20)) {
                Ok(line) => {
                    heard = Instant::now();
                    match line {
                        Line::Answers(answers) => self.answers = Some(answers),
                        Line::Refused(code) => self.refused = Some(code),
                        Line::Beat => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > SILENCE => return Ok(Seen::Silent),
                Err(RecvTimeoutError::Timeout) => {}
                // The pipe is closed when the process ends.
                Err(RecvTimeoutError::Disconnected) => return Ok(Seen::Gone(self.child.wait()?)),
            }
        }
        Ok(Seen::Enough)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ending(status: ExitStatus) -> String {
    match status.signal() {
        Some(4) => "SIGILL".into(),
        Some(6) => "SIGABRT".into(),
        Some(7) => "SIGBUS".into(),
        Some(11) => "SIGSEGV".into(),
        Some(other) => format!("signal {other}"),
        None => format!("exit code {}", status.code().unwrap_or(-1)),
    }
}
