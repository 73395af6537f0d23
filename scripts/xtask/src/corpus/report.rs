//! What became of each document, and of all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Output;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::world::Case;

/// How the command line ends when the host cannot be reached.
const UNREACHED: i32 = 3;
/// Characters of a message that are shown.
const MOST_SHOWN: usize = 220;
/// Findings with the same code that are shown of a document.
const MOST_ALIKE: usize = 2;

/// What became of one document.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) valid: bool,
    /// Codes of errors, each as often as it was found.
    errors: BTreeMap<String, usize>,
    warnings: usize,
    /// What it lacks, each once, with what would help.
    missing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crash: Option<String>,
    /// The host did not answer.
    #[serde(skip)]
    pub(super) unreached: bool,
    /// What was said instead of an answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) said: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    status: String,
    /// Nodes that ended well.
    succeeded: usize,
    skipped: usize,
    nodes: usize,
    /// A node that no edge leaves ended well, and the run with it.
    reached_its_end: bool,
    millis: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Json>,
    /// Errors of nodes that did not end the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<String>,
}

impl Row {
    pub(super) fn of(case: &Case) -> Self {
        Self {
            file: case.name.clone(),
            ..Self::default()
        }
    }

    /// Takes what `validate` said.
    pub(super) fn judge(&mut self, output: &Output) {
        let Some(view) = self.answer(output) else { return };
        self.valid = view["valid"] == true;
        for finding in view["findings"].as_array().into_iter().flatten() {
            if finding["level"] != "error" {
                self.warnings += 1;
                continue;
            }
            let code = text(&finding["code"]);
            *self.errors.entry(code.clone()).or_default() += 1;
            let (message, hint) = (text(&finding["message"]), text(&finding["hint"]));
            let line = match code.as_str() {
                "UNKNOWN_NODE_TYPE" | "CREDENTIAL_MISSING" => format!("{message}; {hint}"),
                _ => format!("{code} at {}: {message}", text(&finding["path"])),
            };
            if !self.missing.contains(&line) {
                self.missing.push(line);
            }
        }
    }

    /// Takes what `run` said.
    pub(super) fn ran(&mut self, case: &Case, output: &Output) {
        let Some(view) = self.answer(output) else { return };
        let state = view["state"].as_object().cloned().unwrap_or_default();
        let count = |status: &str| state.values().filter(|node| node["status"] == status).count();
        let status = text(&view["status"]);
        let ended = |id: &String| state.get(id).is_some_and(|node| node["status"] == "success");
        let error = view["error"].as_object().map(|error| {
            let node = text(&error["node"]);
            let own = &state
                .get(&node)
                .map_or(Json::Null, |result| result["nodeErrorCode"].clone());
            let code = own.as_str().map_or_else(|| text(&error["code"]), str::to_owned);
            json!({"code": code, "node": node, "message": text(&error["message"])})
        });
        let failed = state.iter().filter(|(_, node)| node["status"] == "error");
        let others = failed
            .filter(|(id, _)| error.as_ref().is_none_or(|error| error["node"] != **id))
            .map(|(id, node)| format!("{id}: {}: {}", text(&node["errorCode"]), text(&node["error"])));
        self.run = Some(Run {
            reached_its_end: status == "success" && case.needs.last.iter().any(ended),
            succeeded: count("success"),
            skipped: count("skipped"),
            nodes: case.needs.nodes,
            millis: view["duration"].as_f64().unwrap_or_default(),
            others: others.collect(),
            status,
            error,
        });
    }

    /// The JSON of an answer; `None` where there is another one, which is kept.
    fn answer(&mut self, output: &Output) -> Option<Json> {
        self.unreached = output.status.code() == Some(UNREACHED) || output.status.code().is_none();
        let answer = serde_json::from_slice(&output.stdout).ok();
        if answer.is_none() {
            self.said = cut(String::from_utf8_lossy(&output.stderr).trim());
        }
        answer
    }

