//! `#[node]`: a function or an `impl Node` block becomes an `Export`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, ImplItem, Item, ItemFn, ItemImpl, Lifetime, Lit, LitStr,
    Meta, PathArguments, Result, ReturnType, Type,
};

use crate::arguments::Arguments;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let Some(id) = arguments.id.clone() else {
        return Err(Error::new(
            Span::call_site(),
            "needs an id: #[node(id = \"category.name\")]",
        ));
    };
    match syn::parse2(item)? {
        Item::Fn(function) => of_function(&arguments, &id, &function),
        Item::Impl(block) => of_impl(&arguments, &id, &block),
        other => Err(Error::new_spanned(
            other,
            "works on a function or on an `impl Node for ...` block",
        )),
    }
}

fn of_function(arguments: &Arguments, id: &LitStr, function: &ItemFn) -> Result<TokenStream> {
    if let Some(parameter) = function.sig.generics.type_params().next() {
        return Err(Error::new_spanned(parameter, "a node has no type parameters"));
    }
    let name = &function.sig.ident;
    let vis = &function.vis;
    let is_async = function.sig.asyncness.is_some();
    let (input, passes) = inputs(function)?;
    let (output, fallible) = result(&function.sig.output);
    let await_ = if is_async { quote!(.await) } else { quote!() };
    let question = if fallible { quote!(?) } else { quote!() };
    let call = quote!(#name(#(#passes),*)#await_ #question);
    let meta = meta(
        arguments,
        id,
        &docs(&function.attrs),
        &input,
        &output,
        &quote!(()),
        is_async,
        false,
    );
    let table = if is_async {
        quote!(async_table)
    } else {
        quote!(sync_table)
    };
    let run = if is_async {
        quote! {
            impl ::plugin_api::export::ExportAsync for #name {
                async fn start<'c>(
                    _instance: &'c (),
                    input: ::plugin_api::value::ValueRef<'c>,
                    ctx: ::plugin_api::Ctx<'c>,
                ) -> ::core::result::Result<::plugin_api::value::Value, ::plugin_api::NodeError> {
                    let output = #call;
                    ::plugin_api::export::encode_result(&output)
                }
            }
        }
    } else {
        quote! {
            impl ::plugin_api::export::ExportSync for #name {
                fn execute(
                    _instance: &(),
                    input: ::plugin_api::value::ValueRef<'_>,
                    ctx: &::plugin_api::Ctx<'_>,
                    reply: &mut ::plugin_api::Reply<'_>,
                ) -> ::core::result::Result<(), ::plugin_api::NodeError> {
                    let _ = (&input, ctx);
                    let output = #call;
                    reply.write(&output)
                }
            }
        }
    };
    Ok(quote! {
        // Parameters come by value, whatever the body does with them: they were read for this call alone.
        #[allow(clippy::needless_pass_by_value)]
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs, dead_code)]
        #vis struct #name {}

        const _: () = {
            impl ::plugin_api::export::Export for #name {
                type Instance = ();
                const NODE_TYPE: &'static str = #id;
                const STATEFUL: bool = false;
                const TABLE: ::plugin_api::abi::NodeTable = ::plugin_api::export::#table::<Self>();

                fn meta() -> ::plugin_api::meta::NodeMeta {
                    #meta
                }

                fn create(
                    _config: ::plugin_api::value::ValueRef<'_>,
                    _ctx: &::plugin_api::Ctx<'_>,
                ) -> ::core::result::Result<(), ::plugin_api::NodeError> {
                    ::core::result::Result::Ok(())
                }
            }

            #run
        };
    })
}

