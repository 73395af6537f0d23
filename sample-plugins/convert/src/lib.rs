//! Invariant: a conversion gives the value meant, the `default` that was asked for, or an error that names the
//! parameter; what it gives is no larger than a small multiple of what it got.
//!
//! What is read leniently (`"12.9px"` as an integer, `"on"` as a boolean) follows JavaScript, for which workflows were
//! written. Dates are in UTC.
#![forbid(unsafe_code)]

mod boolean;
mod calendar;
mod collection;
mod date;
mod encoding;
mod json;
mod number;
mod numeral;
mod text;

use plugin_api::prelude::*;

use crate::boolean::to_boolean;
use crate::collection::{to_array, to_object};
use crate::date::{format_date, parse_date};
use crate::encoding::{base64_decode, base64_encode, url_decode, url_encode};
use crate::json::{parse_json, to_json};
use crate::number::{to_float, to_integer, to_number};
use crate::text::to_string;

export_plugin! {
    name: "convert",
    nodes: [
        base64_decode,
        base64_encode,
        format_date,
        parse_date,
        parse_json,
        to_array,
        to_boolean,
        to_float,
        to_integer,
        to_json,
        to_number,
        to_object,
        to_string,
        url_decode,
        url_encode,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_golden;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
