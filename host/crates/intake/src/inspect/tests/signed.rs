//! What was signed is held against what the file says.

use minisign::KeyPair;

use super::*;
use crate::signature::{Signatures, Team, TrustPolicy, signature_path, verify};
use crate::{Settled, StageConfig, Store, stage};

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
    pair: KeyPair,
    bytes: Vec<u8>,
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
            pair: KeyPair::generate_unencrypted_keypair().unwrap(),
            bytes: fit().build(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("c-hello.so")
    }

    fn trust(&self) -> TrustPolicy {
        TrustPolicy {
            signatures: Signatures::Required,
            teams: vec![Team {
                name: "core".parse().unwrap(),
                keys: vec![self.pair.pk.to_base64().parse().unwrap()],
                plugins: None,
            }],
            ..TrustPolicy::default()
        }
    }

    fn truth(&self) -> Claims {
        fs::write(self.path(), &self.bytes).unwrap();
        let staged = stage(Settled::vouched(self.path()), &self.store).unwrap();
        let staged = self.store.reopen(staged.digest()).unwrap();
        Claims::of(
            &inspect(verify(staged, &TrustPolicy::default()).unwrap(), &standard()).unwrap(),
            7,
        )
    }

    fn inspect_claiming(&self, claims: &Claims) -> Result<Inspected, InspectError> {
        let comment = claims.comment("c-hello.so");
        let signed = minisign::sign(None, &self.pair.sk, &*self.bytes, Some(&comment), None).unwrap();
        fs::write(self.path(), &self.bytes).unwrap();
        fs::write(signature_path(&self.path()), signed.into_string()).unwrap();
        let staged = stage(Settled::vouched(self.path()), &self.store).unwrap();
        inspect(verify(staged, &self.trust()).unwrap(), &standard())
    }
}

#[test]
fn a_file_that_is_what_its_signer_claimed_passes_and_any_other_is_refused() {
    let bench = Bench::new();
    let truth = bench.truth();
    assert!(matches!(
        bench.inspect_claiming(&truth).unwrap().provenance(),
        Provenance::Signed { .. }
    ));
    let lies = [
        Claims {
            digest: Digest::of(b"older"),
            ..truth.clone()
        },
        Claims {
            plugin: "c-other".parse().unwrap(),
            ..truth.clone()
        },
        Claims {
            version: "1.2.4".parse().unwrap(),
            ..truth.clone()
        },
        Claims {
            contract: "0.9".into(),
            ..truth.clone()
        },
        Claims {
            target: "sparc-unknown-linux-gnu".into(),
            ..truth.clone()
        },
    ];
    for lie in lies {
        assert_eq!(
            bench.inspect_claiming(&lie).unwrap_err().code().0,
            "PB-SIGN-012",
            "{lie:?}"
        );
    }
}

#[test]
fn the_signature_that_is_kept_is_held_against_the_keys_of_today() {
    let bench = Bench::new();
    let inspected = bench.inspect_claiming(&bench.truth()).unwrap();
    bench.store.keep_signature(&inspected).unwrap();
    let again = |trust: &TrustPolicy| verify(bench.store.reopen(inspected.digest()).unwrap(), trust);
    assert_eq!(
        again(&bench.trust()).unwrap().provenance(),
        inspected.provenance()
    );
    let mut today = bench.trust();
    today.revoked.insert(today.teams[0].keys[0].id());
    assert_eq!(again(&today).unwrap_err().code().0, "PB-SIGN-008");
    bench.store.remove(inspected.digest()).unwrap();
    assert_eq!(fs::read_dir(bench.dir.path().join("store")).unwrap().count(), 0);
}

#[test]
fn an_unsigned_artifact_has_no_signature_kept_with_it_afterwards() {
    let bench = Bench::new();
    let signed = bench.inspect_claiming(&bench.truth()).unwrap();
    bench.store.keep_signature(&signed).unwrap();
    fs::remove_file(signature_path(&bench.path())).unwrap();
    let staged = stage(Settled::vouched(bench.path()), &bench.store).unwrap();
    let unsigned = inspect(verify(staged, &TrustPolicy::default()).unwrap(), &standard()).unwrap();
    bench.store.keep_signature(&unsigned).unwrap();
    assert!(!signature_path(unsigned.path()).exists() && unsigned.path().exists());
}
