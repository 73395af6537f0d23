//! What the system refuses a child while plugin code is in it.
//!
//! Invariant: from [`raise`] on, no process can be started; nobody but the child itself can be signalled, traced or
//! written to; no limit, right, mount or filter can be changed; no file, queue or shared memory can be made, changed or
//! removed by name; nobody can be connected to; and the way to the host cannot be closed. That is as far as
//! [`TABLE`] goes, which is the whole of it. It holds for every thread that is started later, and cannot be
//! taken back.
//!
//! Most refused calls end the child with an exit status of [`Offence`], which the host reads: see
//! [`patchbay_loader::exit_on_refused_calls`]. Those that libraries try by themselves fail instead, as they do on a
//! system without them. It is a fence against accidents and bad manners with an answer that names them, not a
//! sandbox for hostile code: what is fit runs in the host with all rights of it. The filter is of the
//! machine's own calls: those of another architecture end the child, and reading is nowhere refused.

mod table;

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use patchbay_loader::exit_on_refused_calls;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use table::{Answer, Row, TABLE, When};

/// What a child was ended for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// It started a process.
    Process,
    /// It signalled or traced another process, or tried to leave its session or group.
    Others,
    /// It changed what belongs to the whole process or machine: limits, rights, mounts, or this fence.
    Limits,
    /// It made or changed a file or something else that outlives it, or opened one for writing.
    Files,
    /// It asked for more memory at once than the whole trial has.
    Memory,
    /// It closed or replaced the descriptors of the trial.
    Descriptors,
    /// It used the network.
    Network,
}

const ALL: [Offence; 7] = [
    Offence::Process,
    Offence::Others,
    Offence::Limits,
    Offence::Files,
    Offence::Memory,
    Offence::Descriptors,
    Offence::Network,
];

/// The exit status of the first offence; the others follow.
const FIRST_STATUS: i32 = 0xe0;

impl Offence {
    pub(crate) const fn status(self) -> i32 {
        FIRST_STATUS + self as i32
    }

    pub(crate) fn of_status(status: i32) -> Option<Self> {
        ALL.into_iter().find(|offence| offence.status() == status)
    }
}

fn status_of(call: i64) -> i32 {
    let of = |row: &Row| match row.answer {
        Answer::Ends(offence) if row.calls.contains(&call) => Some(offence.status()),
        Answer::Ends(_) | Answer::Fails(_) => None,
    };
    TABLE.iter().find_map(of).unwrap_or(1)
}

/// What a fence needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grounds {
    /// Descriptors of the trial.
    pub(crate) keep: [RawFd; 2],
    /// The most memory that may be asked for at once.
    pub(crate) memory_bytes: u64,
}

/// Raises the fence for this thread and all it will start.
///
/// # Errors
/// When the system has no such filters; the trial is made without a fence then.
pub(crate) fn raise(grounds: Grounds) -> Result<(), Box<dyn std::error::Error>> {
    exit_on_refused_calls(status_of)?;
    let mut errors: Vec<i32> = TABLE
        .iter()
        .filter_map(|row| match row.answer {
            Answer::Fails(error) => Some(error),
            Answer::Ends(_) => None,
        })
        .collect();
    errors.sort_unstable();
    errors.dedup();
    for error in errors {
        let rules = rules_of(grounds, |answer| *answer == Answer::Fails(error))?;
        apply(rules, SeccompAction::Errno(error.unsigned_abs()))?;
    }
    // Of several filters the strictest answer counts. This one is the last: it refuses filters as well.
    let rules = rules_of(grounds, |answer| matches!(answer, Answer::Ends(_)))?;
    apply(rules, SeccompAction::Trap)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn apply(rules: Rules, answer: SeccompAction) -> Result<(), Box<dyn std::error::Error>> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)?;
    let program: BpfProgram = filter.try_into()?;
    Ok(seccompiler::apply_filter(&program)?)
}

fn rules_of(grounds: Grounds, wanted: impl Fn(&Answer) -> bool) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    for row in TABLE.iter().filter(|row| wanted(&row.answer)) {
        for &call in row.calls {
            // No rule at all is a call that is refused whatever its arguments.
            rules
                .entry(call)
                .or_default()
                .extend(rules_for(&row.when, grounds)?);
        }
    }
    Ok(rules)
}

