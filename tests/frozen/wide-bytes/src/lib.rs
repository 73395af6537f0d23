//! The plugin over the first contract, but for `Bytes`, which has a third field: a change of a shape, which no minor
//! may make.
#![expect(
    unsafe_code,
    reason = "entry points of a plugin, written without the SDK that wraps them"
)]

/// The types of the first contract, with the field that `build.rs` adds.
#[expect(non_camel_case_types, reason = "the names abi_stable's derive gives")]
pub mod abi {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}
#[path = "../../contract-1-0/src/note.rs"]
pub mod note;
#[path = "../../contract-1-0/src/plugin.rs"]
mod plugin;

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// Changes when an old plugin can no longer load.
    pub major: u32,
    /// Grows with each addition.
    pub minor: u32,
}

/// The first contract, which this is not.
pub const CONTRACT: Contract = Contract { major: 1, minor: 0 };

const fn lend(bytes: &'static [u8]) -> abi::Bytes {
    abi::Bytes {
        ptr: bytes.as_ptr(),
        len: bytes.len(),
        spare: 0,
    }
}
