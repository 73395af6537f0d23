use std::sync::mpsc;

use patchbay_vocab::Explain;

use super::*;

fn project(command: &str, artifact: &str) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[build]\ncommand = [\"sh\", \"-c\", '{command}']\nartifact = \"{artifact}\"\n");
    std::fs::write(folder.path().join("patchbay-dev.toml"), text).unwrap();
    let project = Project::open(folder.path()).unwrap();
    (folder, project)
}

fn run(project: &Project) -> Result<Built, DevError> {
    let (send, receive) = mpsc::channel();
    let build = Build::start(project, Diagnostics::Kept, move |said| send.send(said).unwrap())?;
    build.finish(receive.recv().unwrap())
}

#[test]
fn a_command_gives_the_file_that_it_was_to_write() {
    let (_folder, project) = project("echo x > out/a.so", "out/a.so");
    let Built::Linked { artifact, .. } = run(&project).unwrap() else {
        panic!("it failed");
    };
    assert_eq!(artifact, project.folder().join("out/a.so"));
}

#[test]
fn a_command_that_fails_is_quoted_and_one_that_writes_nothing_is_an_error() {
    let (_folder, failing) = project("echo on stdout; echo on stderr >&2; exit 3", "a.so");
    let Built::Failed { diagnostics, .. } = run(&failing).unwrap() else {
        panic!("it went well");
    };
    assert_eq!(diagnostics, "on stdout\non stderr\n");
    let (_folder, idle) = project("true", "a.so");
    let error = run(&idle).unwrap_err();
    assert_eq!(error.code().0, "PB-DEV-005");
    assert!(error.to_string().contains("a.so"), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[build]\ncommand = [\"no-such-compiler\"]\nartifact = \"a.so\"\n";
    std::fs::write(folder.path().join("patchbay-dev.toml"), text).unwrap();
    let error = run(&Project::open(folder.path()).unwrap()).unwrap_err();
    assert_eq!(error.code().0, "PB-DEV-004");
    assert!(error.to_string().contains("no-such-compiler"), "{error}");
}

#[test]
fn a_flood_of_diagnostics_is_cut_and_holds_up_nobody() {
    let (_folder, project) = project("yes error | head -c 2000000; exit 1", "a.so");
    let Built::Failed { diagnostics, .. } = run(&project).unwrap() else {
        panic!("it went well");
    };
    assert!(diagnostics.ends_with("\n... and more\n"));
    assert!(diagnostics.len() < 300_000, "{}", diagnostics.len());
}

#[test]
fn a_build_that_is_dropped_has_ended_with_all_that_it_started() {
    // The grandchild holds the pipe open: it ends only when the whole group is killed.
    let (_folder, project) = project("sleep 1000 & sleep 1000", "a.so");
    let (send, receive) = mpsc::channel();
    let build = Build::start(&project, Diagnostics::Kept, move |said| send.send(said).unwrap()).unwrap();
    drop(build);
    receive.recv().unwrap();
}

#[test]
fn only_the_shared_library_of_the_own_package_is_taken_from_the_messages() {
    let line = |manifest: &str, kind: &str, file: &str| {
        serde_json::json!({
            "reason": "compiler-artifact", "manifest_path": manifest, "target": {"kind": [kind]},
            "filenames": [file, format!("{file}.rmeta")], "fresh": true,
        })
        .to_string()
    };
    let words = [
        line("/other/Cargo.toml", "cdylib", "/t/libother.so"),
        line("/own/Cargo.toml", "custom-build", "/t/build-script"),
        "a build script's own words".into(),
        "{\"reason\": 1}".into(),
        line("/own/Cargo.toml", "cdylib", "/t/libown.so"),
        "{\"reason\":\"build-finished\",\"success\":true}".into(),
    ]
    .join("\n");
    let found = libraries(words.as_bytes(), Path::new("/own/Cargo.toml"));
    assert_eq!(found, [PathBuf::from("/t/libown.so")]);
}
