//! Invariant: what the engine calls back into looks at the limits of the evaluation that runs, and at nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plugin_api::value::Writer;
use rquickjs::{Array, Ctx, Function, Value as Any};

use crate::convert::{Reading, Stopped, into_script};
use crate::operand::{Operand, owned};
use crate::toolbox::Tool;

/// What the interrupt handler looks at.
pub(crate) struct Watch {
    pub(crate) born: Instant,
    /// Microseconds since `born`.
    pub(crate) deadline: AtomicU64,
    pub(crate) rang: AtomicBool,
    /// Bytes that arguments of `$utils` may take.
    pub(crate) budget: AtomicUsize,
}

impl Watch {
    pub(crate) fn start(&self, limit: Duration, budget: usize) {
        let end = self.born.elapsed().saturating_add(limit).as_micros();
        self.deadline
            .store(u64::try_from(end).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.rang.store(false, Ordering::Relaxed);
        self.budget.store(budget, Ordering::Relaxed);
    }

    pub(crate) fn ring(&self) -> bool {
        let late = self.born.elapsed().as_micros() > u128::from(self.deadline.load(Ordering::Relaxed));
        if late {
            self.rang.store(true, Ordering::Relaxed);
        }
        late
    }
}

/// The native side of `$utils`.
pub(crate) fn tools<'js>(ctx: &Ctx<'js>, watch: Arc<Watch>) -> rquickjs::Result<Function<'js>> {
    Function::new(
        ctx.clone(),
        move |ctx: Ctx<'js>, index: usize, now: f64, given: Array<'js>| -> rquickjs::Result<Any<'js>> {
            let Some(tool) = Tool::ALL.get(index) else {
                return Err(rquickjs::Error::Unknown);
            };
            let no_date = Function::new(ctx.clone(), || ())?;
            let mut reading = Reading::new(no_date, watch.budget.load(Ordering::Relaxed));
            let mut operands = Vec::new();
            for argument in given.iter::<Any<'js>>() {
                let argument = argument?;
                if argument.is_undefined() {
                    operands.push(Operand::Undefined);
                    continue;
                }
                let mut out = Vec::new();
                let written = reading.write(&argument, Writer::new(&mut out));
                match (written.and_then(|()| owned(out)), reading.stopped.take()) {
                    (Ok(value), _) => operands.push(Operand::Owned(value)),
                    (Err(_), Some(Stopped::Thrown)) => return Err(rquickjs::Error::Exception),
                    (Err(_), Some(Stopped::Unfit(message))) => {
                        return Err(rquickjs::Exception::throw_type(&ctx, &message));
                    }
                    (Err(_), _) => {
                        return Err(rquickjs::Exception::throw_range(
                            &ctx,
                            "the arguments are too large",
                        ));
                    }
                }
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the clock was an integer before it was a number"
            )]
            match tool.call(&operands, now as i64, 0) {
                Ok(result) => into_script(&ctx, &result),
                Err(fault) => Err(rquickjs::Exception::throw_type(&ctx, &fault.message)),
            }
        },
    )
}
