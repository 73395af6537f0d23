//! Checks of the tree. Each is a function from the tree to findings; a finding says where, what, and what to do.

mod contract;
mod imports;
mod layout;
mod prose;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::tree::{self, Package, Source};

pub(crate) use contract::seal_abi;

/// What the checks look at.
struct Tree {
    root: PathBuf,
    sources: Vec<Source>,
    packages: Vec<Package>,
}

impl Tree {
    fn read() -> Result<Self> {
        let root = tree::root();
        let (sources, packages) = (tree::sources(&root)?, tree::packages(&root)?);
        Ok(Self {
            root,
            sources,
            packages,
        })
    }

    fn file(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }
}

/// Something that is not as it should be.
struct Finding {
    place: String,
    what: String,
    fatal: bool,
}

impl Finding {
    fn error(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            fatal: true,
        }
    }

    fn warning(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            fatal: false,
        }
    }
}

/// A check: its name, and what it does.
type Check = (&'static str, fn(&Tree) -> Vec<Finding>);

const CHECKS: &[Check] = &[
    ("imports follow the table", imports::follow_the_table),
    ("serving loads have one caller", imports::one_caller_loads),
    ("lints are the workspace's", layout::lints_are_shared),
    ("unsafe stays in its zones", layout::unsafe_stays_in_its_zones),
    ("files are short", layout::files_are_short),
    ("names say something", layout::names_say_something),
    ("the top level is as agreed", layout::top_level_is_as_agreed),
    ("scripts can be run", layout::scripts_can_be_run),
    ("error codes are documented", contract::codes_are_documented),
    (
        "the contract's document is up to date",
        contract::abi_document_is_sealed,
    ),
    ("the contract is as recorded", contract::contract_is_as_recorded),
    ("texts speak of the project", prose::texts_speak_of_the_project),
    ("links lead somewhere", prose::links_lead_somewhere),
];

pub(crate) fn tidy() -> Result<()> {
    let begin = Instant::now();
    let tree = Tree::read()?;
    let mut wrong = 0;
    for (name, check) in CHECKS {
        for finding in check(&tree) {
            let kind = if finding.fatal { "error" } else { "warning" };
            println!("{kind}: {}: {} [{name}]", finding.place, finding.what);
            wrong += usize::from(finding.fatal);
        }
    }
    if wrong > 0 {
        bail!("{wrong} finding(s)");
    }
    println!(
        "{} checks over {} files in {} ms",
        CHECKS.len(),
        tree.sources.len(),
        begin.elapsed().as_millis()
    );
    Ok(())
}
