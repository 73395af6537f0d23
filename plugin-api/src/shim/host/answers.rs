//! The host's functions: what a plugin's questions run into, and the context that carries them.

use super::{Caller, Evaluation, HostServices, Refusal, Replaced, Store};
use crate::abi::{Bytes, Context, HostTable, Sink, Status, WakerHandle, evaluation, level, status, store};
use crate::shim::fence::fence;
use crate::shim::{SinkWriter, waker};
use crate::value::{Value, ValueError, ValueRef};
use crate::{CONTRACT, Contract};

/// A context with what it points to. Lives on the stack of one call, or in the box of one future.
pub(super) struct Frame<'c> {
    context: Context,
    services: &'c dyn HostServices,
}

impl<'c> Frame<'c> {
    #[inline]
    pub(super) fn new(caller: &Caller<'c>, services: &'c dyn HostServices, host: &'static HostTable) -> Self {
        let context = Context {
            size: size_of::<Context>() as u32,
            flags: 0,
            host,
            handle: std::ptr::null(),
            tenant: Bytes::lend(caller.tenant.as_bytes()),
            run: Bytes::lend(caller.run.as_bytes()),
            node: Bytes::lend(caller.node.as_bytes()),
            deadline: caller.deadline,
            cancel: caller.cancel.map_or(std::ptr::null(), std::ptr::from_ref),
        };
        Self { context, services }
    }

    /// The context to lend out; valid while `self` stays where it is.
    #[inline]
    pub(super) fn lend(&mut self) -> *const Context {
        self.context.handle = std::ptr::from_ref(&self.services).cast();
        &raw const self.context
    }
}

/// The host's functions as each minor has them, for the whole process.
static HOSTS: [HostTable; MINORS] = {
    let mut tables = [host_table(CONTRACT); MINORS];
    let mut minor = 0;
    while minor < MINORS {
        tables[minor] = host_table(Contract {
            minor: minor as u32,
            ..CONTRACT
        });
        minor += 1;
    }
    tables
};
const MINORS: usize = CONTRACT.minor as usize + 1;

/// The table that a host of this contract lends; a minor this build does not know is met with the last it does.
pub(super) const fn host_of(contract: Contract) -> &'static HostTable {
    let minor = contract.minor as usize;
    &HOSTS[if minor < MINORS { minor } else { MINORS - 1 }]
}

const fn host_table(contract: Contract) -> HostTable {
    HostTable {
        size: contract.host_table_size(),
        contract_major: contract.major,
        contract_minor: contract.minor,
        flags: 0,
        now: host_now,
        log: host_log,
        read: host_read,
        write: host_write,
        remove: host_remove,
        call: host_call,
        wake_after: host_wake_after,
        wall_clock: host_wall_clock,
        list: host_list,
        replace: host_replace,
        select_output: host_select_output,
        evaluate: host_evaluate,
    }
}

/// The contract this host speaks.
pub const HOST_CONTRACT: Contract = CONTRACT;

/// Runs `work` with the services behind a context; a panic of the host's own code becomes `failed`.
///
/// # Safety
/// 1. `context` is one that [`Frame::lend`] gave, of a call that has not ended.
unsafe fn served<T>(context: *const Context, failed: T, work: impl FnOnce(&dyn HostServices) -> T) -> T {
    // SAFETY: duty 1.
    let handle = unsafe { (*context).handle };
    // SAFETY: duty 1: `lend` made the handle of the frame's reference to its services.
    let services: &dyn HostServices = unsafe { *handle.cast::<&dyn HostServices>() };
    fence(|| work(services)).unwrap_or(failed)
}

/// # Safety
/// 1. `bytes` is as duty A1 says for the running call.
unsafe fn text<'c>(bytes: Bytes) -> Option<&'c str> {
    // SAFETY: duty 1.
    std::str::from_utf8(unsafe { bytes.borrow() }).ok()
}

const fn store_of(number: u32) -> Option<Store> {
    match number {
        store::VARIABLES => Some(Store::Variables),
        store::KEY_VALUE => Some(Store::KeyValue),
        store::SECRETS => Some(Store::Secrets),
        store::INPUTS => Some(Store::Inputs),
        store::SETTINGS => Some(Store::Settings),
        _ => None,
    }
}

unsafe extern "C" fn host_now(context: *const Context) -> u64 {
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe { served(context, 0, |services| services.now()) }
}

