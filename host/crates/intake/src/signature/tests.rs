use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use minisign::KeyPair;
use patchbay_vocab::Explain;
use proptest::prelude::*;

use super::*;
use crate::{Settled, StageConfig, Store, stage};

/// Made with the `minisign` tool, as its documentation shows: the file holds `test`.
const TOOL_KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const TOOL_PREHASHED: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
";
const TOOL_LEGACY: &str = "untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
";

const CONTENT: &[u8] = b"the bytes of a plugin";

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StageConfig {
            dir: dir.path().join("store"),
            max_bytes: 1 << 20,
            free_bytes_min: 0,
        };
        Self {
            store: Store::open(config).unwrap(),
            dir,
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("libledger.so")
    }

    fn verify(
        &self,
        content: &[u8],
        signature: &[u8],
        policy: &TrustPolicy,
    ) -> Result<Vouched, SignatureError> {
        fs::write(self.file(), content).unwrap();
        fs::write(signature_path(&self.file()), signature).unwrap();
        self.verify_as_it_is(policy)
    }

    fn verify_as_it_is(&self, policy: &TrustPolicy) -> Result<Vouched, SignatureError> {
        verify(stage(Settled::vouched(self.file()), &self.store).unwrap(), policy)
    }
}

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn key_of(pair: &KeyPair) -> TrustedKey {
    pair.pk.to_base64().parse().unwrap()
}

fn sign(pair: &KeyPair, content: &[u8], comment: &str) -> String {
    minisign::sign(None, &pair.sk, content, Some(comment), None)
        .unwrap()
        .into_string()
}

fn claims(content: &[u8]) -> Claims {
    Claims {
        signed_at: 7,
        digest: Digest::of(content),
        plugin: "ledger".parse().unwrap(),
        version: "1.4.0".parse().unwrap(),
        contract: "1.0".into(),
        target: "x86_64-unknown-linux-gnu".into(),
    }
}

fn signed(pair: &KeyPair, content: &[u8]) -> String {
    sign(pair, content, &claims(content).comment("libledger.so"))
}

fn team(name: &str, keys: &[&TrustedKey], plugins: Option<&[&str]>) -> Team {
    Team {
        name: name.parse().unwrap(),
        keys: keys.iter().map(|key| (*key).clone()).collect(),
        plugins: plugins.map(|all| all.iter().map(|text| text.parse().unwrap()).collect()),
    }
}

fn trusting(pair: &KeyPair) -> TrustPolicy {
    TrustPolicy {
        signatures: Signatures::Required,
        teams: vec![team("payments", &[&key_of(pair)], None)],
        ..TrustPolicy::default()
    }
}

#[track_caller]
fn refused(verified: Result<Vouched, SignatureError>, code: &str) {
    let error = verified.map(|vouched| vouched.provenance).unwrap_err();
    assert_eq!(error.code().0, code, "{error}");
    assert!(!error.help().is_empty() && !error.to_string().ends_with('.'));
}

#[test]
fn a_file_signed_by_a_teams_key_names_the_team_the_key_and_the_time() {
    let (bench, pair) = (Bench::new(), pair());
    let vouched = bench
        .verify(CONTENT, signed(&pair, CONTENT).as_bytes(), &trusting(&pair))
        .unwrap();
    let expected = Provenance::Signed {
        team: "payments".parse().unwrap(),
        key: key_of(&pair).id(),
        at: Some(7),
    };
    assert_eq!(vouched.provenance(), &expected);
    vouched.hold(&claims(CONTENT)).unwrap();
}

#[test]
fn a_signature_of_the_minisign_tool_is_verified_and_makes_no_claims() {
    let bench = Bench::new();
    let mut policy = TrustPolicy {
        teams: vec![team("tool", &[&TOOL_KEY.parse().unwrap()], None)],
        ..TrustPolicy::default()
    };
    let vouched = bench.verify(b"test", TOOL_PREHASHED.as_bytes(), &policy).unwrap();
    assert!(matches!(
        vouched.provenance(),
        Provenance::Signed { at: None, .. }
    ));
    policy.signatures = Signatures::Required;
    refused(
        bench.verify(b"test", TOOL_PREHASHED.as_bytes(), &policy),
        "PB-SIGN-010",
    );
    refused(
        bench.verify(b"Test", TOOL_PREHASHED.as_bytes(), &policy),
        "PB-SIGN-009",
    );
}

