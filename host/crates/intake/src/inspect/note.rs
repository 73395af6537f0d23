//! Finding the note among the notes of a file, and believing as little of it as possible.

use patchbay_vocab::{PluginName, Version};
use plugin_api::note::{NOTE_DESC_SIZE, NOTE_OWNER, NOTE_TYPE, NoteText};

use super::{InspectError, InspectPolicy};

/// Where the one note of a file is collected.
#[derive(Debug, Default)]
pub(super) struct Finder<'a> {
    found: Option<(u64, &'a [u8])>,
}

impl<'a> Finder<'a> {
    /// Reads one run of notes that lies at `offset` in the file.
    pub(super) fn scan(&mut self, notes: &'a [u8], offset: u64, align: u64) -> Result<(), InspectError> {
        let bad = |why| InspectError::Malformed { what: "notes", why };
        let align = if align == 8 { 8 } else { 4 };
        let padded = |at: usize| at.checked_next_multiple_of(align);
        let mut at = 0;
        while let Some(head) = notes.get(at..).and_then(|rest| rest.first_chunk::<12>()) {
            let word = |n: usize| u32::from_le_bytes([head[n], head[n + 1], head[n + 2], head[n + 3]]);
            let (owner_size, desc_size, kind) = (word(0) as usize, word(4) as usize, word(8));
            let owner_at = at + 12;
            let desc_at = owner_at
                .checked_add(owner_size)
                .and_then(padded)
                .ok_or(bad("overflow"))?;
            let end = desc_at.checked_add(desc_size).ok_or(bad("overflow"))?;
            let owner = notes
                .get(owner_at..owner_at + owner_size)
                .ok_or(bad("end in the middle of one"))?;
            if is_ours(owner) && kind == NOTE_TYPE {
                if desc_size > NOTE_DESC_SIZE {
                    return Err(InspectError::NoteOversized { size: desc_size });
                }
                let desc = notes.get(desc_at..end).ok_or(bad("end in the middle of one"))?;
                if desc_size < NOTE_DESC_SIZE {
                    // What lies behind a note that was cut is no note, and not worth a word.
                    NoteText::parse(desc).map_err(InspectError::NoteMalformed)?;
                }
                let place = offset + desc_at as u64;
                if self
                    .found
                    .replace((place, desc))
                    .is_some_and(|(other, _)| other != place)
                {
                    return Err(InspectError::NoteDoubled);
                }
            } else if end > notes.len() {
                return Err(bad("end in the middle of one"));
            }
            at = padded(end).ok_or(bad("overflow"))?;
        }
        Ok(())
    }

    /// The note, checked against the policy.
    pub(super) fn finish(self, policy: &InspectPolicy) -> Result<Named, InspectError> {
        let (_, desc) = self.found.ok_or(InspectError::NoteMissing)?;
        Named::read(desc, policy)
    }
}

fn is_ours(owner: &[u8]) -> bool {
    owner.strip_suffix(b"\0").unwrap_or(owner) == NOTE_OWNER.as_bytes()
}

/// A note whose name, version, contract and target are fit for this host.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) note: NoteText,
    pub(super) plugin: PluginName,
    pub(super) version: Version,
}

impl Named {
    pub(super) fn read(desc: &[u8], policy: &InspectPolicy) -> Result<Self, InspectError> {
        let note = NoteText::parse(desc).map_err(InspectError::NoteMalformed)?;
        // The contract comes first: what another one puts into the other fields is not for this host to judge.
        let (wanted, spoken) = (note.contract, policy.contract);
        if wanted.major < spoken.major {
            return Err(InspectError::ContractTooOld { wanted, spoken });
        }
        if wanted > spoken {
            return Err(InspectError::ContractTooNew { wanted, spoken });
        }
        let plugin = note.name.parse::<PluginName>().map_err(InspectError::BadName)?;
        let version = note
            .version
            .parse::<Version>()
            .map_err(|cause| InspectError::BadVersion {
                found: super::printable(note.version.as_bytes()),
                cause,
            })?;
        check_target(&note, policy)?;
        if note.panic_abort {
            return Err(InspectError::PanicAbort);
        }
        Ok(Self {
            note,
            plugin,
            version,
        })
    }
}

/// A plugin that was written without the SDK may leave the target out: its header tells the processor already.
fn check_target(note: &NoteText, policy: &InspectPolicy) -> Result<(), InspectError> {
    let (arch, system) = (policy.platform.arch(), policy.platform.system());
    let mut parts = note.target.split('-');
    let fits = parts.next() == Some(arch) && parts.any(|part| part == system);
    if fits || (note.foreign && note.target.is_empty()) {
        return Ok(());
    }
    Err(InspectError::WrongTarget {
        found: super::printable(note.target.as_bytes()),
        arch,
        system,
    })
}
