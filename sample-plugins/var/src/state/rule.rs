//! What a field must be.

use plugin_api::prelude::*;
use plugin_api::reading::{Number, Shape, text_of};

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    Required,
    Is(Shape),
    Email,
    Min(Limit),
    Max(Limit),
    In(Vec<String>),
}

/// A number as it was written.
#[derive(Clone, Debug)]
pub(super) struct Limit(Number);

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.0.compare(other.0).is_eq()
    }
}

impl Rule {
    /// The rule that a word is, or why it is none.
    pub(super) fn named(text: &str) -> Result<Self, String> {
        let (word, argument) = text.split_once(':').unwrap_or((text, ""));
        let limit = || {
            let number = Number::of_text(argument).map(Limit);
            number.ok_or_else(|| format!("`{word}` needs a number, as in `{word}:3`"))
        };
        match word {
            "required" => Ok(Self::Required),
            "email" => Ok(Self::Email),
            "min" | "minLength" => Ok(Self::Min(limit()?)),
            "max" | "maxLength" => Ok(Self::Max(limit()?)),
            "in" => Ok(Self::In(
                argument.split(',').map(|word| word.trim().to_owned()).collect(),
            )),
            word => Shape::named(word).map(Self::Is).ok_or_else(|| {
                let word: String = word.chars().take(40).collect();
                format!(
                    "`{word}` is no rule; there are `required`, types, `email`, `min:N`, `max:N` and `in:A,B`"
                )
            }),
        }
    }

    /// What is wrong with a value, if anything is.
    pub(super) fn broken(&self, value: ValueRef<'_>) -> Option<String> {
        match self {
            Self::Required => None,
            Self::Is(shape) => shape.misfit(value).map(|_| format!("must be {shape}")),
            Self::Email => {
                let is_one = value.as_str().is_some_and(is_email);
                (!is_one).then(|| "must be an address of mail".to_owned())
            }
            Self::Min(limit) => {
                let size = size(value)?;
                size.compare(limit.0)
                    .is_lt()
                    .then(|| format!("must be at least {}", written(limit)))
            }
            Self::Max(limit) => {
                let size = size(value)?;
                size.compare(limit.0)
                    .is_gt()
                    .then(|| format!("must be at most {}", written(limit)))
            }
            Self::In(words) => {
                let text = text_of(value);
                let is_one = text.is_some_and(|text| words.iter().any(|word| *word == *text));
                (!is_one).then(|| format!("must be one of {}", words.join(", ")))
            }
        }
    }
}

/// A number itself, the length of a text in characters, and the number of items or entries.
fn size(value: ValueRef<'_>) -> Option<Number> {
    let count = |count: usize| Some(Number::Int(i64::try_from(count).unwrap_or(i64::MAX)));
    if let Some(text) = value.as_str() {
        return count(text.chars().count());
    }
    if let Some(list) = value.as_list() {
        return count(list.len());
    }
    match value.as_map() {
        Some(map) => count(map.len()),
        None => Number::exactly(value),
    }
}

fn written(limit: &Limit) -> String {
    match limit.0 {
        Number::Int(integer) => integer.to_string(),
        Number::Float(float) => plugin_api::reading::float_text(float),
    }
}

/// Whether it looks like one: something, an `@`, and a domain of two parts at least.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let fits = |part: &str| {
        !part.is_empty() && !part.contains(|letter: char| letter.is_whitespace() || letter == '@')
    };
    fits(name) && domain.contains('.') && domain.split('.').all(fits)
}
