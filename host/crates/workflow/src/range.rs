//! Versions that a document asks for: `"plugin": "text-tools@^1.2"` at a node.
//!
//! Invariant: what a document says about the versions of one plugin is meant together, since a run has one of them: a
//! version is in all of its ranges, or it will not do.

use std::collections::BTreeSet;

use patchbay_vocab::{PluginName, Version, VersionReq};
use plugin_api::value::ValueRef;

use crate::document::Document;
use crate::field::Object;
use crate::graph::{Graph, NodeDraft};
use crate::notes::{Notes, Place, Shown};
use crate::registry_check::inner;
use crate::{Finding, FindingCode, Level, code};

/// Ranges and versions that one message names.
const MOST_NAMED: usize = 8;
/// A longer range is none.
const LONGEST: usize = 256;

/// Which versions of a plugin a node asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The plugin.
    pub plugin: PluginName,
    /// The versions that will do.
    pub range: VersionReq,
    node: String,
    path: String,
    place: u32,
}

impl VersionRange {
    /// Whether a version will do.
    #[must_use]
    pub fn admits(&self, version: &Version) -> bool {
        self.range.matches(version)
    }

    /// There is no such plugin.
    #[must_use]
    pub fn unknown_plugin<'n>(&self, known: impl Iterator<Item = &'n str>) -> Finding {
        let hint = match crate::spelling::nearest(self.plugin.as_str(), known) {
            Some(near) => format!("did you mean `{near}`? else install the plugin"),
            None => "correct its spelling, or install the plugin".to_owned(),
        };
        let message = format!("there is no plugin `{}`", self.plugin);
        self.finding(code::UNKNOWN_PLUGIN, Level::Error, message, hint)
    }

    /// A version was asked for that is outside of this range, and is what the run has.
    #[must_use]
    pub fn overruled(&self, version: &Version) -> Finding {
        let Self { plugin, range, .. } = self;
        self.finding(
            code::VERSION_OUT_OF_RANGE,
            Level::Warning,
            format!("the run was to have {plugin} {version}, which is not in {range}"),
            "ask for a version in the range, or change the range".to_owned(),
        )
    }

    fn finding(&self, code: FindingCode, level: Level, message: String, hint: String) -> Finding {
        Finding {
            code,
            level,
            path: self.path.clone(),
            message,
            hint,
            node: Some(self.node.clone()),
            place: self.place,
        }
    }
}

/// No version of a plugin is in all of its ranges: said where the first of them is. `None` when there is no range.
#[must_use]
pub fn no_version(ranges: &[&VersionRange], there: &[Version]) -> Option<Finding> {
    let first = ranges.first()?;
    let plugin = &first.plugin;
    let asked: BTreeSet<String> = ranges.iter().map(|range| range.range.to_string()).collect();
    let asked = listed(asked.iter(), " and in ");
    let known: BTreeSet<&Version> = there.iter().collect();
    let newest = listed(known.iter().rev(), ", ");
    let message = match known.len() {
        0 => format!("no version of {plugin} is in {asked}; there is none that may serve"),
        _ => format!("no version of {plugin} is in {asked}; there are {newest}"),
    };
    // The one that most of them would take; of several the one that is the least away from the others.
    let near = known.iter().max_by_key(|version| {
        let takes = ranges.iter().filter(|range| range.admits(version)).count();
        let away = ranges.iter().map(|range| distance(&range.range, version));
        (
            takes,
            std::cmp::Reverse(away.max().unwrap_or_default()),
            **version,
        )
    });
    let hint = match near {
        Some(near) => format!("the nearest is {near}: change the range, or install a version that fits"),
        None => "install a version that fits".to_owned(),
    };
    Some(first.finding(code::NO_MATCHING_VERSION, Level::Error, message, hint))
}

/// How far a version is from the numbers that a range names; zero for one that is in it.
fn distance(range: &VersionReq, version: &Version) -> (u64, u64, u64) {
    if range.matches(version) {
        return (0, 0, 0);
    }
    let from = range.comparators.iter().map(|named| {
        (
            named.major.abs_diff(version.major),
            named.minor.unwrap_or(version.minor).abs_diff(version.minor),
            named.patch.unwrap_or(version.patch).abs_diff(version.patch),
        )
    });
    from.min().unwrap_or_default()
}

