//! The sample plugins as a library: what all of their nodes promise, and the names that workflows call them by.

mod names;
mod schemas;

use std::collections::BTreeSet;

use patchbay_tests_support::patchbay::{Config, NodeView};
use patchbay_tests_support::{TestHost, library};
use patchbay_wire::{Effect, ExampleOutcome};

use self::names::{ABSENT, known};
use self::schemas::undescribed;

/// Nodes that take any value as it is, and why their parameters have no names.
const ANYTHING: [(&str, &str); 1] = [("test.echo", "gives back what it is given, whatever that is")];

fn quick(config: &mut Config) {
    config.vetting_threads = 4;
}

/// What is wrong with what a node says of itself.
fn judged(node: &NodeView) -> Vec<String> {
    let mut wrong = Vec::new();
    if node.description.trim().is_empty() {
        wrong.push("has no description".to_owned());
    }
    if node.category.is_empty() {
        wrong.push("has no category".to_owned());
    }
    if node.examples.len() < 2 {
        wrong.push(format!("has {} examples, not two", node.examples.len()));
    }
    let titles: BTreeSet<_> = node.examples.iter().map(|example| &example.title).collect();
    if titles.len() < node.examples.len() || titles.iter().any(|title| title.is_empty()) {
        wrong.push("has examples without a title of their own".to_owned());
    }
    let anything = ANYTHING.iter().any(|(name, _)| node.node_type.as_str() == *name);
    if node.parameters["type"] != "object" && !anything {
        wrong.push(format!("takes no object: {}", node.parameters));
    }
    if node.parameters["type"] == "object" && anything {
        wrong.push("takes an object, and is listed as if it did not".to_owned());
    }
    wrong.extend(
        undescribed(&node.parameters)
            .into_iter()
            .map(|parameter| format!("does not say what `{parameter}` is")),
    );
    wrong
}

/// What is wrong with the examples of a plugin, and how many of them hold.
fn tried(host: &TestHost, plugin: &str, nodes: &[NodeView]) -> (Vec<String>, usize) {
    let runs = host.host().run_examples(&plugin.parse().unwrap()).unwrap();
    let effect_of = |name: &str| {
        let mut nodes = nodes.iter();
        nodes
            .find(|node| node.node_type.as_str() == name)
            .map(|node| node.effect)
    };
    let mut wrong = Vec::new();
    let mut held = 0;
    for run in runs {
        match run.outcome {
            ExampleOutcome::Holds => held += 1,
            ExampleOutcome::NotRun if effect_of(run.node.as_str()) != Some(Effect::Pure) => {}
            _ => wrong.push(format!(
                "{}: the example `{}`: {:?} {:?} {:?}",
                run.node, run.title, run.outcome, run.error, run.notes
            )),
        }
    }
    (wrong, held)
}

#[test]
fn every_node_of_the_library_explains_itself_and_answers_to_its_names() {
    let plugins: Vec<&str> = library().iter().map(String::as_str).collect();
    let host = TestHost::opened(&plugins, &[], quick);
    let rejected = host.host().rejected();
    assert!(rejected.is_empty(), "{rejected:#?}");
    let nodes = host.host().nodes();
    let mut wrong = Vec::new();
    for node in &nodes {
        wrong.extend(
            judged(node)
                .into_iter()
                .map(|what| format!("{}: {what}", node.node_type)),
        );
    }
    for (name, _) in ANYTHING {
        let there = nodes.iter().any(|node| node.node_type.as_str() == name);
        wrong.extend((!there).then(|| format!("{name}: is listed here and not there")));
    }
    let mut held = 0;
    for plugin in host.host().plugins() {
        let (failed, holding) = tried(&host, plugin.name.as_str(), &nodes);
        wrong.extend(failed);
        held += holding;
    }
    for entry in known() {
        wrong.extend(entry.judged(&nodes));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(held > 2 * plugins.len(), "only {held} examples were run");
}

#[test]
fn the_table_of_names_is_sorted_and_what_is_absent_is_in_it() {
    let entries = known();
    let names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
    assert!(names.is_sorted(), "sort ids.txt");
    let mut all: Vec<_> = entries
        .iter()
        .flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()))
        .collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a name stands twice");
    for (name, why) in ABSENT {
        assert!(all.contains(&name), "{name} is no name of the table");
        assert!(why.len() > 10, "{name}: a reason is a sentence");
    }
}
