//! What can be asked of a value with `is`.

use crate::budget::{Budget, Trouble};
use crate::datum::Datum;
use crate::operator::contains;

/// A question.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// How many values it asks for beside the one before `is`.
    pub(crate) arguments: usize,
    pub(crate) holds: fn(&[Datum<'_>], &Budget<'_>) -> Result<bool, Trouble>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A question about one value.
macro_rules! alone {
    ($name:literal, $holds:expr) => {
        Check {
            name: $name,
            arguments: 0,
            holds: |values, _| {
                let holds: fn(&Datum<'_>) -> Result<bool, Trouble> = $holds;
                values.first().map_or(Ok(false), holds)
            },
        }
    };
}

static CHECKS: [Check; 14] = [
    alone!("boolean", |value| Ok(matches!(value, Datum::Flag(_)))),
    alone!("defined", |value| Ok(!matches!(value, Datum::Undefined(_)))),
    Check {
        name: "divisibleby",
        arguments: 1,
        holds: |values, _| match values {
            [Datum::Whole(_), Datum::Whole(0)] => Trouble::wrong("nothing is divisible by zero"),
            // The least number is divisible by -1, whatever the processor says.
            [Datum::Whole(number), Datum::Whole(by)] => Ok(number.checked_rem(*by).unwrap_or_default() == 0),
            _ => Trouble::wrong("`divisibleby` is for whole numbers"),
        },
    },
    alone!("even", |value| Ok(whole("even", value)? % 2 == 0)),
    Check {
        name: "in",
        arguments: 1,
        holds: |values, budget| match values {
            [part, whole] => contains(whole, part, budget),
            _ => Ok(false),
        },
    },
    alone!("integer", |value| Ok(matches!(value, Datum::Whole(_)))),
    alone!("iterable", |value| Ok(matches!(value.kind(), "a list" | "a map"))),
    alone!("mapping", |value| Ok(value.kind() == "a map")),
    alone!("none", |value| Ok(matches!(value, Datum::Null))),
    alone!("number", |value| Ok(value.kind() == "a number")),
    alone!("odd", |value| Ok(whole("odd", value)? % 2 != 0)),
    alone!("sequence", |value| Ok(value.kind() == "a list")),
    alone!("string", |value| Ok(value.kind() == "a text")),
    alone!("undefined", |value| Ok(matches!(value, Datum::Undefined(_)))),
];

fn whole(name: &str, value: &Datum<'_>) -> Result<i64, Trouble> {
    match value {
        Datum::Whole(number) => Ok(*number),
        _ => Trouble::wrong(format!("`{name}` is for whole numbers, not for {}", value.kind())),
    }
}

impl Check {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CHECKS.iter().find(|check| check.name == name)
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        names.join(", ")
    }
}
