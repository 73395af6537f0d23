//! What a plugin's author sees.

use patchbay_wire::{DevEventView, ExampleOutcome, ExampleRunView, NewView};

use super::indented;
use crate::clock::micros;
use crate::streams::Layout;
use crate::text;

/// Clears the screen of a terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// A project that was made, for people.
#[must_use]
pub fn render_new(view: &NewView) -> String {
    let files: String = view
        .files
        .iter()
        .map(|file| format!("  {}\n", text::line(file)))
        .collect();
    let next: String = view
        .next
        .iter()
        .map(|command| format!("  {}\n", text::line(command)))
        .collect();
    format!(
        "made the plugin {} in {}\n{files}\nnext:\n{next}",
        view.plugin,
        text::line(&view.path)
    )
}

/// What happened in a project's loop, for people; `None` when there is nothing to be said.
#[must_use]
pub fn render_dev(event: &DevEventView, layout: Layout) -> Option<String> {
    Some(match event {
        DevEventView::Ready { url, project } => {
            let ready = url.as_ref().map(|url| format!("ready {}\n", text::line(url)));
            format!(
                "{}watching {}; Ctrl-C ends it\n",
                ready.unwrap_or_default(),
                text::line(project)
            )
        }
        // What the last build had to say is gone when the next one begins.
        DevEventView::Building {} => match layout {
            Layout::Terminal => format!("{CLEAR}building\n"),
            Layout::Pipe => "building\n".to_owned(),
        },
        DevEventView::Failed {
            build_micros,
            diagnostics,
        } => {
            let words = text::lines(diagnostics);
            format!(
                "{words}failed  the build ended after {}; what was live stays live\n",
                micros(*build_micros)
            )
        }
        DevEventView::OutOfDate { build_micros } => format!(
            "changed  built in {}, but a source has changed since: once more\n",
            micros(*build_micros)
        ),
        DevEventView::Unchanged { build_micros } => {
            format!(
                "unchanged  built in {}: the same file is live already\n",
                micros(*build_micros)
            )
        }
        DevEventView::Rejected { code, message, hint } => format!(
            "rejected[{}]  {}\n\nhint: {}\n\nwhat was live stays live\n",
            text::line(code),
            text::lines(message),
            text::lines(hint)
        ),
        DevEventView::Live {
            plugin,
            version,
            revision,
            linked,
            build_micros,
            live_micros,
        } => {
            let (built, live) = (micros(*build_micros), micros(*live_micros));
            let times = match linked {
                true => format!("built in {built}, live {live} after the link"),
                false => format!("nothing to build, live {live} after that was seen"),
            };
            format!("live  {plugin} {version}  revision {revision}  {times}\n")
        }
        DevEventView::Examples { runs } => return examples(runs),
    })
}

fn examples(runs: &[ExampleRunView]) -> Option<String> {
    if runs.is_empty() {
        return None;
    }
    let mut out = format!("      {}\n", held(runs));
    let failed =
        |run: &&ExampleRunView| matches!(run.outcome, ExampleOutcome::Differs | ExampleOutcome::Failed);
    for run in runs.iter().filter(failed) {
        out.push_str(&example(run));
    }
    Some(out)
}

/// How many examples hold.
pub(super) fn held(runs: &[ExampleRunView]) -> String {
    let holds = |run: &&ExampleRunView| run.outcome == ExampleOutcome::Holds;
    match runs.iter().filter(holds).count() {
        1 => "1 example holds".to_owned(),
        held => format!("{held} examples hold"),
    }
}

