//! Walking the chain.
//!
//! Invariant: one record at a time is in memory, however many there are. A chain that was found whole has every record
//! from its start to its head, each as it was written, in the order in which they were written.

use std::path::Path;

use blake3::Hash;
use patchbay_database as database;
use rusqlite::{Connection, Row};

use super::chain::{self, AuditHead, COLUMNS, GENESIS, Head, Raw};
use crate::StateError;

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was changed.
    Whole(Verified),
    /// Something was.
    Broken(Broken),
}

/// A chain that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many records were walked.
    pub records: u64,
    /// How far it goes.
    pub head: AuditHead,
}

/// Where a chain breaks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the record that should be there.
    pub seq: u64,
    /// What was done to it.
    pub what: What,
    /// The same in words.
    pub message: String,
}

/// What was done to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A record is not as it was written.
    Changed,
    /// A record is gone.
    Missing,
    /// A record is in another one's place.
    Reordered,
    /// The last records are gone, or there are records behind the last one.
    Tail,
}

/// A record in the place where it was found.
pub(super) struct Link {
    pub(super) seq: i64,
    /// The hash before it by its own account, where it gives one.
    pub(super) before: Option<String>,
    pub(super) raw: Raw,
    pub(super) hash: String,
}

/// `None` is a record that cannot even be read.
pub(super) type Found = Option<Link>;

/// A chain as far as it was walked.
pub(super) struct Walk {
    pub(super) records: u64,
    pub(super) seq: i64,
    pub(super) hash: Hash,
    /// Whether the head that somebody remembers was met.
    met: bool,
    wanted: Option<String>,
}

impl Walk {
    /// Begins behind record `seq`, whose hash is `hash`. `wanted` is a head that somebody remembers.
    pub(super) fn behind(seq: i64, hash: Hash, wanted: Option<&str>) -> Self {
        Self {
            records: 0,
            seq,
            hash,
            met: wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(hash.to_hex().as_str())),
            wanted: wanted.map(str::to_ascii_lowercase),
        }
    }

    /// Takes the next record when it is the one that belongs there.
    fn takes(&mut self, link: &Link) -> bool {
        let Some(seq) = self.seq.checked_add(1) else {
            return false;
        };
        let fits = link.seq == seq
            && link
                .before
                .as_ref()
                .is_none_or(|before| before == self.hash.to_hex().as_str());
        let hash = link.raw.hash(seq, &self.hash);
        if !fits || hash.to_hex().as_str() != link.hash {
            return false;
        }
        self.seq = seq;
        self.hash = hash;
        self.records += 1;
        self.met |= self.wanted.as_ref().is_some_and(|wanted| *wanted == link.hash);
        true
    }

    /// Walks to the end of `next`, or to where the chain breaks.
    pub(super) fn along(
        &mut self,
        next: &mut dyn FnMut() -> Result<Option<Found>, StateError>,
    ) -> Result<Option<Broken>, StateError> {
        while let Some(found) = next()? {
            match &found {
                Some(link) if self.takes(link) => {}
                _ => return self.explain(found, next).map(Some),
            }
        }
        Ok(None)
    }

    /// What is wrong with the record that was found where another one belongs.
    fn explain(
        &self,
        found: Found,
        next: &mut dyn FnMut() -> Result<Option<Found>, StateError>,
    ) -> Result<Broken, StateError> {
        let seq = self.seq.saturating_add(1);
        let broken = |what, message: String| Broken {
            seq: u64::try_from(seq).unwrap_or(0),
            what,
            message,
        };
        let belongs = |link: &Link| link.raw.hash(seq, &self.hash).to_hex().as_str() == link.hash;
        if found.as_ref().is_some_and(belongs) {
            return Ok(broken(
                What::Changed,
                format!("the number of record {seq}, or what it says of the one before it, was changed"),
            ));
        }
        while let Some(later) = next()? {
            if later.as_ref().is_some_and(belongs) {
                return Ok(broken(
                    What::Reordered,
                    format!("record {seq} is in the place of another one"),
                ));
            }
        }
        Ok(match found {
            Some(link) if link.seq > seq => broken(What::Missing, format!("record {seq} is gone")),
            Some(link) if link.seq < seq => broken(
                What::Reordered,
                format!("in the place of record {seq} is one with the number {}", link.seq),
            ),
            Some(_) => broken(
                What::Changed,
                format!("record {seq} was changed, or one before it taken away"),
            ),
            None => broken(What::Changed, format!("record {seq} cannot be read")),
        })
    }

    /// Whether the end is where the head says, and the remembered one was met.
    pub(super) fn ends_at(self, head: Option<&Head>) -> Verdict {
        let broken = |message: String| {
            Verdict::Broken(Broken {
                seq: u64::try_from(self.seq).unwrap_or(0),
                what: What::Tail,
                message,
            })
        };
        let hash = self.hash.to_hex();
        match head {
            None => broken("the head is gone, which says how far the records go".to_owned()),
            Some(head) if head.seq != self.seq => broken(format!(
                "the last record is {}, and the head says {}",
                self.seq, head.seq
            )),
            Some(head) if head.hash != hash.as_str() => broken(format!(
                "the head names another record {} than the last one",
                self.seq
            )),
            Some(_) if !self.met => {
                broken("no record has the hash that is remembered as the head".to_owned())
            }
            Some(_) => Verdict::Whole(Verified {
                records: self.records,
                head: AuditHead {
                    seq: u64::try_from(self.seq).unwrap_or(0),
                    hash: hash.as_str().to_owned(),
                },
            }),
        }
    }
}

