//! Invariant: everything that a tenant's repository knows is in the tenant's key-value store, under keys that begin with
//! `packagerepo/`, and what several callers write at once is changed in one step.
//!
//! | keys | hold |
//! |---|---|
//! | `packagerepo/kv/KEY` | what `kvPut` was given |
//! | `packagerepo/index/INDEX/KEY` | the entries of a package, a list |
//! | `packagerepo/blob/sha256/DIGEST`, `packagerepo/blob/key/KEY` | bytes |
//! | `packagerepo/users/NAME` | `{username, passwordHash, scopes, disabled}`; `userPut` writes it |
//!
//! Documents of this dialect name what earlier nodes gave: a node's `out` names a variable of the run, and later
//! parameters read it as `$NAME.FIELD`, alone or within a text. The module `reference` says what such a name can mean.
#![forbid(unsafe_code)]

mod account;
mod blob;
mod document;
mod entity;
mod form;
mod index;
mod moment;
mod other;
mod path;
mod reference;
mod respond;
mod schema;
mod store;
mod token;
mod version;
mod versions;

use plugin_api::prelude::*;

use crate::account::{user_put, verify_password};
use crate::blob::{blob_get, blob_put};
use crate::document::parse_json;
use crate::entity::{normalize_entity, validate_entity};
use crate::form::{output_set, validate_required};
use crate::index::{index_query, index_upsert};
use crate::path::parse_path;
use crate::respond::{respond_blob, respond_error, respond_json};
use crate::store::{kv_get, kv_put};
use crate::token::{check_scopes, generate_jwt, verify_jwt};
use crate::versions::{enrich_version_list, resolve_latest_version};

export_plugin! {
    name: "packagerepo",
    needs: "1.2",
    nodes: [
        blob_get,
        blob_put,
        check_scopes,
        enrich_version_list,
        generate_jwt,
        index_query,
        index_upsert,
        kv_get,
        kv_put,
        normalize_entity,
        output_set,
        parse_json,
        parse_path,
        resolve_latest_version,
        respond_blob,
        respond_error,
        respond_json,
        user_put,
        validate_entity,
        validate_required,
        verify_jwt,
        verify_password,
    ],
}

#[cfg(test)]
mod tests;
