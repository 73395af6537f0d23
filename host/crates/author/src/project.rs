//! What is in a folder, and how it is built.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::DevError;

const SETTINGS: &str = "patchbay-dev.toml";
const MANIFEST: &str = "Cargo.toml";

/// A project that can be built.
#[derive(Clone, Debug)]
pub struct Project {
    folder: PathBuf,
    pub(crate) recipe: Recipe,
}

/// How it is built.
#[derive(Clone, Debug)]
pub(crate) enum Recipe {
    /// By cargo, which says where it put the library.
    Cargo {
        /// The manifest, absolute and without links, as cargo names it.
        manifest: PathBuf,
    },
    /// By a command of the project's own, which writes the file that is named beside it.
    Command { command: Vec<String>, artifact: PathBuf },
}

/// `patchbay-dev.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    build: BuildTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildTable {
    command: Vec<String>,
    artifact: PathBuf,
}

impl Project {
    /// Looks at a folder. A `patchbay-dev.toml` goes before a `Cargo.toml`.
    ///
    /// # Errors
    /// When there is nothing to build, or its description is wrong.
    pub fn open(folder: &Path) -> Result<Self, DevError> {
        let folder = folder.canonicalize().map_err(|cause| DevError::Folder {
            path: folder.to_owned(),
            cause,
        })?;
        let settings = folder.join(SETTINGS);
        let manifest = folder.join(MANIFEST);
        let recipe = if settings.exists() {
            read(&settings, &folder)?
        } else if manifest.exists() {
            let manifest = manifest.canonicalize().map_err(|cause| DevError::Folder {
                path: manifest,
                cause,
            })?;
            Recipe::Cargo { manifest }
        } else {
            return Err(DevError::NoProject { path: folder });
        };
        Ok(Self { folder, recipe })
    }

    /// Its folder, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it writes beside the sources, if that is known beforehand: no source of it.
    pub(crate) fn product(&self) -> Option<&Path> {
        match &self.recipe {
            Recipe::Cargo { .. } => None,
            Recipe::Command { artifact, .. } => Some(artifact),
        }
    }
}

fn read(path: &Path, folder: &Path) -> Result<Recipe, DevError> {
    let wrong = |reason: String| DevError::Settings {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|cause| DevError::Folder {
        path: path.to_owned(),
        cause,
    })?;
    let Settings { build } = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if build.command.first().is_none_or(String::is_empty) {
        return Err(wrong("`command` names no program".into()));
    }
    Ok(Recipe::Command {
        command: build.command,
        artifact: folder.join(build.artifact),
    })
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Explain;

    use super::*;

    #[test]
    fn a_folder_is_a_project_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Project::open(folder.path());
        assert_eq!(open().unwrap_err().code().0, "PB-DEV-001");
        std::fs::write(folder.path().join(MANIFEST), "").unwrap();
        assert!(matches!(open().unwrap().recipe, Recipe::Cargo { .. }));
        let good = "[build]\ncommand = [\"cc\", \"a.c\"]\nartifact = \"target/a.so\"\n";
        std::fs::write(folder.path().join(SETTINGS), good).unwrap();
        let project = open().unwrap();
        assert_eq!(
            project.product(),
            Some(project.folder().join("target/a.so").as_path())
        );
        let nowhere = Project::open(&folder.path().join("nowhere")).unwrap_err();
        assert_eq!(nowhere.code().0, "PB-DEV-002");
    }

    #[test]
    fn settings_that_are_wrong_are_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        for (text, word) in [
            ("", "build"),
            ("[build]\ncommand = [\"cc\"]\n", "artifact"),
            ("[build]\ncommand = []\nartifact = \"a.so\"\n", "no program"),
            ("[build]\ncommand = \"cc\"\nartifact = \"a.so\"\n", "command"),
            (
                "[build]\ncommand = [\"cc\"]\nartifact = \"a.so\"\nwatch = 1\n",
                "watch",
            ),
        ] {
            std::fs::write(folder.path().join(SETTINGS), text).unwrap();
            let error = Project::open(folder.path()).unwrap_err();
            assert_eq!(error.code().0, "PB-DEV-003", "{text}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