#[test]
fn the_legacy_form_is_refused_even_when_it_fits() {
    let bench = Bench::new();
    let policy = TrustPolicy {
        teams: vec![team("tool", &[&TOOL_KEY.parse().unwrap()], None)],
        ..TrustPolicy::default()
    };
    refused(
        bench.verify(b"test", TOOL_LEGACY.as_bytes(), &policy),
        "PB-SIGN-006",
    );
}

#[test]
fn an_unsigned_file_passes_only_where_signatures_are_optional() {
    let (bench, pair) = (Bench::new(), pair());
    fs::write(bench.file(), CONTENT).unwrap();
    let mut policy = trusting(&pair);
    refused(bench.verify_as_it_is(&policy), "PB-SIGN-001");
    policy.signatures = Signatures::Optional;
    assert_eq!(
        bench.verify_as_it_is(&policy).unwrap().provenance(),
        &Provenance::Unsigned
    );
}

#[test]
fn an_unknown_key_passes_by_name_only_where_no_team_is_known_and_nothing_required() {
    let (bench, pair) = (Bench::new(), pair());
    let signature = signed(&pair, CONTENT);
    let mut policy = TrustPolicy::default();
    let vouched = bench.verify(CONTENT, signature.as_bytes(), &policy).unwrap();
    assert_eq!(vouched.provenance(), &Provenance::UnknownKey(key_of(&pair).id()));
    policy.signatures = Signatures::Required;
    refused(
        bench.verify(CONTENT, signature.as_bytes(), &policy),
        "PB-SIGN-007",
    );
    let mut policy = trusting(&self::pair());
    for signatures in [Signatures::Required, Signatures::Optional] {
        policy.signatures = signatures;
        refused(
            bench.verify(CONTENT, signature.as_bytes(), &policy),
            "PB-SIGN-007",
        );
    }
}

#[test]
fn a_wrong_signature_is_refused_also_where_none_is_needed() {
    let (bench, pair) = (Bench::new(), pair());
    let good = signed(&pair, CONTENT);
    let mut policy = trusting(&pair);
    policy.signatures = Signatures::Optional;
    // Of another file, which is what an exchanged signature and a changed byte both are.
    let of_another = signed(&pair, b"another file");
    refused(
        bench.verify(CONTENT, of_another.as_bytes(), &policy),
        "PB-SIGN-009",
    );
    for at in [0, CONTENT.len() / 2, CONTENT.len() - 1] {
        let mut changed = CONTENT.to_vec();
        changed[at] ^= 1;
        refused(bench.verify(&changed, good.as_bytes(), &policy), "PB-SIGN-009");
    }
    let promoted = good.replace("version:1.4.0", "version:9.9.9");
    refused(bench.verify(CONTENT, promoted.as_bytes(), &policy), "PB-SIGN-009");
    // A key of one's own under the id of a team's.
    let mut forged = minisign::PublicKey::from_base64(&self::pair().pk.to_base64())
        .unwrap()
        .to_bytes();
    forged[2..10].copy_from_slice(&pair.pk.to_bytes()[2..10]);
    let forged = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, forged);
    policy.teams = vec![team("mallory", &[&forged.parse().unwrap()], None)];
    refused(bench.verify(CONTENT, good.as_bytes(), &policy), "PB-SIGN-009");
    // Rubbish is refused even by a host that knows no keys.
    refused(bench.verify(CONTENT, b"", &TrustPolicy::default()), "PB-SIGN-005");
}

