//! Functions by name, and a constructor.
//!
//! Invariant: the signatures are those of `native.rs`, which nothing but this sentence makes sure of; `changed` breaks it
//! for [`peer_scale`], on purpose.

use crate::marks::{Deed, deed, generation};

/// Does nothing.
#[unsafe(no_mangle)]
pub fn peer_noop() {}

/// Gives its input back.
#[unsafe(no_mangle)]
pub fn peer_echo(input: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(input);
}

/// Says which generation of the file this is.
#[unsafe(no_mangle)]
pub fn peer_generation() -> u64 {
    generation()
}

/// Makes ten times as much of a number.
#[cfg(not(feature = "changed"))]
#[unsafe(no_mangle)]
pub fn peer_scale(value: u64) -> u64 {
    value.wrapping_mul(10)
}

/// Makes more of a number.
#[cfg(feature = "changed")]
#[unsafe(no_mangle)]
pub fn peer_scale(value: u64, factor: u64) -> u64 {
    value.wrapping_mul(factor)
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

extern "C" fn begin() {
    match deed() {
        Deed::Nothing => {}
        Deed::Segfault => {
            // SAFETY: none; this is the crash that the variant is made for.
            let _ = unsafe { std::ptr::without_provenance::<u32>(8).read_volatile() };
        }
        Deed::Abort => std::process::abort(),
        Deed::Exit => std::process::exit(0),
        Deed::Spin => loop {
            std::hint::spin_loop();
        },
    }
}
