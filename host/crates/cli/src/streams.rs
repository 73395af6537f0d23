//! Where a command writes: what was asked for on stdout, the rest on stderr.

use std::io::{self, IsTerminal, Write};

use patchbay_vocab::Explain;
use patchbay_wire::ProblemView;
use serde::Serialize;

use crate::exit::Exit;
use crate::render::render_findings;
use crate::text;

/// How answers and errors are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// For programs: the JSON of the HTTP API.
    Json,
}

impl Format {
    /// What the flag `--json` asks for.
    #[must_use]
    pub const fn of_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Human }
    }
}

/// What the output is for, which decides about the width of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A terminal: tables are fitted to its width.
    Terminal,
    /// A file or another program: one line per row, whatever its length.
    Pipe,
}

/// The two streams of a command.
#[expect(missing_debug_implementations, reason = "two writers, nothing to show")]
pub struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    layout: Layout,
    closed: bool,
}

impl<'a> Streams<'a> {
    /// Writes answers to `out` and the rest to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, layout: Layout) -> Self {
        Self {
            out,
            err,
            layout,
            closed: false,
        }
    }

    /// Whether the reader of the answers has gone, so that there is no point in finding more of them.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// What tables should be laid out for.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Prints an answer that is ready for people; one line break is added when it ends without.
    pub fn answer(&mut self, text: &str) -> Exit {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| {
            if text.is_empty() || text.ends_with('\n') {
                Ok(())
            } else {
                self.out.write_all(b"\n")
            }
        });
        let flushed = written.and_then(|()| self.out.flush());
        self.written(flushed)
    }

    /// Prints an answer as JSON.
    pub fn json<T: Serialize + ?Sized>(&mut self, answer: &T) -> Exit {
        match serde_json::to_string_pretty(answer) {
            Ok(json) => self.answer(&text::json(&json)),
            Err(error) => self.problem(&unwritable(&error.to_string()), Format::Json, Exit::Internal),
        }
    }

    /// Prints an answer as JSON that keeps the order of keys of the values in it.
    pub fn record<T: Serialize + ?Sized>(&mut self, answer: &T) -> Exit {
        match serde_json::to_string(answer) {
            Ok(json) => self.answer(&text::json(&text::pretty(&json))),
            Err(error) => self.problem(&unwritable(&error.to_string()), Format::Json, Exit::Internal),
        }
    }

    /// Prints one of many answers as one line of JSON.
    pub fn json_line<T: Serialize + ?Sized>(&mut self, answer: &T) -> Exit {
        match serde_json::to_string(answer) {
            Ok(json) => self.answer(&text::json(&json)),
            Err(error) => self.problem(&unwritable(&error.to_string()), Format::Json, Exit::Internal),
        }
    }

    /// Prints a remark on stderr.
    pub fn note(&mut self, remark: &str) {
        // Nobody can be told that stderr is gone.
        let _ = writeln!(self.err, "{}", text::lines(remark));
    }

    /// Prints an error of the program itself and ends as `exit`.
    pub fn error(&mut self, error: &dyn Explain, format: Format, exit: Exit) -> Exit {
        let problem = ProblemView {
            code: error.code().0.into(),
            message: error.chain(),
            hint: error.help(),
            request_id: None,
            findings: Vec::new(),
        };
        self.problem(&problem, format, exit)
    }

    /// Prints a problem on stderr and ends as `exit`.
    pub fn problem(&mut self, problem: &ProblemView, format: Format, exit: Exit) -> Exit {
        let text = match format {
            Format::Human => human(problem),
            Format::Json => {
                serde_json::to_string(problem).map_or_else(|_| human(problem), |json| text::json(&json))
            }
        };
        let _ = writeln!(self.err, "{text}");
        exit
    }

    fn written(&mut self, result: io::Result<()>) -> Exit {
        match result {
            Ok(()) => Exit::Success,
            // The reader has seen enough: `patchbay nodes | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Exit::Success
            }
            Err(error) => self.problem(&unwritable(&error.to_string()), Format::Human, Exit::Internal),
        }
    }
}

/// Runs `task` on the streams of this process.
pub fn with_process_streams<T>(task: impl FnOnce(&mut Streams<'_>) -> T) -> T {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let layout = if stdout.is_terminal() {
        Layout::Terminal
    } else {
        Layout::Pipe
    };
    let (mut out, mut err) = (stdout.lock(), stderr.lock());
    task(&mut Streams::new(&mut out, &mut err, layout))
}

fn unwritable(cause: &str) -> ProblemView {
    ProblemView::new(
        patchbay_vocab::Code("PB-CLI-009"),
        format!("cannot write the answer: {cause}"),
        "check where the output goes",
    )
}

fn human(problem: &ProblemView) -> String {
    let mut text = format!(
        "error[{}]: {}",
        text::line(&problem.code),
        text::lines(&problem.message)
    );
    if !problem.findings.is_empty() {
        text.push_str("\n\n");
        text.push_str(render_findings(&problem.findings).trim_end());
    }
    if !problem.hint.is_empty() {
        text.push_str(&format!("\n\nhint: {}", text::lines(&problem.hint)));
    }
    if let Some(id) = &problem.request_id {
        text.push_str(&format!("\nrequest: {}", text::line(id)));
    }
    text
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Code;

    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let mut err = Vec::new();
        let mut closed = Closed;
        let mut streams = Streams::new(&mut closed, &mut err, Layout::Pipe);
        assert!(!streams.is_closed());
        assert_eq!(streams.answer("rows"), Exit::Success);
        assert!(streams.is_closed());
        assert!(err.is_empty());
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut err = Vec::new();
        let exit = Streams::new(&mut Full, &mut err, Layout::Pipe).json(&1);
        assert_eq!(exit, Exit::Internal);
        assert!(String::from_utf8(err).unwrap().starts_with("error[PB-CLI-009]: "));
    }

    #[test]
    fn an_error_is_followed_by_a_blank_line_and_a_hint() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let problem = ProblemView::new(Code("PB-X-001"), "it \u{1b}[31mbroke", "mend it");
        let exit = Streams::new(&mut out, &mut err, Layout::Pipe).problem(&problem, Format::Human, Exit::No);
        assert_eq!(exit, Exit::No);
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "error[PB-X-001]: it [31mbroke\n\nhint: mend it\n"
        );
        assert!(out.is_empty());
    }

    #[test]
    fn an_error_for_programs_is_one_line_of_json_on_stderr() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let problem = ProblemView::new(Code("PB-X-001"), "it broke", "mend it");
        Streams::new(&mut out, &mut err, Layout::Pipe).problem(&problem, Format::Json, Exit::No);
        let text = String::from_utf8(err).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(serde_json::from_str::<ProblemView>(&text).unwrap(), problem);
    }
}
