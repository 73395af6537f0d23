//! Invariant: a script sees its arguments and frozen intrinsics, ends in time, and leaves nothing behind that another
//! one could see.
//!
//! Each thread has one runtime, and each tenant that it serves a context of its own. The globals of a context are
//! frozen before the first script runs, so contexts can be kept. After a script that took too much, the runtime is
//! thrown away with everything in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plugin_api::value::Writer;
use rquickjs::context::intrinsic;
use rquickjs::function::Args;
use rquickjs::{Array, Context, Ctx, Function, Persistent, Runtime, Value as Any};

use crate::convert::{Reading, Stopped, into_script};
use crate::exception::{exception, syntax};
use crate::fault::Fault;
use crate::lexer::Flaw;
use crate::operand::Operand;
use crate::script::Script;
use crate::toolbox::Tool;
use crate::watch::{Watch, tools};
use crate::{EvalErrorKind, EvalLimits};

/// Contexts that a thread keeps; the one that was not used for longest makes room.
const MAX_CONTEXTS: usize = 8;
/// Compiled scripts that a context keeps.
const MAX_FUNCTIONS: usize = 256;
/// Of the thread's stack, for scripts.
const STACK_BYTES: usize = 256 * 1024;

/// What contexts have. No promises of the future, no proxies, no shared memory, no weak references.
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
    intrinsic::Promise,
);

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Drops from top to bottom: what is kept of a context goes before it, contexts before their runtime.
struct Engine {
    tenants: Vec<Tenant>,
    runtime: Runtime,
    watch: Arc<Watch>,
    /// Bytes that the engine has when no script runs.
    idle_bytes: usize,
    uses: u64,
}

struct Tenant {
    name: Box<str>,
    last_use: u64,
    functions: HashMap<u64, Kept>,
    set_now: Kept,
    compile: Kept,
    date: Kept,
    context: Context,
}

type Kept = Persistent<Function<'static>>;

