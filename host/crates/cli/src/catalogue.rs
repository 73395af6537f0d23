//! Finding a node among those a host has.
//!
//! Invariant: what is found is in an order that says how well it fits, and the same each time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use patchbay_wire::NodeView;

/// Nodes that are offered in place of one that is not there.
const MOST_OFFERED: usize = 5;

/// The categories there are, each with how many nodes it has.
pub(crate) fn categories(nodes: &[NodeView]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for node in nodes {
        *counts.entry(node.category.as_str()).or_default() += 1;
    }
    counts
}

/// The nodes of a category, whatever the case of its letters.
pub(crate) fn of_category(nodes: Vec<NodeView>, category: &str) -> Vec<NodeView> {
    let wanted = category.to_lowercase();
    let fits = |node: &NodeView| node.category.to_lowercase() == wanted;
    nodes.into_iter().filter(fits).collect()
}

/// The nodes that have every word of `words` in a name, a tag, the category or the description; those that have them
/// in their names first.
pub(crate) fn search(nodes: Vec<NodeView>, words: &str) -> Vec<NodeView> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<(u32, NodeView)> = nodes
        .into_iter()
        .filter_map(|node| Some((score(&node, &words)?, node)))
        .collect();
    found.sort_by_cached_key(|(score, node)| (Reverse(*score), node.node_type.to_string()));
    found.into_iter().map(|(_, node)| node).collect()
}

/// How well a node fits; `None` when it lacks a word.
fn score(node: &NodeView, words: &[String]) -> Option<u32> {
    let own = node.node_type.as_str().to_lowercase();
    let aliases: Vec<String> = node
        .aliases
        .iter()
        .map(|alias| alias.as_str().to_lowercase())
        .collect();
    let tags: Vec<String> = node.tags.iter().map(|tag| tag.to_lowercase()).collect();
    let said = format!("{} {}", node.category, node.description).to_lowercase();
    let parameters = node
        .parameters
        .get("properties")
        .and_then(serde_json::Value::as_object);
    let mut sum = 0;
    for word in words {
        sum += if own.rsplit('.').next() == Some(word) {
            16
        } else if own.contains(word.as_str()) {
            8
        } else if aliases.iter().any(|alias| alias.contains(word.as_str())) {
            4
        } else if tags.iter().any(|tag| tag.contains(word.as_str())) {
            2
        } else if said.contains(word.as_str())
            || parameters.is_some_and(|all| all.keys().any(|name| name.to_lowercase() == *word))
        {
            1
        } else {
            return None;
        };
    }
    Some(sum)
}

/// Names with a word of a name that nothing has: `upper` for `string.upper`, `text.upper` as well.
pub(crate) fn offered(nodes: Vec<NodeView>, name: &str) -> Vec<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let word: String = last.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let word = word.to_lowercase();
    if word.chars().count() < 3 {
        return Vec::new();
    }
    let fold = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let near = nodes.into_iter().filter(|node| {
        let mut names = std::iter::once(&node.node_type).chain(&node.aliases);
        names.any(|known| fold(known.as_str()).contains(&word))
    });
    let mut names: Vec<String> = near.map(|node| node.node_type.to_string()).collect();
    names.sort_by_key(|known| (fold(known).len().abs_diff(word.len()), known.clone()));
    names.truncate(MOST_OFFERED);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, category: &str, tags: &[&str], description: &str) -> NodeView {
        let view = serde_json::json!({
            "nodeType": name, "plugin": "p", "version": "1.0.0", "category": category, "description": description,
            "required": [], "parameters": {"properties": {"count": {}}}, "result": {}, "aliases": [], "tags": tags,
            "author": "", "icon": "", "experimental": false, "effect": "pure", "timeoutMs": null,
            "capabilities": [], "secrets": [], "isAsync": false, "stateful": false, "examples": [],
            "hostApi": "^1.0", "dependencies": []
        });
        serde_json::from_value(view).unwrap()
    }

    fn all() -> Vec<NodeView> {
        vec![
            node("list.sort", "list", &["order"], "Puts items in order."),
            node("string.toUpper", "string", &["case"], "Makes letters large."),
            node(
                "string.upperFirst",
                "string",
                &[],
                "Makes the first letter large.",
            ),
            node(
                "dict.keys",
                "dict",
                &[],
                "Lists the keys in upper or lower case order.",
            ),
        ]
    }

    fn names(nodes: &[NodeView]) -> Vec<&str> {
        nodes.iter().map(|node| node.node_type.as_str()).collect()
    }

    #[test]
    fn words_are_looked_for_in_names_first_then_in_what_is_said() {
        assert_eq!(
            names(&search(all(), "upper")),
            ["string.toUpper", "string.upperFirst", "dict.keys"]
        );
        assert_eq!(names(&search(all(), "SORT")), ["list.sort"]);
        assert_eq!(names(&search(all(), "order upper")), ["dict.keys"]);
        assert_eq!(search(all(), "count").len(), 4, "a parameter's name is one");
        assert!(search(all(), "upper nothing").is_empty());
    }

    #[test]
    fn a_category_is_found_in_any_case() {
        assert_eq!(names(&of_category(all(), "LIST")), ["list.sort"]);
        assert!(of_category(all(), "lis").is_empty());
        assert_eq!(
            categories(&all()).into_iter().collect::<Vec<_>>(),
            [("dict", 1), ("list", 1), ("string", 2)]
        );
    }

    #[test]
    fn names_with_the_last_word_are_offered() {
        assert_eq!(offered(all(), "text.to_upper"), ["string.toUpper"]);
        assert_eq!(offered(all(), "upper"), ["string.toUpper", "string.upperFirst"]);
        assert!(offered(all(), "x.up").is_empty(), "two letters are in everything");
    }
}
