//! UNSAFE ZONE 2: maps libraries, enters plugin code, unmaps.
//!
//! Invariant: plugin code is entered only through a [`Pass`](patchbay_lease::Pass) of the plugin's own gate, and the
//! library is closed only on the gate's evidence that it is closed and empty. What the plugin does on the other side
//! of a call is its duty, stated in `plugin_api::abi`.

pub(crate) mod handover;
mod instances;
pub(crate) mod interpose;
mod keys;
pub(crate) mod library;
pub(crate) mod lookup;
pub(crate) mod parking;
pub(crate) mod plugin;
pub(crate) mod slots;
pub(crate) mod tally;
pub(crate) mod trap;

use plugin_api::abi::{PluginTable, Status};
use plugin_api::shim::host::{HostSink, PluginEntry, TableError};

/// Reads the tables of a mapped library.
pub(crate) fn read_entry(
    _mapped: &library::Mapped,
    table: *const PluginTable,
) -> Result<PluginEntry, TableError> {
    // SAFETY: the table came from the library's own entry point, and the library is mapped.
    unsafe { PluginEntry::read(table) }
}

/// Asks a mapped library for its metadata.
pub(crate) fn describe(_mapped: &library::Mapped, entry: &PluginEntry, out: &mut HostSink) -> Status {
    // SAFETY: the library is mapped and borrowed until this returns.
    unsafe { entry.describe(out) }
}
