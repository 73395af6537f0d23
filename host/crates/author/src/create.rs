//! Making a project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use patchbay_vocab::PluginName;

use crate::{NewError, Sdk};

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust, over the SDK.
    Rust,
    /// C, over the header of the contract.
    C,
}

/// What is to be made.
#[derive(Clone, Debug)]
pub struct NewProject<'a> {
    /// The plugin's name.
    pub name: &'a PluginName,
    /// What it is written in.
    pub language: Language,
    /// The folder to make.
    pub folder: &'a Path,
    /// Where the SDK lies.
    pub sdk: &'a Sdk,
}

/// A project that is there, complete.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// Its files, relative to the folder, in alphabetical order.
    pub files: Vec<String>,
}

/// Makes a project: all of it, or nothing.
///
/// # Errors
/// When the name will not do for a crate, the folder is taken, or it cannot be written.
pub fn create(project: &NewProject<'_>) -> Result<Created, NewError> {
    let NewProject { folder, .. } = *project;
    let files = match project.language {
        Language::Rust => rust(project)?,
        Language::C => c(project)?,
    };
    let occupied = || NewError::Occupied {
        path: folder.to_owned(),
    };
    let write = |cause| NewError::Write {
        path: folder.to_owned(),
        cause,
    };
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(write(cause)),
        Ok(found) if !found.is_dir() => return Err(occupied()),
        Ok(_) if fs::read_dir(folder).map_err(write)?.next().is_some() => return Err(occupied()),
        Ok(_) => {}
    }
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(occupied()),
    };
    if !parent.is_dir() {
        return Err(NewError::NoParent {
            path: parent.to_owned(),
        });
    }
    // Written beside its place and renamed into it: what ends this halfway leaves no half project. The folder that is
    // renamed is one inside the temporary folder, which nobody else may enter; the project has the usual rights.
    let workshop = tempfile::Builder::new()
        .prefix(".patchbay-new-")
        .tempdir_in(parent)
        .map_err(write)?;
    let built = workshop.path().join("project");
    for (name, text) in &files {
        let path = built.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&built)).map_err(write)?;
        fs::write(path, text).map_err(write)?;
    }
    fs::rename(&built, folder).map_err(|cause| match cause.kind() {
        // Somebody put something there meanwhile.
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => occupied(),
        _ => write(cause),
    })?;
    let mut names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
    names.sort();
    Ok(Created {
        folder: folder.canonicalize().map_err(write)?,
        files: names,
    })
}

type Files = Vec<(String, String)>;

fn rust(project: &NewProject<'_>) -> Result<Files, NewError> {
    check_crate_name(project.name)?;
    let sdk = project.sdk.folder();
    let sdk = sdk
        .to_str()
        .ok_or_else(|| NewError::Unspeakable { path: sdk.to_owned() })?;
    // As TOML spells a text, whatever is in the path.
    let sdk = toml::Value::from(sdk).to_string();
    let name = project.name.as_str();
    let krate = name.replace('-', "_");
    let fill = |template: &str| {
        template
            .replace("{{name}}", name)
            .replace("{{crate}}", &krate)
            .replace("{{sdk}}", &sdk)
    };
    let mut files: Files = vec![
        (
            "Cargo.toml".into(),
            fill(include_str!("../templates/rust/Cargo.toml.in")),
        ),
        (
            "src/lib.rs".into(),
            fill(include_str!("../templates/rust/lib.rs.in")),
        ),
        (
            "README.md".into(),
            fill(include_str!("../templates/rust/README.md.in")),
        ),
        (
            ".gitignore".into(),
            include_str!("../templates/gitignore.in").into(),
        ),
    ];
    // What the SDK is built and tested with: the same compiler, the same versions of what it depends on.
    for name in ["rust-toolchain.toml", "Cargo.lock"] {
        files.extend(project.sdk.beside(name).map(|text| (name.into(), text)));
    }
    Ok(files)
}

fn c(project: &NewProject<'_>) -> Result<Files, NewError> {
    let name = project.name.as_str();
    let file = name.replace('-', "_");
    let fill = |template: &str| template.replace("{{name}}", name).replace("{{crate}}", &file);
    Ok(vec![
        (
            format!("{file}.c"),
            fill(include_str!("../templates/c/plugin.c.in")),
        ),
        // A copy: what is built is what was tried, whatever becomes of the SDK's folder.
        ("patchbay.h".into(), project.sdk.header()?),
        (
            "patchbay-dev.toml".into(),
            fill(include_str!("../templates/c/patchbay-dev.toml.in")),
        ),
        (
            "README.md".into(),
            fill(include_str!("../templates/c/README.md.in")),
        ),
        (
            ".gitignore".into(),
            include_str!("../templates/gitignore.in").into(),
        ),
    ])
}

/// Words that rustc or cargo do not take as the name of a library; the contract's own crates would be found twice.
const RESERVED: [(&str, &[&str]); 3] = [
    (
        "it is a word of the language",
        &[
            "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
            "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
            "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
            "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe",
            "unsized", "use", "virtual", "where", "while", "yield",
        ],
    ),
    (
        "it is a library of the language",
        &["alloc", "core", "proc_macro", "std", "test"],
    ),
    ("it is a part of the SDK", &["plugin_api", "plugin_api_macros"]),
];

fn check_crate_name(name: &PluginName) -> Result<(), NewError> {
    let krate = name.as_str().replace('-', "_");
    for (why, words) in RESERVED {
        if words.contains(&krate.as_str()) {
            return Err(NewError::ReservedName {
                name: name.clone(),
                why,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
