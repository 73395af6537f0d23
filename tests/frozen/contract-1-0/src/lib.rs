//! The first contract as it was, and a plugin over it, written without the SDK.
//!
//! Invariant: `abi.rs` and `note.rs` are copies of those of contract 1.0 and are never edited; a host of every later
//! minor loads what this crate builds. It defines its entry points by hand, hence it may use `unsafe`.
#![expect(
    unsafe_code,
    reason = "entry points of a plugin, written without the SDK that wraps them"
)]

pub mod abi;
pub mod note;
mod plugin;

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// Changes when an old plugin can no longer load.
    pub major: u32,
    /// Grows with each addition.
    pub minor: u32,
}

/// The first contract.
pub const CONTRACT: Contract = Contract { major: 1, minor: 0 };

const fn lend(bytes: &'static [u8]) -> abi::Bytes {
    abi::Bytes {
        ptr: bytes.as_ptr(),
        len: bytes.len(),
    }
}
