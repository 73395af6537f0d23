//! How a command ends.

use std::process::ExitCode;

/// The exit codes; the numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: done.
    Success,
    /// 1: the answer is no: an unfit file, a node that failed, a change that the host refused.
    No,
    /// 2: a usage error, bad input, or a name that nothing has.
    Usage,
    /// 3: the host cannot be reached, or cannot serve now.
    Unreachable,
    /// 4: something broke.
    Internal,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Internal => 4,
        }
    }

    /// What the status of a host's answer means to a script.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            200..300 => Self::Success,
            // Forbidden, conflict, a node's own error, a call that took too long: the request was sound, the answer is no.
            403 | 409 | 422 | 504 => Self::No,
            429 | 503 => Self::Unreachable,
            400..500 => Self::Usage,
            _ => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_keep_their_numbers() {
        let all = [
            Exit::Success,
            Exit::No,
            Exit::Usage,
            Exit::Unreachable,
            Exit::Internal,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_status_maps_to_the_exit_code_that_scripts_rely_on() {
        let cases = [
            (200, Exit::Success),
            (400, Exit::Usage),
            (404, Exit::Usage),
            (413, Exit::Usage),
            (421, Exit::Usage),
            (403, Exit::No),
            (409, Exit::No),
            (422, Exit::No),
            (504, Exit::No),
            (429, Exit::Unreachable),
            (503, Exit::Unreachable),
            (500, Exit::Internal),
            (302, Exit::Internal),
        ];
        for (status, exit) in cases {
            assert_eq!(Exit::of_status(status), exit, "{status}");
        }
    }
}
