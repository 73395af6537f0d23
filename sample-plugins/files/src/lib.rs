//! Nodes for the files of a tenant.
//!
//! Invariant: nodes see what is below one folder, which the administrator named in the setting `files.folder`, and nothing
//! else: no `..`, no absolute path and no symbolic link leads out of it, whoever changes what while a node is at work. What
//! is no regular file is never read from or written to, so nothing hangs.
//!
//! ```text
//! parameters --Below::read--> Below --within(folder)--> Dir, opened --the node's work--> result
//!   the host's thread                      a thread of the plugin's own
//! ```
//!
//! Paths are looked up from the folder's handle, one step at a time or by the kernel's own guard (`openat2`), so the check
//! and the use are one.
#![forbid(unsafe_code)]

mod deletion;
mod failure;
mod folder;
mod json;
mod listing;
mod path;
mod reading;
mod standing;
mod transfer;
mod writing;

use plugin_api::prelude::*;

use crate::deletion::{file_delete, file_delete_all};
use crate::json::{file_read_json, file_write_json};
use crate::listing::file_list;
use crate::reading::file_read;
use crate::standing::{file_exists, file_mkdir, file_stat};
use crate::transfer::{file_copy, file_move};
use crate::writing::file_write;

export_plugin! {
    name: "files",
    needs: "1.3",
    shutdown: plugin_io::end,
    nodes: [
        file_copy,
        file_delete,
        file_delete_all,
        file_exists,
        file_list,
        file_mkdir,
        file_move,
        file_read,
        file_read_json,
        file_stat,
        file_write,
        file_write_json,
    ],
}

#[cfg(test)]
mod tests;
