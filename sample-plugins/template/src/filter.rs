//! What can be done to a value with `|`.

use crate::budget::{Budget, Trouble};
use crate::datum::Datum;
use crate::{filter_list, filter_text};

/// A filter.
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    /// How many values it takes beside the one before `|`: at least, and at most.
    pub(crate) arguments: (usize, usize),
    pub(crate) run: Run,
}

/// Makes a value of those it is given, the one before `|` first.
pub(crate) type Run = for<'v> fn(&[Datum<'v>], &Budget<'_>) -> Result<Datum<'v>, Trouble>;

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Filter {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FILTERS.iter().find(|filter| filter.name == name)
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<&str> = FILTERS.iter().map(|filter| filter.name).collect();
        names.join(", ")
    }

    /// How many values it takes, in words.
    pub(crate) fn takes(&self) -> String {
        match self.arguments {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}

const fn filter(name: &'static str, arguments: (usize, usize), run: Run) -> Filter {
    Filter { name, arguments, run }
}

static FILTERS: [Filter; 40] = [
    filter("abs", (0, 0), abs),
    filter("capitalize", (0, 0), filter_text::capitalize),
    filter("count", (0, 0), length),
    filter("d", (0, 2), default),
    filter("default", (0, 2), default),
    filter("e", (0, 0), filter_text::escape),
    filter("escape", (0, 0), filter_text::escape),
    filter("first", (0, 0), filter_list::first),
    filter("float", (0, 1), float),
    filter("indent", (0, 2), filter_text::indent),
    filter("int", (0, 1), int),
    filter("items", (0, 0), filter_list::items),
    filter("join", (0, 2), filter_list::join),
    filter("keys", (0, 0), filter_list::keys),
    filter("last", (0, 0), filter_list::last),
    filter("length", (0, 0), length),
    filter("lines", (0, 0), filter_text::lines),
    filter("lower", (0, 0), filter_text::lower),
    filter("map", (1, 1), filter_list::map),
    filter("max", (0, 0), filter_list::max),
    filter("min", (0, 0), filter_list::min),
    filter("reject", (1, 2), filter_list::reject),
    filter("replace", (2, 2), filter_text::replace),
    filter("reverse", (0, 0), filter_list::reverse),
    filter("round", (0, 1), round),
    filter("safe", (0, 0), filter_text::safe),
    filter("select", (1, 2), filter_list::select),
    filter("slice", (1, 2), filter_list::slice),
    filter("sort", (0, 1), filter_list::sort),
    filter("split", (0, 1), filter_text::split),
    filter("string", (0, 0), filter_text::string),
    filter("sum", (0, 1), filter_list::sum),
    filter("title", (0, 0), filter_text::title),
    filter("tojson", (0, 0), filter_text::to_json),
    filter("trim", (0, 0), filter_text::trim),
    filter("truncate", (1, 2), filter_text::truncate),
    filter("unique", (0, 0), filter_list::unique),
    filter("upper", (0, 0), filter_text::upper),
    filter("urlencode", (0, 0), filter_text::url_encode),
    filter("values", (0, 0), filter_list::values),
];

/// The value before `|`.
pub(crate) fn input<'a, 'v>(values: &'a [Datum<'v>]) -> &'a Datum<'v> {
    values.first().unwrap_or(&Datum::Null)
}

/// An argument that is a whole number.
pub(crate) fn whole(values: &[Datum<'_>], position: usize) -> Result<Option<i64>, Trouble> {
    match values.get(position) {
        None => Ok(None),
        Some(Datum::Whole(number)) => Ok(Some(*number)),
        Some(other) => Trouble::wrong(format!(
            "expected a whole number as an argument, found {}",
            other.kind()
        )),
    }
}

/// An argument that is a text.
pub(crate) fn text<'a>(values: &'a [Datum<'_>], position: usize) -> Result<Option<&'a str>, Trouble> {
    match values.get(position) {
        None => Ok(None),
        Some(value) => match value.as_text() {
            Some(text) => Ok(Some(text)),
            None => Trouble::wrong(format!("expected a text as an argument, found {}", value.kind())),
        },
    }
}

/// The fallback where there is nothing; with `true` behind it, also where the value is empty, zero or false.
fn default<'v>(values: &[Datum<'v>], _: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    let value = input(values);
    let also_false = matches!(values.get(2), Some(Datum::Flag(true)));
    if value.is_nothing() || also_false && !value.is_true() {
        return Ok(values.get(1).cloned().unwrap_or(Datum::lent("")));
    }
    Ok(value.clone())
}

