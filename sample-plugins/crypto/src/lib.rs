//! Invariant: no message shows a key, a password, a token or anything made of one; what is secret is compared in constant
//! time; and what is random comes from the operating system.
//!
//! Keys come as a parameter, `secret`, or by the name of a secret of the tenant, `secretName`. The name is better: what a
//! parameter says is kept with the record of a run.
//!
//! Digests, message codes and signatures are RustCrypto's and dalek's. What is built of them here (bcrypt, so that a call
//! that is cancelled ends; tokens, so that nothing of a token chooses how it is checked) is tested against published
//! values.
#![forbid(unsafe_code)]

mod algorithm;
mod bcrypt;
mod chance;
mod digest;
mod identifier;
mod letters;
mod mac;
mod material;
mod password;
mod secret;
mod token;

use plugin_api::prelude::*;

use crate::chance::random_bytes;
use crate::digest::{hash, sha256};
use crate::identifier::uuid;
use crate::letters::{random_password, random_string};
use crate::mac::{constant_time_equals, hmac, hmac_verify};
use crate::password::{bcrypt_compare, bcrypt_hash};
use crate::token::{jwt_sign, jwt_verify};

export_plugin! {
    name: "crypto",
    needs: "1.1",
    nodes: [
        bcrypt_compare,
        bcrypt_hash,
        constant_time_equals,
        hash,
        hmac,
        hmac_verify,
        jwt_sign,
        jwt_verify,
        random_bytes,
        random_password,
        random_string,
        sha256,
        uuid,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_chance;
#[cfg(test)]
mod tests_known;
#[cfg(test)]
mod tests_laws;
