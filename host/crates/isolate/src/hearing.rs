//! What a child says, line by line.
//!
//! Invariant: from the moment the plugin may be mapped, every byte on the way to the host is a line of the trial: the
//! plugin's own output goes nowhere. A line that is not the trial's, a second verdict or one byte behind a verdict
//! is the plugin speaking in the trial's name, in whatever order its threads did so, and refuses the file. A
//! verdict that the trial itself reached can therefore not be drowned, covered or outrun by another one.

use std::process::ExitStatus;
use std::time::Duration;

use patchbay_vocab::Explained;
use rustix::process::Signal;

use crate::error::ProbeError;
use crate::fence::Offence;
use crate::verdict::{Line, Says, Verdict};

/// Bytes a child may say: the metadata's limit and room for the rest.
const MAX_WORDS: usize = 32 << 20;

/// The exit status of a program that the dynamic linker ends.
const LINKER_GAVE_UP: i32 = 127;

/// What a line asks the host to do.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Look where the child halts, and let it go on.
    Ready {
        /// Why there is no fence, when there is none.
        unfenced: Option<String>,
    },
    /// See whether it is back where it halted, and whether this was all.
    Fit(Box<Verdict>),
    /// Believe it: nobody gains by it.
    Unfit(Explained),
}

/// All that a child has said so far.
#[derive(Debug)]
pub(crate) struct Hearing {
    nonce: String,
    words: Vec<u8>,
    taken: usize,
    stage: Option<String>,
    ready: bool,
    fit: bool,
}

impl Hearing {
    pub(crate) const fn of(nonce: String) -> Self {
        Self {
            nonce,
            words: Vec::new(),
            taken: 0,
            stage: None,
            ready: false,
            fit: false,
        }
    }

    /// Takes what was read.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Result<(), ProbeError> {
        self.words.extend_from_slice(bytes);
        if self.words.len() > MAX_WORDS {
            return Err(ProbeError::TooMuch);
        }
        Ok(())
    }

    /// The next line that asks for something; `None` when more has to be read first.
    pub(crate) fn next(&mut self) -> Result<Option<Heard>, ProbeError> {
        while let Some(end) = self.words[self.taken..].iter().position(|&byte| byte == b'\n') {
            let line = &self.words[self.taken..self.taken + end];
            let line = serde_json::from_slice::<Line>(line)
                .ok()
                .filter(|line| line.nonce == self.nonce);
            self.taken += end + 1;
            let says = match line {
                Some(line) if !self.fit => line.says,
                // What a program prints before it comes to serve as the child.
                None if !self.ready => continue,
                _ => return Err(self.forged()),
            };
            match says {
                Says::Begins(stage) => self.stage = Some(stage),
                Says::Unfit(explained) => return Ok(Some(Heard::Unfit(explained))),
                Says::Ready { unfenced } if !self.ready => {
                    self.ready = true;
                    return Ok(Some(Heard::Ready { unfenced }));
                }
                Says::Fit(verdict) if self.ready => {
                    self.fit = true;
                    return Ok(Some(Heard::Fit(verdict)));
                }
                Says::Ready { .. } | Says::Fit(_) => return Err(self.forged()),
            }
        }
        Ok(None)
    }

    /// Whether nothing is left beyond the lines that were taken.
    pub(crate) fn is_over(&self) -> bool {
        self.taken == self.words.len()
    }

    pub(crate) fn forged(&self) -> ProbeError {
        ProbeError::Forged { stage: self.stage() }
    }

    /// What it was doing last.
    pub(crate) fn stage(&self) -> String {
        self.stage.clone().unwrap_or_else(|| "its start".to_owned())
    }

    /// What it means that the child ended without a verdict.
    pub(crate) fn death(&self, status: ExitStatus, deadline: Duration) -> ProbeError {
        use std::os::unix::process::ExitStatusExt;
        if self.stage.is_none() && status.signal().is_none() {
            return ProbeError::NotAHelper;
        }
        let stage = self.stage();
        match status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => ProbeError::TimedOut { stage, deadline },
            Some(signal) if signal == Signal::XFSZ.as_raw() => ProbeError::of(Offence::Files, stage),
            // Nobody else is allowed to: it was the limit on processor time, or a machine that ran out of memory.
            Some(signal) if signal == Signal::KILL.as_raw() => ProbeError::Limit {
                stage,
                what: "memory or processor time",
            },
            // The fence's own signal was blocked: so the C library does it, for the time in which it starts a process.
            Some(signal) if signal == Signal::SYS.as_raw() => ProbeError::Process {
                stage,
                how: "tried, with all signals blocked, what a trial refuses: most likely to start a process",
            },
            Some(signal) => ProbeError::Crashed {
                stage,
                signal: signal_name(signal),
            },
            None => {
                let status = status.code().unwrap_or(-1);
                match Offence::of_status(status) {
                    Some(offence) => ProbeError::of(offence, stage),
                    // The dynamic linker ends a process in this way when a file contradicts itself.
                    None if status == LINKER_GAVE_UP && stage == "loading" => ProbeError::Crashed {
                        stage,
                        signal: format!("the dynamic linker gave up (exit status {status})"),
                    },
                    None => ProbeError::Exited { stage, status },
                }
            }
        }
    }
}

