//! Wakers across the line, in both directions.

#[cfg(feature = "host")]
use std::ffi::c_void;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::abi::{WakerHandle, WakerTable};

/// A `Waker` of this side that wakes through the other side's handle.
///
/// # Safety
/// 1. `handle` and its table are valid (duty A3); `handle` is owned: nobody else ends it.
pub(crate) unsafe fn owned_waker(handle: WakerHandle) -> Waker {
    let data = Box::into_raw(Box::new(handle));
    // SAFETY: `VTABLE` upholds the contract of `RawWaker`: `data` is a box that `wake` or `drop` frees once.
    unsafe { Waker::from_raw(RawWaker::new(data.cast_const().cast(), &VTABLE)) }
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// # Safety
/// 1. `data` is from `owned_waker` and not yet ended.
unsafe fn handle(data: *const ()) -> WakerHandle {
    // SAFETY: duty 1.
    unsafe { *data.cast::<WakerHandle>() }
}

/// # Safety
/// 1. As `handle`.
unsafe fn table(handle: WakerHandle) -> WakerTable {
    // SAFETY: duty A3: the table lives as long as the host.
    unsafe { *handle.table }
}

/// # Safety
/// 1. As `handle`.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: duty 1.
    let old = unsafe { handle(data) };
    // SAFETY: duty 1.
    let table = unsafe { table(old) };
    // SAFETY: duty A3: `clone` may be called with a handle's data from any thread.
    let new = unsafe { (table.clone)(old.data) };
    let boxed = Box::into_raw(Box::new(WakerHandle {
        data: new,
        table: old.table,
    }));
    RawWaker::new(boxed.cast_const().cast(), &VTABLE)
}

/// # Safety
/// 1. As `handle`; `data` is ended by this.
unsafe fn wake(data: *const ()) {
    // SAFETY: duty 1: the box was made by `owned_waker` or `clone` and is given up here.
    let old = *unsafe { Box::from_raw(data.cast_mut().cast::<WakerHandle>()) };
    // SAFETY: duty 1.
    let table = unsafe { table(old) };
    // SAFETY: duty A3: `wake` ends the handle, which nobody uses after this.
    unsafe { (table.wake)(old.data) };
}

/// # Safety
/// 1. As `handle`.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: duty 1.
    let old = unsafe { handle(data) };
    // SAFETY: duty 1.
    let table = unsafe { table(old) };
    // SAFETY: duty A3.
    unsafe { (table.wake_by_ref)(old.data) };
}

/// # Safety
/// 1. As `handle`; `data` is ended by this.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: duty 1: the box was made by `owned_waker` or `clone` and is given up here.
    let old = *unsafe { Box::from_raw(data.cast_mut().cast::<WakerHandle>()) };
    // SAFETY: duty 1.
    let table = unsafe { table(old) };
    // SAFETY: duty A3: `drop` ends the handle, which nobody uses after this.
    unsafe { (table.drop)(old.data) };
}

#[cfg(feature = "host")]
static EXPORTED: WakerTable = WakerTable {
    clone: exported_clone,
    wake: exported_wake,
    wake_by_ref: exported_wake_by_ref,
    drop: exported_drop,
};

#[cfg(feature = "host")]
fn boxed(waker: Waker) -> *const c_void {
    Box::into_raw(Box::new(waker)).cast_const().cast()
}

#[cfg(feature = "host")]
unsafe extern "C" fn exported_clone(data: *const c_void) -> *const c_void {
    // SAFETY: `data` is a box of `Lent` or of this function that has not been ended (the table's contract).
    let waker = unsafe { &*data.cast::<Waker>() };
    boxed(waker.clone())
}

#[cfg(feature = "host")]
unsafe extern "C" fn exported_wake(data: *const c_void) {
    // SAFETY: as `exported_clone`; ended here.
    let waker = unsafe { Box::from_raw(data.cast_mut().cast::<Waker>()) };
    waker.wake();
}

#[cfg(feature = "host")]
unsafe extern "C" fn exported_wake_by_ref(data: *const c_void) {
    // SAFETY: as `exported_clone`.
    let waker = unsafe { &*data.cast::<Waker>() };
    waker.wake_by_ref();
}

#[cfg(feature = "host")]
unsafe extern "C" fn exported_drop(data: *const c_void) {
    // SAFETY: as `exported_clone`; ended here.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<Waker>()) });
}

/// A handle that is lent for one `poll` and ended when this is dropped.
#[cfg(feature = "host")]
pub(crate) struct Lent(WakerHandle);

#[cfg(feature = "host")]
impl Lent {
    pub(crate) fn new(waker: &Waker) -> Self {
        Self(WakerHandle {
            data: boxed(waker.clone()),
            table: &EXPORTED,
        })
    }

    pub(crate) const fn handle(&self) -> &WakerHandle {
        &self.0
    }
}

#[cfg(feature = "host")]
impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the handle was made in `new`; the borrower only cloned it.
        unsafe { exported_drop(self.0.data) };
    }
}

/// The `Waker` behind a handle, when it is one of this side's own.
///
/// # Safety
/// 1. `handle` is lent for the running call and not ended.
#[cfg(feature = "host")]
pub(crate) unsafe fn clone_of_lent(handle: &WakerHandle) -> Option<Waker> {
    if !std::ptr::eq(handle.table, &raw const EXPORTED) {
        return None;
    }
    // SAFETY: duty 1, and the table shows that `data` is a box of `boxed`.
    let waker = unsafe { &*handle.data.cast::<Waker>() };
    Some(waker.clone())
}