/// One rule for each way in which the arguments can be refused; one of them is enough.
fn rules_for(when: &When, grounds: Grounds) -> Result<Vec<SeccompRule>, BackendError> {
    let own = u64::from(std::process::id());
    let kept = grounds.keep.map(|fd| u64::from(fd.unsigned_abs()));
    let all: Vec<Vec<(u8, Len, Is, u64)>> = match *when {
        When::Always => Vec::new(),
        When::Is(at, values) => values
            .iter()
            .map(|&value| vec![(at, Len::Dword, Is::Eq, value)])
            .collect(),
        When::IsNot(at, value) => vec![vec![(at, Len::Dword, Is::Ne, value)]],
        When::Has(at, flags) => flags
            .iter()
            .map(|&flag| vec![(at, Len::Dword, Is::MaskedEq(flag), flag)])
            .collect(),
        When::Lacks(at, flag) => vec![vec![(at, Len::Dword, Is::MaskedEq(flag), 0)]],
        When::Given(at) => vec![vec![(at, Len::Qword, Is::Ne, 0)]],
        When::IsAndGiven(at, value, given) => {
            vec![vec![
                (at, Len::Dword, Is::Eq, value),
                (given, Len::Qword, Is::Ne, 0),
            ]]
        }
        When::NotOneself(at) => vec![vec![(at, Len::Dword, Is::Ne, own)]],
        When::AboutOthers(at) => {
            vec![vec![(at, Len::Dword, Is::Ne, own), (at, Len::Dword, Is::Ne, 0)]]
        }
        When::Kept(at) => kept.map(|fd| vec![(at, Len::Dword, Is::Eq, fd)]).into(),
        When::KeptWithin(first, last) => kept
            .map(|fd| vec![(first, Len::Dword, Is::Le, fd), (last, Len::Dword, Is::Ge, fd)])
            .into(),
        When::BeyondMemory(at) => vec![vec![(at, Len::Qword, Is::Gt, grounds.memory_bytes)]],
    };
    let rule = |conditions: Vec<(u8, Len, Is, u64)>| {
        let conditions = conditions
            .into_iter()
            .map(|(at, len, is, value)| SeccompCondition::new(at, len, is, value));
        SeccompRule::new(conditions.collect::<Result<_, _>>()?)
    };
    all.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const GROUNDS: Grounds = Grounds {
        keep: [100, 101],
        memory_bytes: 1 << 30,
    };

    #[test]
    fn every_call_that_ends_the_child_has_the_exit_status_of_its_offence() {
        let rules = rules_of(GROUNDS, |answer| matches!(answer, Answer::Ends(_))).unwrap();
        for call in rules.keys() {
            assert!(
                Offence::of_status(status_of(*call)).is_some(),
                "system call {call}"
            );
        }
        assert!(Offence::of_status(status_of(libc::SYS_read)).is_none());
    }

    #[test]
    fn no_call_ends_the_child_for_one_offence_in_one_row_and_for_another_in_the_next() {
        let mut offences = BTreeMap::<i64, BTreeSet<i32>>::new();
        for row in TABLE {
            if let Answer::Ends(offence) = row.answer {
                for call in row.calls {
                    offences.entry(*call).or_default().insert(offence.status());
                }
            }
        }
        let torn: Vec<_> = offences.iter().filter(|(_, all)| all.len() > 1).collect();
        // The number of the call is all that the handler knows.
        assert!(torn.is_empty(), "{torn:?}");
    }

    #[test]
    fn a_call_that_is_always_refused_has_no_row_that_narrows_it() {
        let always = TABLE.iter().filter(|row| matches!(row.when, When::Always));
        for call in always.flat_map(|row| row.calls) {
            let rows = TABLE.iter().filter(|row| row.calls.contains(call)).count();
            assert_eq!(rows, 1, "system call {call}");
        }
    }

    #[test]
    fn the_whole_table_fits_into_filters_that_the_system_takes() {
        const MOST: usize = 4096;
        let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let rules = rules_of(GROUNDS, |_| true).unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trap, arch).unwrap();
        let program: BpfProgram = filter.try_into().unwrap();
        assert!(program.len() < MOST, "{}", program.len());
    }

    #[test]
    fn statuses_of_offences_are_apart_from_those_that_programs_use() {
        for offence in ALL {
            assert!((2..=255).contains(&offence.status()) && offence.status() > 0xc0);
            assert_eq!(Offence::of_status(offence.status()), Some(offence));
        }
        assert_eq!(Offence::of_status(0), None);
    }
}
