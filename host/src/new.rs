//! `new`: a plugin project.

use std::path::PathBuf;

use patchbay_author::{Language, NewError, NewProject, Sdk, create};
use patchbay_cli::{Exit, Format, NewArgs, render_new, with_process_streams};
use patchbay_wire::NewView;

pub(crate) fn new(arguments: &NewArgs) -> Exit {
    let made = make(arguments);
    with_process_streams(|streams| match (made, Format::of_flag(arguments.json)) {
        (Ok(view), Format::Json) => streams.json(&view),
        (Ok(view), Format::Human) => streams.answer(&render_new(&view)),
        (Err(error), format) => {
            let exit = match error {
                NewError::Write { .. } => Exit::Internal,
                _ => Exit::Usage,
            };
            streams.error(&error, format, exit)
        }
    })
}

fn make(arguments: &NewArgs) -> Result<NewView, NewError> {
    // Nothing that cannot be found is searched: a program or a folder that is gone has no parents.
    let places: Vec<PathBuf> = [std::env::current_exe(), std::env::current_dir()]
        .into_iter()
        .flatten()
        .collect();
    let sdk = Sdk::find(arguments.sdk.as_deref(), &places)?;
    let own = PathBuf::from(arguments.name.as_str());
    let folder = arguments.path.as_ref().unwrap_or(&own);
    let language = match arguments.lang {
        patchbay_cli::Language::Rust => Language::Rust,
        patchbay_cli::Language::C => Language::C,
    };
    let created = create(&NewProject {
        name: &arguments.name,
        language,
        folder,
        sdk: &sdk,
    })?;
    Ok(NewView {
        plugin: arguments.name.clone(),
        language: match language {
            Language::Rust => "rust".to_owned(),
            Language::C => "c".to_owned(),
        },
        path: created.folder.display().to_string(),
        sdk: sdk.folder().display().to_string(),
        files: created.files,
        next: next(&arguments.name, folder, language),
    })
}

/// Commands to go on with, as a shell takes them.
fn next(name: &patchbay::PluginName, folder: &std::path::Path, language: Language) -> Vec<String> {
    let mut commands = vec![format!("cd {}", quoted(&folder.display().to_string()))];
    if language == Language::Rust {
        commands.push("cargo test".to_owned());
    }
    commands.push("patchbay dev".to_owned());
    commands.push(format!(
        "patchbay call {name}.greet '{{\"name\": \"Ada\"}}'     # in another terminal"
    ));
    commands
}

fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_quoted_for_a_shell_when_it_has_to_be() {
        assert_eq!(quoted("plugins/greet-2"), "plugins/greet-2");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
    }
}
