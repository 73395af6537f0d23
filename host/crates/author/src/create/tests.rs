use std::os::unix::fs::PermissionsExt;

use patchbay_vocab::Explain;

use super::*;

struct Place {
    root: tempfile::TempDir,
    sdk: Sdk,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        // Every character that could end a text of TOML early, or mean something else in it.
        let sdk = root.path().join("it's a \"new\" \\n sdk");
        fs::create_dir_all(sdk.join("include")).unwrap();
        fs::write(sdk.join("Cargo.toml"), "[package]\nname = \"plugin-api\"\n").unwrap();
        fs::write(sdk.join("include/patchbay.h"), "/* the header */\n").unwrap();
        let sdk = Sdk::find(Some(&sdk), &[]).unwrap();
        Self { root, sdk }
    }

    fn create(&self, name: &str, folder: &Path, language: Language) -> Result<Created, NewError> {
        create(&NewProject {
            name: &name.parse().unwrap(),
            language,
            folder,
            sdk: &self.sdk,
        })
    }

    /// What is in the folder of the test beside the SDK.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path()).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| !name.contains("sdk")).collect()
    }
}

#[test]
fn a_project_is_complete_and_holds_no_placeholder() {
    let place = Place::new();
    for language in [Language::Rust, Language::C] {
        let folder = place.root.path().join(format!("{language:?}"));
        let created = place.create("my-plugin", &folder, language).unwrap();
        assert!(created.files.len() >= 4, "{created:?}");
        for file in &created.files {
            let text = fs::read_to_string(created.folder.join(file)).unwrap();
            assert!(
                !text.contains("{{") || file.ends_with(".rs") && !text.contains("{{name"),
                "{file}"
            );
        }
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_ne!(mode & 0o050, 0, "{language:?}: others of the group may read it");
    }
}

#[test]
fn the_path_of_the_sdk_survives_the_manifest_whatever_is_in_it() {
    let place = Place::new();
    let folder = place.root.path().join("p");
    place.create("p", &folder, Language::Rust).unwrap();
    let manifest: toml::Table =
        toml::from_str(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
    let path = manifest["dependencies"]["plugin-api"]["path"].as_str();
    assert_eq!(path, place.sdk.folder().to_str());
}

#[test]
fn names_that_no_crate_can_have_are_refused_in_rust_and_fine_in_c() {
    let place = Place::new();
    for name in ["fn", "self", "core", "test", "plugin-api", "plugin_api"] {
        let folder = place.root.path().join(name);
        let error = place.create(name, &folder, Language::Rust).unwrap_err();
        assert_eq!(error.code().0, "PB-NEW-001", "{name}");
    }
    assert!(place.left().is_empty(), "{:?}", place.left());
    let folder = place.root.path().join("core");
    place.create("core", &folder, Language::C).unwrap();
}

#[test]
fn what_is_there_already_is_not_touched() {
    let place = Place::new();
    let full = place.root.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.txt"), "years of work").unwrap();
    let file = place.root.path().join("file");
    fs::write(&file, "a file").unwrap();
    let link = place.root.path().join("link");
    std::os::unix::fs::symlink(&full, &link).unwrap();
    for folder in [&full, &file, &link] {
        let error = place.create("a", folder, Language::Rust).unwrap_err();
        assert_eq!(error.code().0, "PB-NEW-004", "{}", folder.display());
    }
    assert_eq!(
        fs::read_to_string(full.join("thesis.txt")).unwrap(),
        "years of work"
    );
    assert_eq!(place.left().len(), 3, "{:?}", place.left());
    let empty = place.root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    place.create("a", &empty, Language::Rust).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_nothing_is_left() {
    let place = Place::new();
    let missing = place.root.path().join("no/such");
    let error = place.create("a", &missing, Language::Rust).unwrap_err();
    assert_eq!(error.code().0, "PB-NEW-005");
    // Nobody, whatever their rights, makes a folder there.
    let error = place
        .create("a", Path::new("/proc/a"), Language::Rust)
        .unwrap_err();
    assert_eq!(error.code().0, "PB-NEW-006");
    assert!(place.left().is_empty(), "{:?}", place.left());
}

#[test]
fn a_name_that_just_fits_the_note_makes_a_project_and_one_letter_more_is_no_name() {
    let place = Place::new();
    let name = "a".repeat(63);
    for language in [Language::Rust, Language::C] {
        let folder = place.root.path().join(format!("{language:?}"));
        place.create(&name, &folder, language).unwrap();
    }
    let error = "a".repeat(64).parse::<patchbay_vocab::PluginName>().unwrap_err();
    assert!(error.to_string().contains("1 to 63"), "{error}");
}