/// An example that does not hold: which, and where expected and actual output part.
pub(super) fn example(run: &ExampleRunView) -> String {
    let mut out = format!("example `{}` of {} ", text::line(&run.title), run.node);
    match run.outcome {
        ExampleOutcome::Holds => out.push_str("holds\n"),
        ExampleOutcome::NotRun => out.push_str("was not run\n"),
        ExampleOutcome::Failed => {
            let error = run.error.as_deref().unwrap_or("no reason given");
            out.push_str(&format!("failed: {}\n", text::lines(error)));
        }
        ExampleOutcome::Differs => out.push_str("gives another output\n"),
    }
    for note in &run.notes {
        out.push_str(&indented(note, 2));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(linked: bool) -> DevEventView {
        DevEventView::Live {
            plugin: "greet".parse().unwrap(),
            version: "0.1.0".parse().unwrap(),
            revision: patchbay_vocab::RevisionNumber(4),
            linked,
            build_micros: 1_200_000,
            live_micros: 31_000,
        }
    }

    #[test]
    fn a_swap_is_one_line_with_both_times() {
        assert_eq!(
            render_dev(&live(true), Layout::Pipe).unwrap(),
            "live  greet 0.1.0  revision 4  built in 1.2 s, live 31.0 ms after the link\n"
        );
        let text = render_dev(&live(false), Layout::Pipe).unwrap();
        assert!(text.contains("nothing to build"), "{text}");
    }

    #[test]
    fn only_a_terminal_is_cleared() {
        let building = DevEventView::Building {};
        assert!(
            render_dev(&building, Layout::Terminal)
                .unwrap()
                .starts_with(CLEAR)
        );
        assert_eq!(render_dev(&building, Layout::Pipe).unwrap(), "building\n");
    }

    #[test]
    fn what_a_compiler_or_a_plugin_says_cannot_move_the_cursor() {
        let hostile = "a\u{1b}[2Jb".to_owned();
        let events = [
            DevEventView::Failed {
                build_micros: 1,
                diagnostics: hostile.clone(),
            },
            DevEventView::Rejected {
                code: "PB-X-001".into(),
                message: hostile.clone(),
                hint: hostile.clone(),
            },
            DevEventView::Examples {
                runs: vec![ExampleRunView {
                    node: "greet.hello".parse().unwrap(),
                    title: hostile.clone(),
                    outcome: ExampleOutcome::Failed,
                    micros: Some(1),
                    expected: serde_json::Value::Null,
                    got: Some(hostile.clone().into()),
                    error: Some(hostile.clone()),
                    notes: vec![hostile],
                }],
            },
        ];
        for event in events {
            let text = render_dev(&event, Layout::Terminal).unwrap();
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }

    #[test]
    fn examples_are_counted_and_those_that_fail_are_shown_with_the_place() {
        let run = |outcome, notes: &[&str]| ExampleRunView {
            node: "greet.hello".parse().unwrap(),
            title: "a name".into(),
            outcome,
            micros: Some(1),
            expected: serde_json::json!({"result": "HI"}),
            got: Some(serde_json::json!({"result": "hi"})),
            error: None,
            notes: notes.iter().map(ToString::to_string).collect(),
        };
        let runs = vec![
            run(ExampleOutcome::Holds, &[]),
            run(ExampleOutcome::NotRun, &["it has effects"]),
            run(ExampleOutcome::Differs, &["/result: expected \"HI\", got \"hi\""]),
        ];
        assert_eq!(
            render_dev(&DevEventView::Examples { runs }, Layout::Pipe).unwrap(),
            "      1 example holds\nexample `a name` of greet.hello gives another output\n  /result: expected \"HI\", got \"hi\"\n"
        );
        assert_eq!(
            render_dev(&DevEventView::Examples { runs: Vec::new() }, Layout::Pipe),
            None
        );
    }

    #[test]
    fn a_new_project_ends_with_what_to_do_next() {
        let view = NewView {
            plugin: "greet".parse().unwrap(),
            language: "rust".into(),
            path: "/tmp/greet".into(),
            sdk: "/sdk".into(),
            files: vec!["Cargo.toml".into()],
            next: vec!["cd greet".into()],
        };
        assert_eq!(
            render_new(&view),
            "made the plugin greet in /tmp/greet\n  Cargo.toml\n\nnext:\n  cd greet\n"
        );
    }
}