fn length<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    let value = input(values);
    if value.is_nothing() {
        return Ok(Datum::Whole(0));
    }
    if value.as_text().is_some() {
        budget.read(value.size())?;
    }
    match value.length() {
        Some(length) => Ok(Datum::Whole(i64::try_from(length).unwrap_or(i64::MAX))),
        None => Trouble::wrong(format!("{} has no length", value.kind())),
    }
}

fn abs<'v>(values: &[Datum<'v>], _: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    match input(values) {
        Datum::Whole(number) => match number.checked_abs() {
            Some(number) => Ok(Datum::Whole(number)),
            None => Datum::float((*number as f64).abs()),
        },
        Datum::Float(number) => Datum::float(number.abs()),
        other => Trouble::wrong(format!("expected a number, found {}", other.kind())),
    }
}

/// Half away from zero, to so many digits behind the point.
fn round<'v>(values: &[Datum<'v>], _: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    let digits = whole(values, 1)?.unwrap_or(0);
    if !(0..=15).contains(&digits) {
        return Trouble::wrong("a number is rounded to 0 to 15 digits behind the point");
    }
    let number = match input(values) {
        Datum::Whole(number) => return Ok(Datum::Whole(*number)),
        Datum::Float(number) => *number,
        other => return Trouble::wrong(format!("expected a number, found {}", other.kind())),
    };
    // By its decimal digits, since those are what is seen: 1.005 has no binary form, and yet rounds to 1.01.
    let scaled = format!("{number:e}");
    let Some((mantissa, exponent)) = scaled.split_once('e') else {
        return Datum::float(number);
    };
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let shifted: f64 = format!("{mantissa}e{}", exponent + digits)
        .parse()
        .unwrap_or(number);
    if !shifted.is_finite() || shifted.abs() >= 9e15 {
        return Datum::float(number);
    }
    let rounded = format!("{}e-{digits}", shifted.round()).parse().unwrap_or(number);
    Datum::float(rounded)
}

/// As a whole number, without what is behind the point; the fallback, or 0, for what is none.
fn int<'v>(values: &[Datum<'v>], _: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    let cut = |number: f64| {
        let number = number.trunc();
        (-9.2e18..9.2e18).contains(&number).then_some(number as i64)
    };
    let number = match input(values) {
        Datum::Whole(number) => Some(*number),
        Datum::Float(number) => cut(*number),
        Datum::Flag(flag) => Some(i64::from(*flag)),
        other => other.as_text().and_then(|text| {
            let text = text.trim();
            text.parse().ok().or_else(|| decimal(text).and_then(cut))
        }),
    };
    Ok(number.map_or_else(|| values.get(1).cloned().unwrap_or(Datum::Whole(0)), Datum::Whole))
}

fn float<'v>(values: &[Datum<'v>], _: &Budget<'_>) -> Result<Datum<'v>, Trouble> {
    let value = input(values);
    let number = match value {
        Datum::Flag(flag) => Some(f64::from(u8::from(*flag))),
        _ => value
            .as_number()
            .or_else(|| value.as_text().and_then(|text| decimal(text.trim()))),
    };
    Ok(number.map_or_else(
        || values.get(1).cloned().unwrap_or(Datum::Float(0.0)),
        Datum::Float,
    ))
}

/// A finite number in decimal digits.
fn decimal(text: &str) -> Option<f64> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse()
        .ok()
        .filter(|number: &f64| digits && number.is_finite())
}
