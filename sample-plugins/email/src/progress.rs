//! How far a message is on its way.
//!
//! Invariant: the step is stored before anything of it is done, so it is true also when the work is dropped in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Connecting,
    Greeting,
    Securing,
    LoggingIn,
    Sender,
    Recipients,
    Content,
    /// The end of the message may have reached the server.
    Ended,
}

impl Step {
    /// The step in a sentence that begins with "while".
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Greeting => "greeting the server",
            Self::Securing => "beginning TLS",
            Self::LoggingIn => "logging in",
            Self::Sender => "naming the sender",
            Self::Recipients => "naming the recipients",
            Self::Content => "sending the message",
            Self::Ended => "waiting for the server to take the message",
        }
    }
}

/// The step that was begun last, seen from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(crate) fn reach(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    pub(crate) fn step(&self) -> Step {
        const STEPS: [Step; 7] = [
            Step::Connecting,
            Step::Greeting,
            Step::Securing,
            Step::LoggingIn,
            Step::Sender,
            Step::Recipients,
            Step::Content,
        ];
        let step = STEPS.get(usize::from(self.0.load(Ordering::Relaxed)));
        step.copied().unwrap_or(Step::Ended)
    }
}
