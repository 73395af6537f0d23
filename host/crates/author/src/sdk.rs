//! Where the SDK lies.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::NewError;

const FOLDER: &str = "plugin-api";
const HEADER: &str = "include/patchbay.h";

/// A folder that was seen to hold the SDK.
#[derive(Clone, Debug)]
pub struct Sdk {
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

impl Sdk {
    /// The SDK at `named`, or the one found by walking up from each of `from`, in their order.
    ///
    /// # Errors
    /// When what is named is not the SDK, or none is found.
    pub fn find(named: Option<&Path>, from: &[PathBuf]) -> Result<Self, NewError> {
        if let Some(named) = named {
            return Self::at(named);
        }
        from.iter()
            .flat_map(|place| place.ancestors())
            .find_map(|folder| Self::at(&folder.join(FOLDER)).ok())
            .ok_or(NewError::NoSdk)
    }

    fn at(folder: &Path) -> Result<Self, NewError> {
        let not = |why| NewError::NotSdk {
            path: folder.to_owned(),
            why,
        };
        let text = std::fs::read_to_string(folder.join("Cargo.toml"));
        let text = text.map_err(|_| not("it has no Cargo.toml that can be read"))?;
        let manifest: Manifest =
            toml::from_str(&text).map_err(|_| not("its Cargo.toml describes no package"))?;
        if manifest.package.name != FOLDER {
            return Err(not("its package is not `plugin-api`"));
        }
        let folder = folder
            .canonicalize()
            .map_err(|_| not("its path cannot be resolved"))?;
        Ok(Self { folder })
    }

    /// The folder, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The C header.
    pub(crate) fn header(&self) -> Result<String, NewError> {
        std::fs::read_to_string(self.folder.join(HEADER)).map_err(|_| NewError::NotSdk {
            path: self.folder.clone(),
            why: "it has no include/patchbay.h",
        })
    }

    /// A file that the SDK's own workspace keeps beside it, such as its lock file.
    pub(crate) fn beside(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.parent()?.join(name)).ok()
    }
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Explain;

    use super::*;

    fn make(folder: &Path, name: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(
            folder.join("Cargo.toml"),
            format!("[package]\nname = \"{name}\"\n"),
        )
        .unwrap();
    }

    #[test]
    fn the_nearest_folder_above_wins_and_the_first_place_before_the_second() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (near, far) = (root.join("a/plugin-api"), root.join("plugin-api"));
        make(&near, "plugin-api");
        make(&far, "plugin-api");
        let found = |from: &[PathBuf]| Sdk::find(None, from).unwrap().folder;
        assert_eq!(found(&[root.join("a/b/c")]), near);
        assert_eq!(found(&[root.join("x/y"), root.join("a/b")]), far);
    }

    #[test]
    fn a_folder_of_that_name_with_another_package_is_passed_by() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        make(&root.join("a/plugin-api"), "something-else");
        make(&root.join("plugin-api"), "plugin-api");
        let found = Sdk::find(None, &[root.join("a")]).unwrap();
        assert_eq!(found.folder(), root.join("plugin-api"));
    }

    #[test]
    fn what_is_named_must_be_it() {
        let root = tempfile::tempdir().unwrap();
        make(&root.path().join("other"), "other");
        for folder in ["nowhere", "other"] {
            let error = Sdk::find(Some(&root.path().join(folder)), &[]).unwrap_err();
            assert_eq!(error.code().0, "PB-NEW-003", "{folder}");
        }
        assert_eq!(Sdk::find(None, &[]).unwrap_err().code().0, "PB-NEW-002");
    }
}
