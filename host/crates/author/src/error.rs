//! Why a project cannot be made, or its loop not run.

use std::path::PathBuf;

use patchbay_vocab::{Code, Explain, PluginName};

/// Why a project was not made; nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name is fine for a plugin, and not for a crate.
    #[error("`{name}` cannot be the name of a crate: {why}")]
    ReservedName {
        /// The name.
        name: PluginName,
        /// What it means already.
        why: &'static str,
    },
    /// No SDK was found.
    #[error("the SDK, a folder `plugin-api`, was not found above this program or the current folder")]
    NoSdk,
    /// What was named is not the SDK.
    #[error("`{}` is not the SDK: {why}", path.display())]
    NotSdk {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        why: &'static str,
    },
    /// Something is there already.
    #[error("`{}` is there already and is not an empty folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The folder to make it in is not there.
    #[error("the folder `{}`, in which the project would lie, does not exist", path.display())]
    NoParent {
        /// The folder.
        path: PathBuf,
    },
    /// The project cannot be written.
    #[error("the project cannot be written to `{}`", path.display())]
    Write {
        /// The project's folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A path that no manifest can hold.
    #[error("the path `{}` is not valid UTF-8, so a manifest cannot name it", path.display())]
    Unspeakable {
        /// The path.
        path: PathBuf,
    },
}

impl Explain for NewError {
    fn code(&self) -> Code {
        Code(match self {
            Self::ReservedName { .. } => "PB-NEW-001",
            Self::NoSdk => "PB-NEW-002",
            Self::NotSdk { .. } => "PB-NEW-003",
            Self::Occupied { .. } => "PB-NEW-004",
            Self::NoParent { .. } => "PB-NEW-005",
            Self::Write { .. } => "PB-NEW-006",
            Self::Unspeakable { .. } => "PB-NEW-007",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::ReservedName { name, .. } => format!("take another name, such as `my-{name}`"),
            Self::NoSdk => "name the `plugin-api` folder of a Patchbay checkout with --sdk".into(),
            Self::NotSdk { .. } => "name the `plugin-api` folder of a Patchbay checkout".into(),
            Self::Occupied { .. } => "name another folder with --path, or empty that one".into(),
            Self::NoParent { .. } => "make it first, or name another folder with --path".into(),
            Self::Write { .. } => "check the rights and the space of the folder that it lies in".into(),
            Self::Unspeakable { .. } => "move the SDK to a path of plain characters".into(),
        }
    }
}

/// Why a project's loop cannot be run, or one of its rounds gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// There is nothing to build.
    #[error("`{}` has neither a Cargo.toml nor a patchbay-dev.toml", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be read.
    #[error("the folder `{}` cannot be read", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The project's description is wrong.
    #[error("`{}` is wrong: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// The build cannot be started.
    #[error("the build command `{program}` cannot be started")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The build went well and gave no plugin.
    #[error("the build went well, but gave no plugin: {why}")]
    NoArtifact {
        /// What is missing.
        why: String,
    },
    /// The sources cannot be watched.
    #[error("the sources in `{}` cannot be watched: {reason}", path.display())]
    Watch {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The linked file cannot be handed over.
    #[error("`{}` cannot be handed to the host", path.display())]
    HandOver {
        /// The linked file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl Explain for DevError {
    fn code(&self) -> Code {
        Code(match self {
            Self::NoProject { .. } => "PB-DEV-001",
            Self::Folder { .. } => "PB-DEV-002",
            Self::Settings { .. } => "PB-DEV-003",
            Self::Start { .. } => "PB-DEV-004",
            Self::NoArtifact { .. } => "PB-DEV-005",
            Self::Watch { .. } => "PB-DEV-006",
            Self::HandOver { .. } => "PB-DEV-007",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::NoProject { .. } => "name a plugin's folder, or make one with `patchbay new NAME`".into(),
            Self::Folder { .. } => "check the path and its rights".into(),
            Self::Settings { .. } => {
                "it needs a table [build] with `command`, a list of words, and `artifact`, a path".into()
            }
            Self::Start { .. } => "install the program, or correct the command in patchbay-dev.toml".into(),
            Self::NoArtifact { .. } => {
                "a Rust plugin says `crate-type = [\"cdylib\"]` under [lib] in its own Cargo.toml; a \
                 patchbay-dev.toml names the file that its command writes"
                    .into()
            }
            Self::Watch { .. } => {
                "raise `fs.inotify.max_user_watches`, or use --once after each change".into()
            }
            Self::HandOver { .. } => "check the space and rights of the temporary folder".into(),
        }
    }
}
