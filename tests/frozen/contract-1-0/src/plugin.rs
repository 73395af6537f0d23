//! The plugin `echo` with one node, `fx.version`, which answers with the plugin's version.

use std::ffi::c_void;

use abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
use abi_stable::prefix_type::WithMetadata;
use abi_stable::sabi_types::VersionStrings;

use crate::abi::{
    Bytes, Call, Context, HostTable, NodeTable, PluginTable, RootModule, RootModule_Prefix, RootModule_Ref,
    Shapes, Sink, Status, status,
};
use crate::note::Note;
use crate::{CONTRACT, lend};

const VERSION: &str = env!("PLUGIN_VERSION");
const NODE: &str = "fx.version";

// SAFETY: a table is immutable after it is built; what it points to are functions and static texts.
unsafe impl Sync for NodeTable {}
// SAFETY: as above.
unsafe impl Send for NodeTable {}
// SAFETY: as above.
unsafe impl Sync for PluginTable {}
// SAFETY: as above.
unsafe impl Send for PluginTable {}
// SAFETY: as above.
unsafe impl Sync for RootModule {}
// SAFETY: as above.
unsafe impl Send for RootModule {}
// SAFETY: as above.
unsafe impl Sync for RootModule_Prefix {}
// SAFETY: as above.
unsafe impl Send for RootModule_Prefix {}

impl abi_stable::library::RootModule for RootModule_Ref {
    abi_stable::declare_root_module_statics! {RootModule_Ref}
    const BASE_NAME: &'static str = "patchbay_plugin";
    const NAME: &'static str = "patchbay_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

/// Writes `bytes` into the sink.
///
/// # Safety
/// 1. `out` is a sink of the host, lent for this call.
unsafe fn put(out: *mut Sink, bytes: &[u8]) -> Status {
    // SAFETY: duty 1.
    let reserve = unsafe { (*out).reserve };
    // SAFETY: duty 1; this writer has written nothing before.
    let answer = unsafe { reserve(out, bytes.len()) };
    if answer != status::OK {
        return answer;
    }
    // SAFETY: duty 1.
    let sink = unsafe { &mut *out };
    // SAFETY: `reserve` made room for these bytes after `len`.
    let end = unsafe { sink.data.add(sink.len) };
    // SAFETY: as above; the buffer is the host's, so it overlaps nothing of ours.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len()) };
    sink.len += bytes.len();
    status::OK
}

fn text(of: &str) -> Vec<u8> {
    [&[5][..], &(of.len() as u32).to_le_bytes(), of.as_bytes()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, Vec<u8>)| {
        [&(key.len() as u32).to_le_bytes()[..], key.as_bytes(), value].concat()
    };
    let body = entries.iter().flat_map(entry).collect();
    compound(8, entries.len(), body)
}

fn compound(tag: u8, count: usize, body: Vec<u8>) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_le_bytes();
    [&[tag][..], &length, &(count as u32).to_le_bytes(), &body].concat()
}

unsafe extern "C" fn describe(out: *mut Sink) -> Status {
    let node = map(&[
        ("nodeType", text(NODE)),
        ("version", text(VERSION)),
        ("hostApi", text("^1.0.0")),
        ("effect", text("pure")),
    ]);
    let meta = map(&[
        ("name", text("echo")),
        ("version", text(VERSION)),
        ("hostApi", text("^1.0.0")),
        ("nodes", compound(7, 1, node)),
    ]);
    // SAFETY: the host lends the sink for this call.
    unsafe { put(out, &meta) }
}

unsafe extern "C" fn start(_host: *const HostTable) -> Status {
    status::OK
}

unsafe extern "C" fn shutdown() -> Status {
    status::OK
}

unsafe extern "C" fn create(
    _config: Bytes,
    _context: *const Context,
    instance: *mut *mut c_void,
    _out: *mut Sink,
) -> Status {
    // SAFETY: the host lends a place for one pointer.
    unsafe { instance.write(std::ptr::null_mut()) };
    status::OK
}

unsafe extern "C" fn destroy(_instance: *mut c_void) {}

unsafe extern "C" fn execute(_instance: *const c_void, call: *const Call) -> Status {
    // SAFETY: the host lends the call.
    let call = unsafe { &*call };
    // SAFETY: the host lends the sink for this call.
    unsafe { put(call.out, &map(&[("result", text(VERSION))])) }
}

static NODES: [NodeTable; 1] = [NodeTable {
    size: size_of::<NodeTable>() as u32,
    flags: 0,
    node_type: lend(NODE.as_bytes()),
    create,
    destroy,
    execute: Some(execute),
    start: None,
    save_state: None,
    load_state: None,
}];
static PLUGIN: PluginTable = PluginTable {
    size: size_of::<PluginTable>() as u32,
    node_size: size_of::<NodeTable>() as u32,
    nodes: NODES.as_ptr(),
    node_count: NODES.len(),
    describe,
    start,
    shutdown,
};
const ROOT: &WithMetadata<RootModule> = &WithMetadata::new(RootModule {
    contract_major: CONTRACT.major,
    contract_minor: CONTRACT.minor,
    shapes: Shapes {
        call: std::ptr::null(),
        future: std::ptr::null(),
        waker: std::ptr::null(),
    },
    plugin: &raw const PLUGIN,
});

extern "C" fn root() -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(|| RootModule_Ref(ROOT.static_as_prefix()))
}

/// The entry.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: LibHeader = {
    // SAFETY: `root` returns the prefix reference of a `RootModule`, as the type argument says.
    unsafe { LibHeader::from_constructor::<RootModule_Ref>(root, CheckTypeLayout::Yes) }
};

/// The note.
#[used]
#[unsafe(link_section = ".note.patchbay")]
static NOTE: Note = Note::of_this_build("echo", VERSION);
