//! The attributes of `plugin-api`; documented there, where they are re-exported.
//!
//! Invariant: what they emit is safe code against `plugin_api` alone, so a plugin may forbid `unsafe_code` and needs
//! no other dependency.
#![forbid(unsafe_code)]

mod arguments;
mod node;
mod shape;

use proc_macro::TokenStream;

/// Makes a node of a function or of an `impl Node for ...` block.
#[proc_macro_attribute]
pub fn node(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(node::expand(arguments.into(), item.into()))
}

/// Makes a struct or enum readable as a node's parameters or configuration.
#[proc_macro_attribute]
pub fn parameters(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(shape::expand(
        arguments.into(),
        item.into(),
        &[shape::Derive::Deserialize],
    ))
}

/// Makes a struct or enum writable as a node's result.
#[proc_macro_attribute]
pub fn output(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(shape::expand(
        arguments.into(),
        item.into(),
        &[shape::Derive::Serialize],
    ))
}

/// Makes a struct or enum both readable and writable, for state that is handed over.
#[proc_macro_attribute]
pub fn state(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(shape::expand(
        arguments.into(),
        item.into(),
        &[shape::Derive::Deserialize, shape::Derive::Serialize],
    ))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