fn listed<T: std::fmt::Display>(texts: impl ExactSizeIterator<Item = T>, between: &str) -> String {
    let more = texts.len().saturating_sub(MOST_NAMED);
    let shown: Vec<_> = texts.take(MOST_NAMED).map(|text| text.to_string()).collect();
    let mut list = shown.join(between);
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    list
}

/// What is wrong with a text that is meant to name a plugin and a range of its versions.
enum Bad {
    Name,
    Range,
}

/// A plugin and a range of its versions; `None` for a text that is meant to say something else.
fn split(text: &str) -> Option<Result<(PluginName, VersionReq), Bad>> {
    let (name, range) = text.split_once('@')?;
    let name = name.trim().parse::<PluginName>();
    let range = match range.len() <= LONGEST {
        true => range.trim().parse::<VersionReq>().ok(),
        false => None,
    };
    match (name, range) {
        (Ok(name), Some(range)) => Some(Ok((name, range))),
        (Ok(_), None) => Some(Err(Bad::Range)),
        (Err(_), Some(_)) => Some(Err(Bad::Name)),
        (Err(_), None) => None,
    }
}

fn written<'a>(node: &NodeDraft<'a>) -> Option<&'a str> {
    node.value.get("plugin")?.as_str()
}

/// Notes what is wrong with the field `plugin` of a node.
pub(crate) fn check<'a>(node: &NodeDraft<'a>, object: &Object<'a, '_>, notes: &mut Notes<'a>) {
    let text = written(node);
    // Some files have the executor id there.
    if text == Some(node.node_type) {
        return;
    }
    let bad = match text.and_then(split) {
        None => return object.unsupported(&["plugin"], notes),
        Some(Ok(_)) => return,
        Some(Err(bad)) => bad,
    };
    let (what, hint) = match bad {
        Bad::Name => ("names no plugin", "write `NAME@RANGE` with the name of a plugin"),
        Bad::Range => (
            "names no range of versions",
            "write a range such as `^1.2`, `~1.2.3`, `>=1.2, <2` or `=1.2.3`",
        ),
    };
    notes.error(
        code::INVALID_VERSION_RANGE,
        &object.place.field("plugin", node.value.get("plugin")),
        format_args!("`{}` {what}", Shown(text.unwrap_or_default())),
        hint,
    );
}

/// The plugin whose versions a node names, when it does.
pub(crate) fn plugin_of(node: &NodeDraft<'_>) -> Option<PluginName> {
    Some(split(written(node)?)?.ok()?.0)
}

/// Every range of a document, also of the documents within it, in the order of its text.
pub(crate) fn read(document: &Document) -> Vec<VersionRange> {
    let mut ranges = Vec::new();
    // Most documents have none, and are not walked through for that.
    if document.value().raw().contains(&b'@') {
        let notes = Notes::new(document.value());
        walk(&document.object(), 0, &notes, &mut ranges);
    }
    ranges
}

fn walk<'a>(object: &Object<'a, '_>, depth: usize, notes: &Notes<'a>, into: &mut Vec<VersionRange>) {
    let graph = Graph::read(object, &mut Notes::unheard());
    for index in 0..u32::try_from(graph.nodes.len()).unwrap_or(u32::MAX) {
        graph.at_node(object, index, |node, place| {
            into.extend(of_node(node, place, notes));
            let parameters = place.field("parameters", node.parameters);
            inner(node, &parameters, depth, |object| {
                walk(object, depth + 1, notes, into);
            });
        });
    }
}

fn of_node(node: &NodeDraft<'_>, place: &Place<'_>, notes: &Notes<'_>) -> Option<VersionRange> {
    let value: Option<ValueRef<'_>> = node.value.get("plugin");
    let (plugin, range) = split(written(node)?)?.ok()?;
    let place = place.field("plugin", value);
    Some(VersionRange {
        plugin,
        range,
        node: Shown(&node.id).to_string(),
        path: place.to_string(),
        place: notes.offset(&place),
    })
}
