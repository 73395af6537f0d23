//! Operators between two values. Invariant: a result is a number that is one, or an error.

use std::cmp::Ordering;

use crate::budget::{Budget, Trouble};
use crate::datum::Datum;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Rest,
}

impl Operator {
    /// As a template says it.
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Join => "~",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideWhole => "//",
            Self::Rest => "%",
        }
    }

    pub(crate) fn apply<'v>(
        self,
        left: &Datum<'v>,
        right: &Datum<'v>,
        budget: &Budget<'_>,
    ) -> Result<Datum<'v>, Trouble> {
        match self {
            Self::Equal | Self::Unequal => {
                budget.read(left.size().min(right.size()))?;
                Ok(Datum::Flag(left.same(right) == (self == Self::Equal)))
            }
            Self::Less | Self::AtMost | Self::More | Self::AtLeast => self.ordered(left, right, budget),
            Self::In => contains(right, left, budget).map(Datum::Flag),
            Self::Join => joined(left, right, budget),
            Self::Add if left.as_text().is_some() && right.as_text().is_some() => joined(left, right, budget),
            _ => self.reckoned(left, right),
        }
    }

    fn ordered<'v>(
        self,
        left: &Datum<'v>,
        right: &Datum<'v>,
        budget: &Budget<'_>,
    ) -> Result<Datum<'v>, Trouble> {
        budget.read(left.size().min(right.size()))?;
        let Some(order) = left.compare(right) else {
            return self.impossible(left, right);
        };
        let holds = match self {
            Self::Less => order == Ordering::Less,
            Self::AtMost => order != Ordering::Greater,
            Self::More => order == Ordering::Greater,
            _ => order != Ordering::Less,
        };
        Ok(Datum::Flag(holds))
    }

    fn reckoned<'v>(self, left: &Datum<'v>, right: &Datum<'v>) -> Result<Datum<'v>, Trouble> {
        let whole = match (left, right) {
            (Datum::Whole(left), Datum::Whole(right)) => Some((*left, *right)),
            _ => None,
        };
        let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
            return self.impossible(left, right);
        };
        if matches!(self, Self::Divide | Self::DivideWhole | Self::Rest) && b == 0.0 {
            return Trouble::wrong("a division by zero has no result");
        }
        // Whole numbers stay whole as long as they fit; a division gives one where it comes out even.
        let exact = whole.and_then(|(a, b)| match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::Divide => (a.checked_rem(b) == Some(0)).then(|| a.checked_div(b))?,
            Self::DivideWhole => floor(a, b),
            _ => a.checked_sub(floor(a, b)?.checked_mul(b)?),
        });
        match (exact, self) {
            (Some(number), _) => Ok(Datum::Whole(number)),
            (None, Self::Add) => Datum::float(a + b),
            (None, Self::Subtract) => Datum::float(a - b),
            (None, Self::Multiply) => Datum::float(a * b),
            (None, Self::Divide) => Datum::float(a / b),
            (None, Self::DivideWhole) => Datum::float((a / b).floor()),
            (None, _) => Datum::float(a - (a / b).floor() * b),
        }
    }

    fn impossible<T>(self, left: &Datum<'_>, right: &Datum<'_>) -> Result<T, Trouble> {
        let hint = match (left.as_text(), right.as_text(), self) {
            (Some(_), _, Self::Add) | (_, Some(_), Self::Add) => "; `~` joins values as texts",
            _ => "",
        };
        let (sign, left, right) = (self.sign(), left.kind(), right.kind());
        Trouble::wrong(format!("`{sign}` is not for {left} and {right}{hint}"))
    }
}

/// The quotient that is whole and not larger.
fn floor(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let down = a.checked_rem(b)? != 0 && (a < 0) != (b < 0);
    quotient.checked_sub(i64::from(down))
}

fn joined<'v>(left: &Datum<'v>, right: &Datum<'v>, budget: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    budget.read(left.size().saturating_add(right.size()))?;
    let (left, right) = (left.written(), right.written());
    // The room is asked for before it is taken.
    budget.made(left.len().saturating_add(right.len()))?;
    Datum::made(&[left, right].concat(), budget)
}

/// Whether a list has an item, a map a key, or a text a part.
pub(crate) fn contains(whole: &Datum<'_>, part: &Datum<'_>, budget: &Budget<'_>) -> Result<bool, Trouble> {
    budget.read(whole.size())?;
    if let Some(text) = whole.as_text() {
        return match part.as_text() {
            Some(part) => Ok(text.contains(part)),
            None => Trouble::wrong(format!(
                "`in` looks for a text in a text, not for {}",
                part.kind()
            )),
        };
    }
    match whole {
        Datum::List(list) => Ok(list.items.iter().any(|item| item.same(part))),
        Datum::Data(value) => {
            if let Some(list) = value.as_list() {
                return Ok(list.iter().any(|item| Datum::of(item).same(part)));
            }
            let key = part.as_text();
            match value.as_map() {
                Some(map) => Ok(key.is_some_and(|key| map.get(key).is_some())),
                None => Trouble::wrong("`in` does not look into bytes"),
            }
        }
        Datum::Undefined(_) | Datum::Null => Ok(false),
        _ => Trouble::wrong(format!(
            "`in` looks into a list, a map or a text, not into {}",
            whole.kind()
        )),
    }
}
