//! A page of text as manual pages are laid out: titles at the margin, everything else moved in and wrapped.
//!
//! Invariant: every line goes through [`crate::text`]; what is meant to be copied is never wrapped.

use super::fitting;
use crate::streams::Layout;
use crate::text;

/// Columns of a page that goes to no terminal, as those of `man`.
const COLUMNS: usize = 80;
/// Longer lines of prose are hard to follow with the eye.
const MOST_COLUMNS: usize = 110;
/// How far text is moved in below its title.
pub(super) const INDENT: usize = 4;

/// Columns for prose.
pub(super) fn columns(layout: Layout) -> usize {
    let width = comfy_table::Table::new().width();
    match fitting(layout, width) {
        Layout::Terminal => width.map_or(COLUMNS, usize::from).min(MOST_COLUMNS),
        Layout::Pipe => COLUMNS,
    }
}

/// A page in the making.
pub(super) struct Page {
    out: String,
    columns: usize,
}

impl Page {
    pub(super) const fn new(columns: usize) -> Self {
        Self {
            out: String::new(),
            columns,
        }
    }

    /// Begins a section.
    pub(super) fn title(&mut self, title: &str) {
        if !self.out.is_empty() {
            self.gap();
        }
        self.out.push_str(title);
        self.out.push('\n');
    }

    /// One empty line, however often it is asked for.
    pub(super) fn gap(&mut self) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Text in paragraphs, `steps` to the right. Items of lists stay apart; what is moved in by four, or fenced, stays as
    /// it is.
    pub(super) fn prose(&mut self, steps: usize, prose: &str) {
        let clean = text::lines(prose);
        let (mut paragraph, mut hang, mut fenced) = (String::new(), 0, false);
        for line in clean.lines() {
            let words = line.trim();
            if words.starts_with("```") {
                self.wrapped(steps, &mut paragraph, hang);
                fenced = !fenced;
            } else if fenced || line.starts_with("    ") {
                self.wrapped(steps, &mut paragraph, hang);
                self.verbatim(steps, line.trim_end());
            } else if words.is_empty() {
                self.wrapped(steps, &mut paragraph, hang);
                self.gap();
            } else {
                let item = words.starts_with("* ") || words.starts_with("- ");
                if item {
                    self.wrapped(steps, &mut paragraph, hang);
                }
                if paragraph.is_empty() {
                    hang = if item { 2 } else { 0 };
                } else {
                    paragraph.push(' ');
                }
                paragraph.push_str(words);
            }
        }
        self.wrapped(steps, &mut paragraph, hang);
    }

    /// One paragraph whose later lines are moved in further.
    pub(super) fn term(&mut self, steps: usize, words: &str) {
        self.wrapped(steps, &mut text::line(words), INDENT);
    }

    /// A line that may be copied as it stands.
    pub(super) fn verbatim(&mut self, steps: usize, line: &str) {
        let margin = steps * INDENT;
        self.out.push_str(&format!("{:margin$}{line}\n", ""));
    }

    /// Puts a paragraph down, its later lines `hang` further in, and empties it.
    fn wrapped(&mut self, steps: usize, paragraph: &mut String, hang: usize) {
        let margin = steps * INDENT;
        let room = self.columns.saturating_sub(margin).max(20);
        let mut line = String::new();
        let mut taken = 0;
        for word in paragraph.split_whitespace() {
            let wide = word.chars().count();
            if taken > 0 && taken + 1 + wide > room {
                self.out.push_str(&format!("{:margin$}{line}\n", ""));
                line = " ".repeat(hang);
                taken = hang;
            } else if taken > 0 {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += wide;
        }
        if taken > 0 {
            self.out.push_str(&format!("{:margin$}{line}\n", ""));
        }
        paragraph.clear();
    }

    pub(super) fn finish(self) -> String {
        format!("{}\n", self.out.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(columns: usize, text: &str) -> String {
        let mut page = Page::new(columns);
        page.prose(1, text);
        page.finish()
    }

    #[test]
    fn lines_of_a_paragraph_are_joined_and_wrapped_at_the_width() {
        assert_eq!(
            prose(28, "One two three\nfour five six seven.\n\nThe next one."),
            "    One two three four five\n    six seven.\n\n    The next one.\n"
        );
        let long = "x".repeat(50);
        assert_eq!(
            prose(24, &format!("a {long} b")),
            format!("    a\n    {long}\n    b\n")
        );
    }

    #[test]
    fn lists_and_code_keep_their_lines() {
        assert_eq!(
            prose(
                32,
                "These:\n* one that is longer than a line\n* two\n\n```json\n{\"a\":   1}\n```\nend"
            ),
            "    These:\n    * one that is longer than a\n      line\n    * two\n\n    {\"a\":   1}\n    end\n"
        );
    }

    #[test]
    fn a_page_for_no_terminal_has_the_columns_of_man() {
        assert_eq!(columns(Layout::Pipe), 80);
    }

    #[test]
    fn control_characters_do_not_get_onto_the_page() {
        assert_eq!(prose(80, "a\u{1b}[2J\u{202e} b"), "    a[2J b\n");
    }
}
