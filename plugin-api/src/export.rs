//! What `#[node]` and `export_plugin!` expand to. Not for hand-written code.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub use crate::node::{Export, ExportAsync, ExportSync, Plugin};
pub use crate::reply::parameters;
pub use crate::shim::{async_table, plugin_table, root_module, root_ref, root_with_metadata, sync_table};
pub use abi_stable;

use crate::meta::{Dependency, Example, NodeMeta, PluginMeta};
use crate::value::{Value, ValueRef};
use crate::{Contract, NodeError, NodeResult};

/// The JSON Schema of what is read as a `T` (draft 2020-12), null for `()`.
#[must_use]
pub fn schema<T: JsonSchema>() -> Json {
    schema_by::<T>(SchemaSettings::draft2020_12())
}

/// The JSON Schema of what a `T` is written as; a type may read more than it writes.
#[must_use]
pub fn result_schema<T: JsonSchema>() -> Json {
    schema_by::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn schema_by<T: JsonSchema>(settings: SchemaSettings) -> Json {
    let schema = settings.with(|s| s.inline_subschemas = true).into_generator();
    let mut schema = schema.into_root_schema_for::<T>().to_value();
    if schema.get("type").and_then(Json::as_str) == Some("null") {
        return Json::Null;
    }
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
    }
    schema
}

/// Fills in what follows from other fields.
#[must_use]
pub fn complete(mut node: NodeMeta) -> NodeMeta {
    if let Some(required) = node.parameters.get("required").and_then(Json::as_array) {
        node.required = required
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
    }
    node
}

/// Reads `PLUGIN@RANGE`.
#[must_use]
pub fn dependency(text: &str) -> Dependency {
    let (plugin, range) = text.split_once('@').unwrap_or((text, "*"));
    Dependency {
        plugin: plugin.trim().into(),
        range: range.trim().into(),
    }
}

/// Reads an example; a text that is no JSON stays a text, which no test of the example will match.
#[must_use]
pub fn example(title: &str, input: &str, output: &str) -> Example {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()));
    Example {
        title: title.to_owned(),
        input: read(input),
        output: read(output),
    }
}

/// Encodes the result of an async node.
///
/// # Errors
/// When it cannot be encoded.
pub fn encode_result<T: Serialize + ?Sized>(output: &T) -> NodeResult<Value> {
    Value::from_serialize(output).map_err(|error| crate::shim::encoding_failed(&error))
}

/// Reads an instance's configuration.
///
/// # Errors
/// When it does not fit.
pub fn configuration<T: DeserializeOwned>(config: ValueRef<'_>) -> NodeResult<T> {
    crate::value::decode(config).map_err(|error| {
        NodeError::with_code(
            crate::error::code::VALIDATION_FAILED,
            format!("configuration: {error}"),
        )
    })
}

/// What `export_plugin!` knows of the plugin as a whole.
#[derive(Clone, Copy, Debug)]
pub struct PluginFacts {
    /// Name.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
    /// Description.
    pub description: &'static str,
    /// Authors.
    pub author: &'static str,
    /// The least contract it can work with.
    pub needs: Contract,
    /// `PLUGIN@RANGE` each.
    pub depends: &'static [&'static str],
}

/// Builds the metadata.
#[must_use]
pub fn plugin_meta(facts: PluginFacts, mut nodes: Vec<NodeMeta>) -> PluginMeta {
    let host_api = format!("^{}.{}.0", facts.needs.major, facts.needs.minor);
    for node in &mut nodes {
        fill(&mut node.version, facts.version);
        fill(&mut node.author, facts.author);
        fill(&mut node.host_api, &host_api);
    }
    PluginMeta {
        name: facts.name.into(),
        version: facts.version.into(),
        description: facts.description.into(),
        author: facts.author.into(),
        host_api,
        dependencies: facts.depends.iter().map(|text| dependency(text)).collect(),
        nodes,
    }
}

fn fill(field: &mut String, default: &str) {
    if field.is_empty() {
        default.clone_into(field);
    }
}

/// Makes a plugin of the nodes of this crate; once per crate, at its root.
///
/// ```
/// use plugin_api::prelude::*;
///
/// #[parameters]
/// struct Greet {
///     /// Whom to greet.
///     name: String,
/// }
///
/// /// Greets somebody.
/// #[node(id = "demo.greet", effect = "pure")]
/// fn greet(input: Greet) -> Answer<String> {
///     answer(format!("Hello, {}!", input.name))
/// }
///
/// export_plugin! {
///     name: "demo",
///     nodes: [greet],
/// }
/// # fn main() {}
/// ```
///
/// `version`, `description` and `author` come from the crate's `Cargo.toml`; `depends: ["text@^1.2"]` names plugins
/// that must be live before this one is.
///
/// `needs: "1.1"` says that the plugin cannot work on a host of an older contract, which then refuses it before it is
/// mapped. Without it a plugin needs the first minor alone, whatever the SDK it is built with: what came later is optional
/// in [`Ctx`](crate::Ctx) (such as [`wall_clock`](crate::Ctx::wall_clock), which is `None` on a host that lacks it).
#[macro_export]
macro_rules! export_plugin {
    (
        name: $name:literal,
        $(needs: $needs:literal,)?
        $(depends: [$($depends:literal),* $(,)?],)?
        $(shutdown: $shutdown:path,)?
        nodes: [$($node:path),+ $(,)?] $(,)?
    ) => {
        const _: () = {
            struct ThisPlugin;

            const NEEDS: $crate::Contract = {
                let needs = $crate::contract::FIRST;
                $(let needs = $crate::Contract::needed($needs);)?
                needs
            };

            impl $crate::export::Plugin for ThisPlugin {
                fn meta() -> $crate::meta::PluginMeta {
                    $crate::export::plugin_meta(
                        $crate::export::PluginFacts {
                            name: $name,
                            version: env!("CARGO_PKG_VERSION"),
                            description: env!("CARGO_PKG_DESCRIPTION"),
                            author: env!("CARGO_PKG_AUTHORS"),
                            needs: NEEDS,
                            depends: &[$($($depends),*)?],
                        },
                        ::std::vec![$(<$node as $crate::export::Export>::meta()),+],
                    )
                }

                $(fn end() {
                    $shutdown();
                })?
            }

            static NODES: &[$crate::abi::NodeTable] = &[$(<$node as $crate::export::Export>::TABLE),+];
            static PLUGIN: $crate::abi::PluginTable = $crate::export::plugin_table::<ThisPlugin>(NODES);
            const ROOT: &$crate::export::abi_stable::prefix_type::WithMetadata<$crate::abi::RootModule> =
                &$crate::export::root_with_metadata($crate::export::root_module(&PLUGIN));

            extern "C" fn root() -> $crate::export::abi_stable::library::RootModuleResult {
                $crate::export::abi_stable::library::__call_root_module_loader(|| $crate::export::root_ref(ROOT))
            }

            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            pub static HEADER: $crate::export::abi_stable::library::LibHeader = {
                // SAFETY: `root` returns the prefix reference of a `RootModule`, as the type argument says.
                unsafe {
                    $crate::export::abi_stable::library::LibHeader::from_constructor::<$crate::abi::RootModule_Ref>(
                        root,
                        $crate::export::abi_stable::library::CheckTypeLayout::Yes,
                    )
                }
            };

            #[used]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".note.patchbay"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__patchbay"))]
            pub static NOTE: $crate::note::Note = $crate::note::Note::of_this_build($name, env!("CARGO_PKG_VERSION"), NEEDS);
        };
    };
}