fn of_impl(arguments: &Arguments, id: &LitStr, block: &ItemImpl) -> Result<TokenStream> {
    let named_node = block
        .trait_
        .as_ref()
        .and_then(|(path, _)| path.segments.last())
        .is_some_and(|segment| segment.ident == "Node");
    if !named_node {
        return Err(Error::new_spanned(block, "works on `impl Node for ...`"));
    }
    let this = &block.self_ty;
    let associated = |name: &str| {
        block.items.iter().find_map(|item| match item {
            ImplItem::Type(item) if item.ident == name => Some(item.ty.clone()),
            _ => None,
        })
    };
    let missing = |name: &str| Error::new_spanned(this, format!("the block lacks `type {name} = ...;`"));
    let mut input = associated("Input").ok_or_else(|| missing("Input"))?;
    StaticLifetimes.visit_type_mut(&mut input);
    let output = associated("Output").ok_or_else(|| missing("Output"))?;
    let config = associated("Config").ok_or_else(|| missing("Config"))?;
    let meta = meta(
        arguments,
        id,
        &docs(&block.attrs),
        &quote!(#input),
        &quote!(#output),
        &quote!(#config),
        false,
        true,
    );
    Ok(quote! {
        #block

        const _: () = {
            use ::plugin_api::Node as _;

            impl ::plugin_api::export::Export for #this {
                type Instance = Self;
                const NODE_TYPE: &'static str = #id;
                const STATEFUL: bool = true;
                const TABLE: ::plugin_api::abi::NodeTable = ::plugin_api::export::sync_table::<Self>();

                fn meta() -> ::plugin_api::meta::NodeMeta {
                    #meta
                }

                fn create(
                    config: ::plugin_api::value::ValueRef<'_>,
                    ctx: &::plugin_api::Ctx<'_>,
                ) -> ::core::result::Result<Self, ::plugin_api::NodeError> {
                    <Self as ::plugin_api::Node>::create(::plugin_api::export::configuration(config)?, ctx)
                }

                fn save_state(
                    instance: &Self,
                ) -> ::core::result::Result<::core::option::Option<::plugin_api::value::Value>, ::plugin_api::NodeError>
                {
                    <Self as ::plugin_api::Node>::save_state(instance)
                }

                fn load_state(
                    instance: &mut Self,
                    from_version: &str,
                    state: ::plugin_api::value::ValueRef<'_>,
                ) -> ::core::result::Result<(), ::plugin_api::NodeError> {
                    <Self as ::plugin_api::Node>::load_state(instance, from_version, state)
                }
            }

            impl ::plugin_api::export::ExportSync for #this {
                fn execute(
                    instance: &Self,
                    input: ::plugin_api::value::ValueRef<'_>,
                    ctx: &::plugin_api::Ctx<'_>,
                    reply: &mut ::plugin_api::Reply<'_>,
                ) -> ::core::result::Result<(), ::plugin_api::NodeError> {
                    let output = <Self as ::plugin_api::Node>::execute(
                        instance,
                        ::plugin_api::export::parameters(input)?,
                        ctx,
                    )?;
                    reply.write(&output)
                }
            }
        };
    })
}

/// The type of the parameters and what to pass for each argument of the function.
fn inputs(function: &ItemFn) -> Result<(TokenStream, Vec<TokenStream>)> {
    let mut input = None;
    let mut passes = Vec::new();
    for argument in &function.sig.inputs {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new_spanned(argument, "a node is a free function"));
        };
        if is_ctx(&argument.ty) {
            passes.push(quote!(ctx));
        } else if input.is_none() {
            let mut ty = (*argument.ty).clone();
            StaticLifetimes.visit_type_mut(&mut ty);
            input = Some(quote!(#ty));
            passes.push(quote!(::plugin_api::export::parameters(input)?));
        } else {
            return Err(Error::new_spanned(
                argument,
                "a node takes its parameters as one struct, and optionally the context",
            ));
        }
    }
    Ok((
        input.unwrap_or_else(|| quote!(::plugin_api::NoParameters)),
        passes,
    ))
}

fn is_ctx(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_ctx(&reference.elem),
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Ctx"),
        _ => false,
    }
}