/// Walks the audit of the state at `path`, which a host may have open. With `expected`, the hash of a head that was
/// noted earlier, the chain has to have it, however far it has grown since.
///
/// # Errors
/// When the database cannot be read.
pub fn verify(path: &Path, expected: Option<&str>) -> Result<Verdict, StateError> {
    let path = database::resolve(path)?;
    let mut reader = database::open_to_read(&path).map_err(StateError::Read)?;
    // One view of the database for the records and their head.
    let view = reader.transaction().map_err(StateError::Read)?;
    verify_rows(&view, expected)
}

pub(crate) fn verify_rows(connection: &Connection, expected: Option<&str>) -> Result<Verdict, StateError> {
    let head = match chain::head(connection) {
        Ok(head) => head,
        Err(error) if is_of_the_row(&error) => None,
        Err(error) => return Err(StateError::Read(error)),
    };
    let mut statement = connection
        .prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))
        .map_err(StateError::Read)?;
    let mut rows = statement.query([]).map_err(StateError::Read)?;
    let mut walk = Walk::behind(0, genesis(), expected);
    let broken = walk.along(&mut || match rows.next() {
        Ok(None) => Ok(None),
        Ok(Some(row)) => link(row).map(Some),
        Err(error) => Err(StateError::Read(error)),
    })?;
    Ok(match broken {
        Some(broken) => Verdict::Broken(broken),
        None => walk.ends_at(head.as_ref()),
    })
}

fn link(row: &Row<'_>) -> Result<Found, StateError> {
    match chain::raw_of(row) {
        Ok((seq, raw, hash)) => Ok(Some(Link {
            seq,
            before: None,
            raw,
            hash,
        })),
        Err(error) if is_of_the_row(&error) => Ok(None),
        Err(error) => Err(StateError::Read(error)),
    }
}

fn is_of_the_row(error: &rusqlite::Error) -> bool {
    !matches!(error, rusqlite::Error::SqliteFailure(..))
}

pub(super) fn genesis() -> Hash {
    // It is what its constant says: a test holds it to that.
    Hash::from_hex(GENESIS).unwrap_or_else(|_| blake3::hash(chain::GENESIS_TEXT.as_bytes()))
}
