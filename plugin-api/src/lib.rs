//! The contract between Patchbay and its plugins: write a function, get a workflow node.
//!
//! ```
//! use plugin_api::prelude::*;
//!
//! #[parameters]
//! struct Upper<'a> {
//!     /// The text to change.
//!     value: &'a str,
//! }
//!
//! /// Turns a text into capitals.
//! #[node(
//!     id = "text.upper",
//!     effect = "pure",
//!     example(title = "a word", input = r#"{"value": "hi"}"#, output = r#"{"result": "HI"}"#)
//! )]
//! fn upper(input: Upper<'_>) -> Answer<String> {
//!     answer(input.value.to_uppercase())
//! }
//!
//! export_plugin! {
//!     name: "text",
//!     nodes: [upper],
//! }
//! # fn main() {}
//! ```
//!
//! Build it as a `cdylib`, put the `.so` into a host's plugin directory, and it is live. What crosses the line, and
//! what each side owes the other, is in [`abi`]; values are in [`value`]; what a node says of itself is in [`meta`].
//!
//! A node that only computes is a plain function. One that waits is an `async fn` that takes [`Ctx`] by value. One that
//! keeps state is a type that implements [`Node`]. A panic is caught and reported with its place; it costs a stateful
//! node its instance.

pub mod abi;
#[cfg(feature = "testing")]
pub mod conformance;
pub mod contract;
mod ctx;
pub mod error;
#[doc(hidden)]
pub mod export;
pub mod meta;
mod node;
pub mod note;
pub mod reading;
mod reply;
#[expect(
    unsafe_code,
    reason = "zone 1: raw entry points, lent buffers, the panic fence"
)]
pub mod shim;
#[cfg(feature = "testing")]
#[expect(unsafe_code, reason = "calls entry points of the program it is part of")]
pub mod testing;
pub mod value;

pub use contract::{CONTRACT, Contract};
pub use ctx::{Ctx, Level, Sleep};
pub use error::NodeError;
pub use node::{Answer, Node, answer};
pub use plugin_api_macros::{node, output, parameters, state};
pub use reply::Reply;
#[doc(hidden)]
pub use {schemars, serde};

/// The version of this SDK, which says nothing of the contract: see [`CONTRACT`].
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a node returns.
pub type NodeResult<T> = Result<T, NodeError>;

/// Everything an author needs: `use plugin_api::prelude::*;`.
pub mod prelude {
    pub use crate::value::{Value, ValueRef};
    pub use crate::{
        Answer, Ctx, Level, Node, NodeError, NodeResult, answer, export_plugin, node, output, parameters,
        state,
    };
}

/// The parameters of a node that has none.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct NoParameters {}

mod root {
    use abi_stable::library::RootModule;
    use abi_stable::sabi_types::VersionStrings;

    use crate::abi::RootModule_Ref;

    impl RootModule for RootModule_Ref {
        abi_stable::declare_root_module_statics! {RootModule_Ref}
        const BASE_NAME: &'static str = "patchbay_plugin";
        const NAME: &'static str = "patchbay_plugin";
        const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
    }
}