/// Runs a script and writes its result.
pub(crate) fn run(
    script: &Script,
    tenant: &str,
    arguments: &[Operand<'_>],
    now: i64,
    limits: &EvalLimits,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    with_engine(|engine| engine.run(script, tenant, arguments, now, limits, out))
}

/// Compiles a script, and runs nothing of it.
pub(crate) fn check(script: &Script) -> Result<(), Flaw> {
    let checked = with_engine(|engine| Ok(engine.check(script)));
    checked.unwrap_or_else(|fault| Err(Flaw::new(fault.at, fault.message)))
}

fn with_engine<T>(work: impl FnOnce(&mut Engine) -> Result<T, Fault>) -> Result<T, Fault> {
    ENGINE.with(|slot| {
        let Ok(mut slot) = slot.try_borrow_mut() else {
            return Err(Fault::failed(0, "a script cannot run within a script"));
        };
        let engine = match &mut *slot {
            Some(engine) => engine,
            None => slot.insert(Engine::new().map_err(|error| broken(&error))?),
        };
        // The engine's wrapper asserts what a script can make untrue; that is the script's fault, not the thread's.
        let done = catch_unwind(AssertUnwindSafe(|| work(engine))).unwrap_or_else(|_| {
            Err(Fault {
                kind: EvalErrorKind::Size,
                at: 0,
                message: "the script broke the engine".to_owned(),
            })
        });
        // Jobs would run in a later evaluation, and what took too much may have left the heap full.
        let spoilt = done
            .as_ref()
            .is_err_and(|fault| fault.kind != EvalErrorKind::Failed);
        if spoilt || engine.runtime.is_job_pending() {
            *slot = None;
        }
        done
    })
}

fn broken(error: &rquickjs::Error) -> Fault {
    Fault {
        kind: EvalErrorKind::Size,
        at: 0,
        message: format!("the script engine does not start: {error}"),
    }
}

impl Engine {
    fn new() -> rquickjs::Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_max_stack_size(STACK_BYTES);
        let watch = Arc::new(Watch {
            born: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            rang: AtomicBool::new(false),
            budget: AtomicUsize::new(0),
        });
        let handler = Arc::clone(&watch);
        runtime.set_interrupt_handler(Some(Box::new(move || handler.ring())));
        Ok(Self {
            tenants: Vec::new(),
            runtime,
            watch,
            idle_bytes: 0,
            uses: 0,
        })
    }

    /// Lifts the limits, for work of the host's own.
    fn unlimited(&self) {
        self.runtime.set_memory_limit(0);
        self.watch.start(Duration::from_secs(60), 0);
    }

    /// Looks at what the engine has now, which takes a walk over its heap.
    fn weigh(&mut self) {
        self.idle_bytes = usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or_default();
    }

    /// The place of a tenant's context, which is made when there is none.
    fn tenant(&mut self, name: &str) -> rquickjs::Result<usize> {
        self.uses += 1;
        let place = match self.tenants.iter().position(|tenant| *tenant.name == *name) {
            Some(place) => place,
            None => {
                self.unlimited();
                if self.tenants.len() >= MAX_CONTEXTS {
                    self.evict();
                }
                let made = Tenant::new(name, &self.runtime, &self.watch)?;
                self.tenants.push(made);
                self.weigh();
                self.tenants.len() - 1
            }
        };
        if let Some(tenant) = self.tenants.get_mut(place) {
            tenant.last_use = self.uses;
        }
        Ok(place)
    }

    fn evict(&mut self) {
        let oldest = self
            .tenants
            .iter()
            .enumerate()
            .min_by_key(|(_, tenant)| tenant.last_use);
        if let Some((place, _)) = oldest {
            self.tenants.swap_remove(place);
            self.runtime.run_gc();
        }
    }

    fn check(&mut self, script: &Script) -> Result<(), Flaw> {
        // No tenant has an empty name.
        let place = self.tenant("").map_err(|error| Flaw::new(0, error.to_string()))?;
        self.unlimited();
        let Some(tenant) = self.tenants.get(place) else {
            return Ok(());
        };
        tenant.context.with(|ctx| match tenant.compile(&ctx, script) {
            Ok(_) => Ok(()),
            Err(error) => Err(syntax(&ctx, &error, script)),
        })
    }

    fn run(
        &mut self,
        script: &Script,
        name: &str,
        arguments: &[Operand<'_>],
        now: i64,
        limits: &EvalLimits,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        // The context of the checks is nobody's.
        let name = if name.is_empty() { "\0" } else { name };
        let place = self.tenant(name).map_err(|error| broken(&error))?;
        self.prepare(place, script)?;
        let memory = self.idle_bytes.saturating_add(limits.memory_bytes);
        self.runtime.set_memory_limit(memory.max(1));
        self.watch
            .start(Duration::from_millis(limits.millis), limits.memory_bytes);
        let Some(tenant) = self.tenants.get(place) else {
            return Ok(());
        };
        let watch = &self.watch;
        tenant.context.with(|ctx| {
            let call = || -> rquickjs::Result<Any<'_>> {
                let set_now = tenant.set_now.clone().restore(&ctx)?;
                set_now.call::<_, ()>((now as f64,))?;
                let Some(function) = tenant.functions.get(&script.id) else {
                    return Err(rquickjs::Error::Unknown);
                };
                let function = function.clone().restore(&ctx)?;
                let mut given = Args::new(ctx.clone(), arguments.len());
                for argument in arguments {
                    given.push_arg(into_script(&ctx, argument)?)?;
                }
                function.call_arg(given)
            };
            let fail = |error: &rquickjs::Error| {
                exception(&ctx, error, script, watch.rang.load(Ordering::Relaxed), limits)
            };
            let result = call().map_err(|error| fail(&error))?;
            // A script may catch what its last look at the clock threw.
            if watch.rang.load(Ordering::Relaxed) {
                return Err(fail(&rquickjs::Error::Exception));
            }
            let date = tenant.date.clone().restore(&ctx).map_err(|error| fail(&error))?;
            let mut reading = Reading::new(date, limits.output_bytes);
            let start = out.len();
            reading.write(&result, Writer::new(out)).map_err(|error| {
                out.truncate(start);
                match reading.stopped.take() {
                    Some(Stopped::Thrown) => fail(&rquickjs::Error::Exception),
                    Some(Stopped::Size) => Fault::size(0, limits.output_bytes),
                    Some(Stopped::Unfit(message)) => Fault::failed(0, message),
                    None => Fault::failed(0, format!("the result is no value: {error}")),
                }
            })
        })
    }

    /// Compiles the script for a tenant that has not run it yet.
    fn prepare(&mut self, place: usize, script: &Script) -> Result<(), Fault> {
        let Some(tenant) = self.tenants.get(place) else {
            return Ok(());
        };
        if tenant.functions.contains_key(&script.id) {
            return Ok(());
        }
        self.unlimited();
        if let Some(tenant) = self.tenants.get_mut(place) {
            if tenant.functions.len() >= MAX_FUNCTIONS {
                tenant.functions.clear();
            }
            let Tenant { context, compile, .. } = tenant;
            let function = context.with(|ctx| {
                compiled(&ctx, compile, script)
                    .map(|function| Persistent::save(&ctx, function))
                    .map_err(|error| syntax(&ctx, &error, script))
            });
            let function = function.map_err(|flaw| Fault {
                kind: EvalErrorKind::Failed,
                at: flaw.at,
                message: flaw.message,
            })?;
            tenant.functions.insert(script.id, function);
        }
        self.weigh();
        Ok(())
    }
}

fn compiled<'js>(ctx: &Ctx<'js>, compile: &Kept, script: &Script) -> rquickjs::Result<Function<'js>> {
    compile.clone().restore(ctx)?.call((&*script.function,))
}

impl Tenant {
    fn new(name: &str, runtime: &Runtime, watch: &Arc<Watch>) -> rquickjs::Result<Self> {
        let context = Context::custom::<Intrinsics>(runtime)?;
        let watch = Arc::clone(watch);
        let (set_now, compile, date) = context.with(|ctx| -> rquickjs::Result<_> {
            let setup: Function<'_> = ctx.eval_with_options(include_str!("prelude.js"), global())?;
            let names: Vec<&str> = Tool::ALL.iter().map(|tool| tool.name()).collect();
            let clock = Arc::clone(&watch);
            let is_late = Function::new(ctx.clone(), move || clock.ring())?;
            let kept: Array<'_> = setup.call((tools(&ctx, watch)?, names, is_late))?;
            let keep = |index: usize| -> rquickjs::Result<Kept> {
                let function: Function<'_> = kept.get(index)?;
                Ok(Persistent::save(&ctx, function))
            };
            Ok((keep(0)?, keep(1)?, keep(2)?))
        })?;
        Ok(Self {
            name: name.into(),
            last_use: 0,
            functions: HashMap::new(),
            set_now,
            compile,
            date,
            context,
        })
    }

    fn compile<'js>(&self, ctx: &Ctx<'js>, script: &Script) -> rquickjs::Result<Function<'js>> {
        compiled(ctx, &self.compile, script)
    }
}

fn global() -> rquickjs::context::EvalOptions {
    let mut options = rquickjs::context::EvalOptions::default();
    options.global = true;
    options.strict = true;
    options.filename = Some("prelude".to_owned());
    options
}