/// The type of the result, and whether it comes in a `Result`.
fn result(output: &ReturnType) -> (TokenStream, bool) {
    let ReturnType::Type(_, ty) = output else {
        return (quote!(()), false);
    };
    if let Type::Path(path) = &**ty
        && let Some(segment) = path.path.segments.last()
        && segment.ident.to_string().ends_with("Result")
        && let PathArguments::AngleBracketed(generics) = &segment.arguments
        && let Some(GenericArgument::Type(ok)) = generics.args.first()
    {
        let mut ok = ok.clone();
        StaticLifetimes.visit_type_mut(&mut ok);
        return (quote!(#ok), true);
    }
    let mut ty = (**ty).clone();
    StaticLifetimes.visit_type_mut(&mut ty);
    (quote!(#ty), false)
}

/// Schemas do not depend on lifetimes; naming them `'static` makes a type nameable outside its function.
struct StaticLifetimes;

impl VisitMut for StaticLifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = Lifetime::new("'static", lifetime.span());
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime = Some(Lifetime::new("'static", Span::call_site()));
        self.visit_type_mut(&mut reference.elem);
    }
}

fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[expect(
    clippy::too_many_arguments,
    reason = "the facts of a node, gathered in one place"
)]
fn meta(
    arguments: &Arguments,
    id: &LitStr,
    docs: &str,
    input: &TokenStream,
    output: &TokenStream,
    config: &TokenStream,
    is_async: bool,
    stateful: bool,
) -> TokenStream {
    let text = |given: &Option<LitStr>, default: &str| {
        given.as_ref().map_or_else(|| default.to_owned(), LitStr::value)
    };
    let id_text = id.value();
    let category = text(&arguments.category, id_text.split('.').next().unwrap_or_default());
    let version = text(&arguments.version, "");
    let description = text(&arguments.description, docs);
    let host_api = text(&arguments.host_api, "");
    let author = text(&arguments.author, "");
    let icon = text(&arguments.icon, "");
    let effect = match text(&arguments.effect, "effectful").as_str() {
        "pure" => format_ident!("Pure"),
        "idempotent" => format_ident!("Idempotent"),
        _ => format_ident!("Effectful"),
    };
    let timeout_ms = arguments
        .timeout_ms
        .as_ref()
        .map_or_else(|| quote!(0), |literal| quote!(#literal));
    let experimental = arguments.experimental;
    let capabilities = arguments
        .capabilities
        .iter()
        .map(|capability| match capability.value().as_str() {
            "network" => format_ident!("Network"),
            "fs" => format_ident!("Fs"),
            _ => format_ident!("Secrets"),
        });
    let Arguments {
        tags,
        aliases,
        depends,
        secrets,
        ..
    } = arguments;
    let examples = arguments.examples.iter().map(|example| {
        let title = text(&example.title, "");
        let (input, output) = (&example.input, &example.output);
        quote!(::plugin_api::export::example(#title, #input, #output))
    });
    quote! {
        ::plugin_api::export::complete(::plugin_api::meta::NodeMeta {
            node_type: #id.into(),
            aliases: ::std::vec![#(#aliases.into()),*],
            version: #version.into(),
            category: #category.into(),
            description: #description.into(),
            required: ::std::vec::Vec::new(),
            parameters: ::plugin_api::export::schema::<#input>(),
            result: ::plugin_api::export::result_schema::<#output>(),
            config: ::plugin_api::export::schema::<#config>(),
            dependencies: ::std::vec![#(::plugin_api::export::dependency(#depends)),*],
            host_api: #host_api.into(),
            tags: ::std::vec![#(#tags.into()),*],
            author: #author.into(),
            icon: #icon.into(),
            experimental: #experimental,
            effect: ::plugin_api::meta::Effect::#effect,
            timeout_ms: #timeout_ms,
            capabilities: ::std::vec![#(::plugin_api::meta::Capability::#capabilities),*],
            secrets: ::std::vec![#(#secrets.into()),*],
            is_async: #is_async,
            stateful: #stateful,
            examples: ::std::vec![#(#examples),*],
        })
    }
}