fn signal_name(signal: i32) -> String {
    let known = [
        (Signal::SEGV, "segmentation fault"),
        (Signal::ABORT, "abort"),
        (Signal::BUS, "bus error"),
        (Signal::ILL, "illegal instruction"),
        (Signal::FPE, "arithmetic fault"),
        (Signal::TRAP, "trap"),
    ];
    let name = known
        .iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or("signal", |(_, name)| name);
    format!("{name} (signal {signal})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(says: Says) -> String {
        let nonce = "n".to_owned();
        serde_json::to_string(&Line { nonce, says }).unwrap() + "\n"
    }

    fn ready() -> String {
        line(Says::Ready { unfenced: None })
    }

    fn begins() -> String {
        line(Says::Begins("loading".into()))
    }

    fn fit() -> String {
        let verdict = format!(
            r#"{{"stages":[],"nodes":[],"examples":[],"pinned_by":[],"keys":0,"description":"{:064}"}}"#,
            0
        );
        line(Says::Fit(serde_json::from_str(&verdict).unwrap()))
    }

    fn unfit() -> String {
        line(Says::Unfit(Explained {
            code: "X".into(),
            message: String::new(),
            hint: String::new(),
        }))
    }

    /// How it ends: as the trial does, which believes the first verdict when nothing follows it.
    fn end_of(lines: &[String]) -> &'static str {
        let mut hearing = Hearing::of("n".to_owned());
        hearing.hear(lines.concat().as_bytes()).unwrap();
        let mut fit = false;
        loop {
            match hearing.next() {
                Ok(Some(Heard::Ready { .. })) => {}
                Ok(Some(Heard::Unfit(_))) => return "unfit",
                Ok(Some(Heard::Fit(_))) => fit = true,
                Ok(None) if fit && hearing.is_over() => return "fit",
                Ok(None) if fit => return "forged",
                Ok(None) => return "waits",
                Err(ProbeError::Forged { .. }) => return "forged",
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn one_verdict_behind_the_stages_is_believed() {
        assert_eq!(end_of(&[begins(), ready(), begins(), fit()]), "fit");
        assert_eq!(end_of(&[begins(), ready(), begins(), unfit()]), "unfit");
        assert_eq!(end_of(&[begins(), ready(), begins()]), "waits");
    }

    #[test]
    fn what_a_program_prints_before_it_serves_is_noise() {
        assert_eq!(end_of(&["hello\n".into(), ready(), fit()]), "fit");
    }

    #[test]
    fn a_second_verdict_refuses_the_file_whichever_of_them_is_the_trials() {
        assert_eq!(end_of(&[ready(), fit(), unfit()]), "forged");
        assert_eq!(end_of(&[ready(), fit(), begins(), fit()]), "forged");
        // A file that says it is unfit is believed, whatever else it says.
        assert_eq!(end_of(&[ready(), unfit(), fit()]), "unfit");
    }

    #[test]
    fn a_verdict_that_was_covered_by_noise_does_not_leave_the_field_to_another() {
        let covered = format!("x{}", unfit());
        assert_eq!(end_of(&[ready(), covered.clone(), fit()]), "forged");
        assert_eq!(end_of(&[ready(), fit(), covered]), "forged");
        assert_eq!(end_of(&[ready(), fit(), "x".into()]), "forged");
    }

    #[test]
    fn a_verdict_before_the_plugin_is_mapped_or_after_a_second_start_is_forged() {
        assert_eq!(end_of(&[begins(), fit()]), "forged");
        assert_eq!(end_of(&[ready(), ready(), fit()]), "forged");
    }
}
