use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn ledger_plugin() -> PluginName {
    "ledger".parse().unwrap()
}

fn strict() -> TrustPolicy {
    TrustPolicy {
        signatures: Signatures::Required,
        revoked: BTreeSet::from(["E7620F1842B4E81F".parse().unwrap()]),
        minimum_versions: BTreeMap::from([(ledger_plugin(), version("1.4.0"))]),
        ..TrustPolicy::default()
    }
}

#[track_caller]
fn refused(data: &Path, policy: &TrustPolicy, code: &str) -> LedgerError {
    let error = Ledger::open(data, policy).unwrap_err();
    assert_eq!(error.code().0, code, "{error}");
    error
}

#[test]
fn a_policy_that_is_looser_in_anything_is_refused_and_one_that_is_stricter_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    Ledger::open(dir.path(), &TrustPolicy::default()).unwrap();
    Ledger::open(dir.path(), &strict()).unwrap();
    Ledger::open(dir.path(), &strict()).unwrap();
    type Change = (fn(&mut TrustPolicy), &'static str);
    let changes: [Change; 4] = [
        (
            |policy| policy.signatures = Signatures::Optional,
            "signatures were required",
        ),
        (
            |policy| policy.revoked.clear(),
            "key E7620F1842B4E81F was revoked",
        ),
        (
            |policy| policy.minimum_versions.clear(),
            "minimum version of `ledger` was 1.4.0",
        ),
        (
            |policy| {
                policy.minimum_versions.insert(ledger_plugin(), version("1.3.9"));
            },
            "minimum version of `ledger` was 1.4.0",
        ),
    ];
    for (change, what) in changes {
        let mut looser = strict();
        change(&mut looser);
        let error = refused(dir.path(), &looser, "PB-SIGN-020");
        assert!(error.to_string().contains(what), "{error}");
        assert!(
            error.help().contains("patchbay trust relax --data"),
            "{}",
            error.help()
        );
    }
    let mut stricter = strict();
    stricter
        .minimum_versions
        .insert(ledger_plugin(), version("2.0.0"));
    Ledger::open(dir.path(), &stricter).unwrap();
    refused(dir.path(), &strict(), "PB-SIGN-020");
}

#[test]
fn an_ordered_relaxation_lets_a_looser_policy_in_and_keeps_the_versions_and_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), &strict()).unwrap();
    ledger.raise(&ledger_plugin(), &version("2.0.0")).unwrap();
    let relaxed = Ledger::relax(dir.path(), "ada", "moving house", UnixMillis(5)).unwrap();
    assert_eq!((relaxed.what.len(), relaxed.by.as_str()), (3, "ada"));
    Ledger::open(dir.path(), &TrustPolicy::default()).unwrap();
    let ledger = Ledger::open(dir.path(), &strict()).unwrap();
    let digest = Digest::of(b"1.9.0");
    assert!(
        ledger
            .held_back(&ledger_plugin(), &version("1.9.0"), digest)
            .is_some()
    );
    assert_eq!(read(&dir.path().join(NAME)).unwrap().relaxed, [relaxed]);
}

#[test]
fn a_file_that_is_damaged_anywhere_is_refused_and_never_taken_for_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let ledger = Ledger::open(dir.path(), &strict()).unwrap();
    ledger.raise(&ledger_plugin(), &version("2.0.0")).unwrap();
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        refused(dir.path(), &strict(), "PB-SIGN-022");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, bad).unwrap();
        refused(dir.path(), &strict(), "PB-SIGN-022");
    }
    fs::write(&path, [0xff; 10]).unwrap();
    refused(dir.path(), &strict(), "PB-SIGN-022");
    let error = Ledger::relax(dir.path(), "ada", "", UnixMillis(0)).unwrap_err();
    assert_eq!(error.code().0, "PB-SIGN-022");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(dir.path(), &strict(), "PB-SIGN-021");
}

#[test]
fn an_older_version_is_held_back_across_restarts_unless_an_admin_chose_that_very_content() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = ledger_plugin();
    let (old, older) = (Digest::of(b"old"), Digest::of(b"older"));
    let open = || Ledger::open(dir.path(), &strict()).unwrap();
    let ledger = open();
    assert!(ledger.held_back(&plugin, &version("1.0.0"), older).is_none());
    for live in ["1.5.0", "2.0.0", "1.6.0"] {
        ledger.raise(&plugin, &version(live)).unwrap();
    }
    let held = |ledger: &Ledger, text: &str, digest| ledger.held_back(&plugin, &version(text), digest);
    let error = held(&open(), "1.9.9", old).unwrap();
    assert_eq!(error.code().0, "PB-SIGN-023");
    assert!(error.help().contains("patchbay promote ledger 1.9.9"));
    assert!(held(&open(), "2.0.0-rc.1", old).is_some());
    assert!(held(&open(), "2.0.0", old).is_none() && held(&open(), "2.0.1", old).is_none());

    open().choose(&plugin, &version("1.5.0"), old).unwrap();
    assert!(held(&open(), "1.5.0", old).is_none());
    assert!(held(&open(), "1.5.0", older).is_some() && held(&open(), "1.9.9", older).is_some());

    open()
        .choose(&plugin, &version("2.0.0"), Digest::of(b"new"))
        .unwrap();
    assert!(held(&open(), "1.5.0", old).is_some());
}

#[test]
fn without_required_signatures_nothing_is_remembered_of_versions_and_nothing_held_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), &TrustPolicy::default()).unwrap();
    ledger.raise(&ledger_plugin(), &version("2.0.0")).unwrap();
    assert!(
        ledger
            .held_back(&ledger_plugin(), &version("1.0.0"), Digest::of(b""))
            .is_none()
    );
    assert!(!dir.path().join(NAME).exists());
}

#[test]
fn a_file_of_a_newer_host_is_no_damage_and_the_advice_is_not_to_remove_it() {
    let dir = tempfile::tempdir().unwrap();
    let body = r#"{"form": 2, "somethingNew": true}"#;
    let text = format!("{body}\n{}\n", Digest::of(body.as_bytes()));
    fs::write(dir.path().join(NAME), text).unwrap();
    let error = refused(dir.path(), &TrustPolicy::default(), "PB-SIGN-024");
    assert!(!error.help().contains("remove"), "{}", error.help());
}