#[test]
fn a_revoked_key_is_refused_whoever_lists_it() {
    let (bench, pair) = (Bench::new(), pair());
    let signature = signed(&pair, CONTENT);
    let mut policy = trusting(&pair);
    policy.revoked.insert(key_of(&pair).id());
    refused(
        bench.verify(CONTENT, signature.as_bytes(), &policy),
        "PB-SIGN-008",
    );
    policy.signatures = Signatures::Optional;
    policy.teams.clear();
    refused(
        bench.verify(CONTENT, signature.as_bytes(), &policy),
        "PB-SIGN-008",
    );
}

#[test]
fn a_true_signature_over_untrue_claims_is_refused_once_the_note_is_known() {
    let (bench, pair) = (Bench::new(), pair());
    let older = sign(&pair, CONTENT, &claims(b"the older file").comment("x.so"));
    let vouched = bench.verify(CONTENT, older.as_bytes(), &trusting(&pair)).unwrap();
    assert_eq!(
        vouched.hold(&claims(CONTENT)).unwrap_err().code().0,
        "PB-SIGN-012"
    );
    let mut of_another = claims(CONTENT);
    of_another.plugin = "payments".parse().unwrap();
    let of_another = sign(&pair, CONTENT, &of_another.comment("x.so"));
    let vouched = bench
        .verify(CONTENT, of_another.as_bytes(), &trusting(&pair))
        .unwrap();
    let error = vouched.hold(&claims(CONTENT)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the plugin `payments`, the file says `ledger`"),
        "{error}"
    );
}

#[test]
fn a_team_signs_the_names_it_has_and_no_others() {
    let (bench, ours, theirs) = (Bench::new(), pair(), pair());
    let policy = TrustPolicy {
        teams: vec![
            team("payments", &[&key_of(&ours)], Some(&["pay-*", "ledger"])),
            team("texts", &[&key_of(&theirs)], Some(&["text-*"])),
        ],
        ..trusting(&ours)
    };
    let vouched = bench
        .verify(CONTENT, signed(&ours, CONTENT).as_bytes(), &policy)
        .unwrap();
    vouched.hold(&claims(CONTENT)).unwrap();
    let vouched = bench
        .verify(CONTENT, signed(&theirs, CONTENT).as_bytes(), &policy)
        .unwrap();
    let error = vouched.hold(&claims(CONTENT)).unwrap_err();
    assert_eq!(error.code().0, "PB-SIGN-013");
    assert!(
        error.to_string().contains("may not sign `ledger` but `text-*`"),
        "{error}"
    );
}

#[test]
fn a_version_below_the_minimum_is_refused_signed_or_not() {
    let (bench, pair) = (Bench::new(), pair());
    let mut policy = trusting(&pair);
    policy.signatures = Signatures::Optional;
    let at_least = |policy: &mut TrustPolicy, version: &str| {
        policy
            .minimum_versions
            .insert("ledger".parse().unwrap(), version.parse().unwrap());
    };
    fs::write(bench.file(), CONTENT).unwrap();
    for (minimum, fits) in [
        ("1.3.9", true),
        ("1.4.0", true),
        ("1.4.0-rc.1", true),
        ("1.4.1-rc.1", false),
        ("2.0.0", false),
    ] {
        at_least(&mut policy, minimum);
        let held = bench.verify_as_it_is(&policy).unwrap().hold(&claims(CONTENT));
        assert_eq!(held.is_ok(), fits, "{minimum}");
        assert!(held.is_ok() || held.unwrap_err().code().0 == "PB-SIGN-014");
    }
}

#[test]
fn a_signature_that_was_cut_is_refused_wherever_it_was_cut() {
    let (bench, pair) = (Bench::new(), pair());
    let (good, policy) = (signed(&pair, CONTENT), trusting(&pair));
    let whole = good.trim_end().len();
    fs::write(bench.file(), CONTENT).unwrap();
    for length in 0..whole {
        fs::write(signature_path(&bench.file()), &good[..length]).unwrap();
        let error = bench
            .verify_as_it_is(&policy)
            .map(|vouched| vouched.provenance)
            .unwrap_err();
        assert!(
            ["PB-SIGN-005", "PB-SIGN-009"].contains(&error.code().0),
            "{length}: {error}"
        );
    }
    bench.verify(CONTENT, &good.as_bytes()[..whole], &policy).unwrap();
    bench
        .verify(CONTENT, good.replace('\n', "\r\n").as_bytes(), &policy)
        .unwrap();
}