    /// The row, and below it what is missing or went wrong.
    pub(super) fn text(&self) -> String {
        let verdict = match (self.valid, self.errors.values().sum::<usize>()) {
            (true, _) => "valid".to_owned(),
            (false, 0) => "refused".to_owned(),
            (false, errors) => format!("{errors} errors"),
        };
        let warned = match self.warnings {
            0 => String::new(),
            count => format!(", {count} warnings"),
        };
        let mut out = format!("{}  {verdict}{warned}", self.file);
        let below = |line: &str| format!("    {}\n", cut(line));
        let mut lines = String::new();
        if let Some(run) = &self.run {
            let _ = write!(out, "  {}, {} of {} nodes", run.status, run.succeeded, run.nodes);
            if run.skipped > 0 {
                let _ = write!(out, ", {} skipped", run.skipped);
            }
            if run.status == "success" && !run.reached_its_end {
                out.push_str(", no last node reached");
            }
            if let Some(error) = &run.error {
                lines.push_str(&below(&format!(
                    "{}: {}: {}",
                    text(&error["node"]),
                    text(&error["code"]),
                    text(&error["message"])
                )));
            }
            run.others.iter().for_each(|other| lines.push_str(&below(other)));
        }
        // Many findings are one mistake made many times; all of them are in the JSON.
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &self.missing {
            let code = one
                .split(" at ")
                .next()
                .filter(|code| code.chars().all(|c| c.is_uppercase() || c == '_'));
            let count = code.map_or(0, |code| {
                let count = told.entry(code).or_default();
                *count += 1;
                *count
            });
            if count <= MOST_ALIKE {
                lines.push_str(&below(one));
            }
        }
        for (code, count) in told {
            if count > MOST_ALIKE {
                lines.push_str(&below(&format!("{code}: {} more", count - MOST_ALIKE)));
            }
        }
        if !self.said.is_empty() {
            lines.push_str(&below(&self.said));
        }
        if let Some(crash) = &self.crash {
            lines.push_str(&below(&format!("CRASH: {crash}")));
        }
        format!("{out}\n{lines}")
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cut(line: &str) -> String {
    let line = line.replace(['\n', '\r'], " ");
    match line.char_indices().nth(MOST_SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// All of them, counted.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    files: usize,
    valid: usize,
    /// Runs that succeeded.
    succeeded: usize,
    /// Of those, the ones in which a last node was reached.
    reached_their_end: usize,
    /// Of those, the ones in which every node ended well.
    every_node: usize,
    crashed: usize,
    /// Codes of errors, with the number of files that have one.
    codes: BTreeMap<String, usize>,
}

impl Summary {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut summary = Self {
            files: rows.len(),
            ..Self::default()
        };
        for row in rows {
            summary.valid += usize::from(row.valid);
            summary.crashed += usize::from(row.crash.is_some());
            let mut codes: Vec<String> = row.errors.keys().cloned().collect();
            if let Some(run) = &row.run {
                let well = run.status == "success";
                summary.succeeded += usize::from(well);
                summary.reached_their_end += usize::from(run.reached_its_end);
                summary.every_node += usize::from(run.reached_its_end && run.succeeded == run.nodes);
                codes.extend(
                    run.error
                        .as_ref()
                        .map(|error| format!("run: {}", text(&error["code"]))),
                );
            }
            for code in codes {
                *summary.codes.entry(code).or_default() += 1;
            }
        }
        summary
    }

    /// Why documents do not run, by how many.
    pub(super) fn causes(&self) -> String {
        let mut codes: Vec<_> = self.codes.iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(**count), (*code).clone()));
        let lines: Vec<String> = codes
            .iter()
            .map(|(code, count)| format!("{count:>4} files  {code}"))
            .collect();
        lines.join("\n")
    }

    pub(super) fn line(&self) -> String {
        format!(
            "{} files, {} valid, {} ran from first to last node ({} through every node), {} ended well, {} crashes",
            self.files, self.valid, self.reached_their_end, self.every_node, self.succeeded, self.crashed
        )
    }
}

pub(super) fn json(rows: &[Row], summary: &Summary) -> Json {
    json!({"documents": rows, "summary": summary})
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;
    use crate::corpus::document::needs;

    fn said(code: i32, out: &Json) -> Output {
        Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: out.to_string().into_bytes(),
            stderr: Vec::new(),
        }
    }

    fn case() -> Case {
        let document = json!({"nodes": [{"id": "a"}, {"id": "b"}], "connections": {"a": {}}});
        Case {
            path: "w.json".into(),
            name: "w".into(),
            tenant: "t".into(),
            needs: needs(&document),
            input: json!({}),
        }
    }

    #[test]
    fn a_document_that_cannot_run_says_what_it_lacks() {
        let mut row = Row::of(&case());
        row.judge(&said(1, &json!({"valid": false, "findings": [
            {"level": "error", "code": "UNKNOWN_NODE_TYPE", "message": "no plugin has `x.y`", "hint": "did you mean `x.z`?"},
            {"level": "warning", "code": "W", "message": "w", "hint": ""},
            {"level": "error", "code": "UNKNOWN_NODE_TYPE", "message": "no plugin has `x.y`", "hint": "did you mean `x.z`?"}
        ]})));
        assert_eq!(
            row.text(),
            "w  2 errors, 1 warnings\n    no plugin has `x.y`; did you mean `x.z`?\n"
        );
        let summary = Summary::of(&[row]);
        assert_eq!(summary.causes(), "   1 files  UNKNOWN_NODE_TYPE");
    }

    #[test]
    fn a_run_is_told_with_its_first_error_and_how_far_it_came() {
        let mut row = Row::of(&case());
        row.judge(&said(0, &json!({"valid": true, "findings": []})));
        row.ran(
            &case(),
            &said(
                1,
                &json!({"status": "error", "duration": 1.0,
            "error": {"node": "b", "code": "EXECUTION_ERROR", "message": "it broke"},
            "state": {"a": {"status": "success"}, "b": {"status": "error", "nodeErrorCode": "NOT_ALLOWED"}}}),
            ),
        );
        assert_eq!(
            row.text(),
            "w  valid  error, 1 of 2 nodes\n    b: NOT_ALLOWED: it broke\n"
        );
        let mut well = Row::of(&case());
        well.judge(&said(0, &json!({"valid": true, "findings": []})));
        well.ran(
            &case(),
            &said(
                0,
                &json!({"status": "success",
            "state": {"a": {"status": "success"}, "b": {"status": "success"}}}),
            ),
        );
        assert_eq!(
            Summary::of(&[row, well]).line(),
            "2 files, 2 valid, 1 ran from first to last node (1 through every node), 1 ended well, 0 crashes"
        );
    }

    #[test]
    fn a_host_that_does_not_answer_is_noticed() {
        let mut row = Row::of(&case());
        row.judge(&Output {
            status: ExitStatus::from_raw(3 << 8),
            stdout: Vec::new(),
            stderr: b"error[PB-CLI-006]: nobody".to_vec(),
        });
        assert!(row.unreached && row.said.contains("PB-CLI-006"));
    }
}
