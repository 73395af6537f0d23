mod files;
mod kill;
mod queue;
mod records;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_vocab::{Digest, FakeClock, PluginName, RevisionNumber, UnixMillis};
use rusqlite::Connection;

use crate::*;

/// Long enough for a machine that does other things, too.
pub(crate) const LONG: Duration = Duration::from_secs(60);

fn config(folder: &Path) -> StateConfig {
    std::fs::create_dir_all(folder.join("artifacts")).unwrap();
    StateConfig::within(folder, "1.2.3")
}

/// A process that another test starts at the moment holds our locks until it has become another program.
pub(crate) fn open(folder: &Path) -> (State, Remembered) {
    let until = Instant::now() + LONG;
    loop {
        match State::open(&config(folder), Arc::new(FakeClock::new())) {
            Err(StateError::InUse { .. }) if Instant::now() < until => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// What an admin with `sqlite3` has.
pub(crate) fn sqlite(folder: &Path) -> Connection {
    Connection::open(folder.join("state.db")).unwrap()
}

pub(crate) fn name(text: &str) -> PluginName {
    text.parse().unwrap()
}

pub(crate) const fn rev(number: u64) -> RevisionNumber {
    RevisionNumber(number)
}

/// Puts an artifact into the store, and says its content's name.
pub(crate) fn artifact(folder: &Path, content: &str) -> Digest {
    let digest = Digest::of(content.as_bytes());
    std::fs::create_dir_all(folder.join("artifacts")).unwrap();
    std::fs::write(
        crate::artifact::path_of(&folder.join("artifacts"), digest),
        content,
    )
    .unwrap();
    digest
}

pub(crate) fn revision(folder: &Path, plugin: &str, number: u64) -> KnownRevision {
    KnownRevision {
        plugin: name(plugin),
        number: rev(number),
        version: format!("1.{number}.0").parse().unwrap(),
        digest: artifact(folder, &format!("{plugin} {number}")),
        nodes: vec![format!("{plugin}.upper").parse().unwrap()],
        dependencies: vec![(name("other"), "^1.2".parse().unwrap())],
        origin: format!("/plugins/{plugin}.so"),
        admitted_at: UnixMillis(number * 10),
        quarantined: false,
    }
}

pub(crate) fn live(plugin: &str, number: u64, generation: u64) -> Write {
    Write::Live {
        plugin: name(plugin),
        to: Some(rev(number)),
        generation,
        live_order: (1..=number).rev().map(rev).collect(),
    }
}

pub(crate) fn line(number: u64, generation: u64) -> HistoryLine {
    HistoryLine {
        at: UnixMillis(generation),
        generation,
        action: "promote".to_owned(),
        revision: rev(number),
        version: format!("1.{number}.0").parse().unwrap(),
        from: number.checked_sub(1).filter(|from| *from > 0).map(rev),
        actor: "ada".to_owned(),
        reason: "a new version".to_owned(),
    }
}

pub(crate) fn entry(n: u64) -> Entry {
    Entry {
        at: UnixMillis(1_000 + n),
        actor: if n.is_multiple_of(3) { "ada" } else { "bob" }.to_owned(),
        action: "promote".to_owned(),
        plugin: (!n.is_multiple_of(4)).then(|| name("string")),
        revision: n.is_multiple_of(2).then(|| rev(n)),
        tenant: n.is_multiple_of(5).then(|| "acme".parse().unwrap()),
        workflow: n.is_multiple_of(7).then(|| "wf".parse().unwrap()),
        reason: format!("reason {n}"),
        key: n.is_multiple_of(2).then(|| format!("key-{n}")),
        detail: format!(r#"{{"n":{n}}}"#),
    }
}

pub(crate) fn rollout(id: &str, plugin: &str) -> StoredRollout {
    StoredRollout {
        id: id.to_owned(),
        plugin: name(plugin),
        from: Some(rev(1)),
        to: rev(2),
        policy: r#"{"canary":{}}"#.to_owned(),
        state: r#"{"step":1}"#.to_owned(),
        phase: "canary".to_owned(),
        finished: false,
        started_at: UnixMillis(5),
        changed_at: UnixMillis(6),
        actor: "ada".to_owned(),
        reason: "try it".to_owned(),
    }
}

pub(crate) fn pin(plugin: &str, tenant: Option<&str>, number: u64) -> Pin {
    Pin {
        plugin: name(plugin),
        tenant: tenant.map(|tenant| tenant.parse().unwrap()),
        workflow: None,
        revision: rev(number),
        actor: "ada".to_owned(),
        reason: "stays behind".to_owned(),
        at: UnixMillis(7),
    }
}