unsafe extern "C" fn host_wall_clock(context: *const Context) -> u64 {
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe { served(context, 0, |services| services.wall_clock()) }
}

unsafe extern "C" fn host_log(context: *const Context, level: u32, message: Bytes, fields: Bytes) {
    // SAFETY: the table's contract: lent for this call.
    let message = String::from_utf8_lossy(unsafe { message.borrow() });
    // SAFETY: as above.
    let fields = ValueRef::parse(unsafe { fields.borrow() }).ok();
    let level = level.clamp(level::ERROR, level::TRACE);
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe { served(context, (), |services| services.log(level, &message, fields)) };
}

unsafe extern "C" fn host_read(context: *const Context, store: u32, key: Bytes, out: *mut Sink) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.read(store, key) {
                Ok(Some(value)) => out
                    .write_value(value.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Ok(None) => status::ABSENT,
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_write(context: *const Context, store: u32, key: Bytes, value: Bytes) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(value) = ValueRef::parse(unsafe { value.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            services
                .write(store, key, value)
                .map_or_else(Refusal::status, |()| status::OK)
        })
    }
}

unsafe extern "C" fn host_remove(context: *const Context, store: u32, key: Bytes) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.remove(store, key) {
                Ok(true) => status::OK,
                Ok(false) => status::ABSENT,
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_list(context: *const Context, store: u32, out: *mut Sink) -> Status {
    let Some(store) = store_of(store) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.list(store) {
                Ok(pairs) => out
                    .write_value(pairs.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Err(refusal) => refusal.status(),
            }
        })
    }
}

/// What no bytes stand for: no value.
fn optional(bytes: &[u8]) -> Result<Option<ValueRef<'_>>, ValueError> {
    match bytes {
        [] => Ok(None),
        bytes => ValueRef::parse(bytes).map(Some),
    }
}

unsafe extern "C" fn host_replace(
    context: *const Context,
    store: u32,
    key: Bytes,
    expected: Bytes,
    value: Bytes,
) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(expected) = optional(unsafe { expected.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(value) = optional(unsafe { value.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.replace(store, key, expected, value) {
                Ok(Replaced::Done) => status::OK,
                Ok(Replaced::Differs) => status::DIFFERS,
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_select_output(context: *const Context, output: u32) -> Status {
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            services
                .select_output(output)
                .map_or_else(Refusal::status, |()| status::OK)
        })
    }
}

unsafe extern "C" fn host_evaluate(
    context: *const Context,
    kind: u32,
    source: Bytes,
    bindings: Bytes,
    out: *mut Sink,
) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let Ok(source) = ValueRef::parse(unsafe { source.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(bindings) = optional(unsafe { bindings.borrow() }) else {
        return status::MALFORMED;
    };
    let what = match (kind, source.as_str()) {
        (evaluation::EXPRESSION, Some(expression)) => Evaluation::Expression(expression),
        (evaluation::TEMPLATE, _) => Evaluation::Template(source),
        _ => return status::MALFORMED,
    };
    let none = Value::empty_map();
    let bindings = bindings.unwrap_or(none.as_ref());
    if bindings.as_map().is_none() {
        return status::MALFORMED;
    }
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.evaluate(what, bindings) {
                Ok(Ok(value)) => out
                    .write_value(value.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Ok(Err(error)) => out.fail(&error, status::FAILED),
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_call(
    context: *const Context,
    node_type: Bytes,
    input: Bytes,
    out: *mut Sink,
) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let Some(node_type) = (unsafe { text(node_type) }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(input) = ValueRef::parse(unsafe { input.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.call(node_type, input) {
                Ok(value) => out
                    .write_value(value.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Err(error) => out.fail(&error, status::FAILED),
            }
        })
    }
}

unsafe extern "C" fn host_wake_after(
    context: *const Context,
    nanos: u64,
    waker: *const WakerHandle,
) -> Status {
    // SAFETY: the table's contract: a handle that this host lent to the running poll, so its data is a `Waker` of
    // this side (see `Lent`).
    let waker = unsafe { &*waker };
    // SAFETY: as above: lent for this call.
    let waker = unsafe { waker::clone_of_lent(waker) };
    let Some(waker) = waker else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            services
                .wake_after(nanos, waker)
                .map_or_else(Refusal::status, |()| status::OK)
        })
    }
}