#[test]
fn whatever_is_no_small_text_file_is_refused_without_blocking() {
    let (bench, pair) = (Bench::new(), pair());
    let (policy, path) = (trusting(&pair), signature_path(&bench.file()));
    let huge = format!("{}{}", signed(&pair, CONTENT), "\n".repeat(20_000));
    refused(bench.verify(CONTENT, huge.as_bytes(), &policy), "PB-SIGN-003");
    refused(bench.verify(CONTENT, &[0xff; 300], &policy), "PB-SIGN-005");
    refused(bench.verify(CONTENT, &[0; 300], &policy), "PB-SIGN-005");
    let sparse = fs::File::options().write(true).open(&path).unwrap();
    sparse.set_len(10 << 30).unwrap();
    refused(bench.verify_as_it_is(&policy), "PB-SIGN-003");
    let again = |make: &dyn Fn()| {
        if path.is_dir() {
            fs::remove_dir(&path)
        } else {
            fs::remove_file(&path)
        }
        .unwrap();
        make();
        refused(bench.verify_as_it_is(&policy), "PB-SIGN-002");
    };
    let true_one = bench.dir.path().join("true.minisig");
    fs::write(&true_one, signed(&pair, CONTENT)).unwrap();
    again(&|| symlink(&true_one, &path).unwrap());
    again(&|| symlink("/nowhere", &path).unwrap());
    again(&|| fs::create_dir(&path).unwrap());
    again(&|| {
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
    });
}

#[test]
fn a_signature_that_is_exchanged_after_it_was_verified_is_not_the_one_that_is_kept() {
    let (bench, ours) = (Bench::new(), pair());
    let good = signed(&ours, CONTENT);
    let vouched = bench.verify(CONTENT, good.as_bytes(), &trusting(&ours)).unwrap();
    fs::write(signature_path(&bench.file()), signed(&pair(), CONTENT)).unwrap();
    assert_eq!(vouched.signature(), Some(good.as_str()));
}

#[test]
fn a_private_copy_that_is_no_longer_what_was_staged_is_refused() {
    let (bench, pair) = (Bench::new(), pair());
    fs::write(bench.file(), CONTENT).unwrap();
    let staged = stage(Settled::vouched(bench.file()), &bench.store).unwrap();
    fs::remove_file(staged.path()).unwrap();
    // Signed by a true key, and still not what the digest says.
    fs::write(staged.path(), b"other bytes").unwrap();
    fs::write(signature_path(&bench.file()), signed(&pair, b"other bytes")).unwrap();
    refused(verify(staged, &trusting(&pair)), "PB-SIGN-015");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_change_of_a_signature_file_is_refused_or_means_the_same(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let (pair, bench) = (pair(), Bench::new());
        let mut bytes = signed(&pair, CONTENT).into_bytes();
        let good = bench.verify(CONTENT, &bytes, &trusting(&pair)).unwrap();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len().max(1));
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => { bytes.remove(at); }
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        if let Ok(changed) = bench.verify(CONTENT, &bytes, &trusting(&pair)) {
            prop_assert_eq!(changed.provenance(), good.provenance());
            prop_assert_eq!(changed.terms.claims, good.terms.claims);
        }
    }

    #[test]
    fn no_bytes_at_all_make_the_reader_fail_otherwise_than_by_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let lines = [b"untrusted comment: x\n".as_slice(), &bytes, b"\ntrusted comment: \n", &bytes].concat();
        prop_assert!(Envelope::parse(bytes).is_err());
        let _ = Envelope::parse(lines);
    }
}
