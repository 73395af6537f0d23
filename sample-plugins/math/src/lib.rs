//! Invariant: a result is the finite number that the operation has, or an error that names the parameter; never NaN,
//! an infinity, or an integer that wrapped around.
//!
//! Integers stay integers while the result is exact and fits in 64 bits; beyond that the nearest float is given. A text
//! of a number counts as that number, true and false as 1 and 0, and null inside a list as 0.
#![forbid(unsafe_code)]

mod arithmetic;
mod chance;
mod compare;
mod list;
mod number;
mod unary;

use plugin_api::prelude::*;

use crate::arithmetic::{divide, modulo, power, subtract};
use crate::chance::random;
use crate::compare::{clamp, max, min};
use crate::list::{add, average, multiply, sum};
use crate::unary::{abs, ceil, floor, round, sqrt};

export_plugin! {
    name: "math",
    nodes: [
        abs,
        add,
        average,
        ceil,
        clamp,
        divide,
        floor,
        max,
        min,
        modulo,
        multiply,
        power,
        random,
        round,
        sqrt,
        subtract,
        sum,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
