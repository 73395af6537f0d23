//! Invariant: a date is a point in time with the zone in which it is looked at; what a node answers with is the same for
//! the same parameters, whatever the clock, the environment and the time zone of the machine (`date.now` alone asks the
//! host for the time).
//!
//! A date is given as a text of ISO 8601 or RFC 2822, or as a number since the start of 1970: seconds below
//! 100,000,000,000 on either side of it (the year 5138), milliseconds from there. A text that names no offset is meant
//! in `timezone`, in UTC unless told. Dates are written as ISO 8601 with `Z`, or with the offset of their zone.
#![forbid(unsafe_code)]

mod arithmetic;
mod clock;
mod moment;
mod order;
mod part;
mod period;
mod spelling;
mod unit;
mod unix;
mod zone;

use plugin_api::prelude::*;

use crate::arithmetic::{add, diff, subtract};
use crate::clock::now;
use crate::order::{compare, is_after, is_before, is_same};
use crate::part::{parts, weekday};
use crate::period::{end_of, start_of};
use crate::spelling::{format, is_valid, parse};
use crate::unix::{from_unix, to_unix};
use crate::zone::to_timezone;

export_plugin! {
    name: "date",
    needs: "1.1",
    nodes: [
        add,
        compare,
        diff,
        end_of,
        format,
        from_unix,
        is_after,
        is_before,
        is_same,
        is_valid,
        now,
        parse,
        parts,
        start_of,
        subtract,
        to_timezone,
        to_unix,
        weekday,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_calendar;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_spelling;
