//! `#[parameters]`, `#[output]`, `#[state]`: derives that need no dependency but `plugin_api`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{Error, Expr, Field, Item, Lifetime, LitStr, Result, Token, parenthesized, parse_quote, token};

pub(crate) enum Derive {
    Deserialize,
    Serialize,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream, derives: &[Derive]) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(
            arguments,
            "takes no arguments; use #[serde(...)] on the item",
        ));
    }
    let mut item: Item = syn::parse2(item)?;
    if derives.iter().any(|derive| matches!(derive, Derive::Deserialize)) {
        match &mut item {
            Item::Struct(item) => item.fields.iter_mut().try_for_each(read)?,
            Item::Enum(item) => {
                let mut variants = item.variants.iter_mut();
                variants.try_for_each(|variant| variant.fields.iter_mut().try_for_each(read))?;
            }
            _ => {}
        }
    }
    let attributes = match &mut item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        other => return Err(Error::new_spanned(other, "works on a struct or an enum")),
    };
    let renames = attributes.iter().any(|attribute| {
        attribute.path().is_ident("serde")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("rename_all"))
    });
    let rename = if renames {
        quote!()
    } else {
        quote!(#[serde(rename_all = "camelCase")])
    };
    let derives = derives.iter().map(|derive| match derive {
        Derive::Deserialize => quote!(::plugin_api::serde::Deserialize),
        Derive::Serialize => quote!(::plugin_api::serde::Serialize),
    });
    Ok(quote! {
        #[derive(#(#derives,)* ::plugin_api::schemars::JsonSchema)]
        #[serde(crate = "::plugin_api::serde")]
        #[schemars(crate = "::plugin_api::schemars")]
        #rename
        #item
    })
}

/// What a field that is read needs beside what its author wrote.
fn read(field: &mut Field) -> Result<()> {
    borrow(field);
    tell_aliases(field)
}

/// Writes a field's other names into its schema, as `x-aliases`: serde knows them, and nobody who reads the schema would.
fn tell_aliases(field: &mut Field) -> Result<()> {
    let says_so = field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("schemars")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("x-aliases"))
    });
    let mut names: Vec<LitStr> = Vec::new();
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("alias") {
                names.push(meta.value()?.parse()?);
            } else if meta.input.peek(Token![=]) {
                meta.value()?.parse::<Expr>()?;
            } else if meta.input.peek(token::Paren) {
                let inner;
                parenthesized!(inner in meta.input);
                inner.parse::<TokenStream>()?;
            }
            Ok(())
        })?;
    }
    if !names.is_empty() && !says_so {
        field
            .attrs
            .push(parse_quote!(#[schemars(extend("x-aliases" = [#(#names),*]))]));
    }
    Ok(())
}

/// Adds `#[serde(borrow)]` to a field with a lifetime. serde does so for `&str` alone: without it a `Cow` is always
/// copied, and a `ValueRef` does not compile.
fn borrow(field: &mut Field) {
    let says_so = field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("serde")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("borrow"))
    });
    let mut lifetimes = Lifetimes::default();
    lifetimes.visit_type_mut(&mut field.ty);
    if lifetimes.of_the_call && !lifetimes.of_the_program && !says_so {
        field.attrs.push(parse_quote!(#[serde(borrow)]));
    }
}

#[derive(Default)]
struct Lifetimes {
    of_the_call: bool,
    of_the_program: bool,
}

impl VisitMut for Lifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        let of_the_program = lifetime.ident == "static";
        self.of_the_program |= of_the_program;
        self.of_the_call |= !of_the_program;
    }
}
