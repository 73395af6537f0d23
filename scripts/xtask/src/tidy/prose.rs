//! Texts: what they must not speak of, and where their links lead.

use super::{Finding, Tree};
use crate::tree::has_extension;

/// Paths of one machine, and words about how the text came to be. In halves, so that this file passes.
const FOREIGN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("cla", "ude"),
    ("anth", "ropic"),
    ("chat", "gpt"),
    ("ope", "nai"),
    ("sub", "agent"),
    ("language ", "model"),
    ("co-authored", "-by"),
    ("generated ", "with"),
    ("this ", "issue"),
    ("issue ", "#"),
    ("the task ", "description"),
];

/// Where two of the words are about the product: nodes that talk with models name whose protocol they speak.
const MODELS: (&str, [usize; 2]) = ("sample-plugins/", [6, 8]);

pub(super) fn texts_speak_of_the_project(tree: &Tree) -> Vec<Finding> {
    let words: Vec<String> = FOREIGN.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut findings = Vec::new();
    for source in &tree.sources {
        if source.path == "Cargo.lock" || source.path.starts_with("LICENSE") {
            continue;
        }
        for (number, line) in source.text.iter().flat_map(|text| text.lines()).enumerate() {
            let lower = line.to_lowercase();
            let theirs = |place: usize| MODELS.1.contains(&place) && source.path.starts_with(MODELS.0);
            let found = words.iter().enumerate();
            for (_, word) in found.filter(|&(place, word)| lower.contains(word) && !theirs(place)) {
                let place = format!("{}:{}", source.path, number + 1);
                findings.push(Finding::error(
                    place,
                    format!("speaks of `{word}`, which is not about the project"),
                ));
            }
        }
    }
    findings
}

pub(super) fn links_lead_somewhere(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree
        .sources
        .iter()
        .filter(|source| has_extension(&source.path, "md"))
    {
        let folder = tree.root.join(&source.path);
        let folder = folder.parent().unwrap_or(&tree.root);
        for link in source.text.as_deref().map(links).unwrap_or_default() {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                findings.push(Finding::error(
                    &source.path,
                    format!("links to `{link}`, which is not there"),
                ));
            }
        }
    }
    findings
}

/// The targets of a text's links; code is left out.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            if line[..at].matches('`').count().is_multiple_of(2)
                && let Some((target, _)) = line[at + 2..].split_once(')')
            {
                found.push(target);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_not_followed() {
        let text = "see [a](a.md) and [b](b/c.md#d)\n```text\n[x](y)\n```\n`[code](z)` [last](l)\n";
        assert_eq!(links(text), ["a.md", "b/c.md#d", "l"]);
    }
}
