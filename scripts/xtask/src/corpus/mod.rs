//! `corpus`: what becomes of a directory of workflow documents, on a host with every sample plugin.
//!
//! Each document is validated and, where it can be, run, for a tenant of its own, with inputs, rows, files and servers
//! that are made up from what the document reads. `DIR/inputs/NAME.json` is its input instead, where that is there.

mod database;
mod document;
mod input;
mod path;
mod report;
mod servers;
mod value;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;

use self::report::{Row, Summary};
use self::world::{Case, World};

/// How the rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    Json,
}

/// Runs every document of a directory.
pub(crate) fn corpus(folder: &Path, built: Option<&Path>, form: Form) -> Result<()> {
    let mut cases = cases(folder)?;
    ensure!(
        !cases.is_empty(),
        "{} has no workflow documents",
        folder.display()
    );
    let own = std::env::current_exe()?;
    let built = built.or(own.parent()).context("the folder of this program")?;
    let mut world = World::open(built, &mut cases)?;
    let mut rows = Vec::new();
    for case in &cases {
        rows.push(one(&mut world, case)?);
        if form == Form::Table {
            print!("{}", rows[rows.len() - 1].text());
        }
    }
    let summary = Summary::of(&rows);
    match form {
        Form::Json => println!(
            "{}",
            serde_json::to_string_pretty(&report::json(&rows, &summary))?
        ),
        Form::Table => {
            println!("\n{}", summary.causes());
            if !world.unbuilt.is_empty() {
                println!("not built, and so not there: {}", world.unbuilt.join(", "));
            }
            println!("{}", world.traffic());
            println!("{}", summary.line());
        }
    }
    Ok(())
}

/// The documents of a directory, by name. A file that is JSON without nodes is none; one that is no JSON is one that
/// cannot be read, which is for the host to say.
fn cases(folder: &Path) -> Result<Vec<Case>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let document: Json = serde_json::from_str(&text).unwrap_or_default();
        if !document.is_null() && document.get("nodes").is_none() {
            continue;
        }
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let needs = document::needs(&document);
        let given = folder.join("inputs").join(format!("{name}.json"));
        let input = match fs::read_to_string(&given) {
            Ok(text) => serde_json::from_str(&text).with_context(|| given.display().to_string())?,
            Err(_) => needs.input.clone(),
        };
        cases.push(Case {
            tenant: needs
                .tenant
                .clone()
                .unwrap_or_else(|| format!("tenant-{:03}", cases.len() + 1)),
            path,
            name,
            needs,
            input,
        });
    }
    Ok(cases)
}

fn one(world: &mut World, case: &Case) -> Result<Row> {
    let mut row = Row::of(case);
    let validated = world.validate(case)?;
    row.judge(&validated);
    if row.crash.is_none() && row.valid {
        let ran = world.run(case)?;
        row.ran(case, &ran);
    }
    if row.unreached {
        row.crash = world.crashed()?;
        ensure!(row.crash.is_some(), "the host does not answer: {}", row.said);
    }
    Ok(row)
}
