//! Random texts. Invariant: every text of its kind is equally likely.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Text, Whole};

use crate::chance::Chance;

/// The longest random text, in characters.
const MAX_LENGTH: i64 = 65_536;

/// The most characters to choose from.
const MAX_CHOICES: usize = 1024;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SYMBOLS: &str = "!#$%&*+-=?@_";

/// Characters that are taken for one another.
const LOOK_ALIKE: &str = "Il1|O0o";

/// Characters to choose from, by a name.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Letters and digits.
    #[default]
    Alphanumeric,
    /// Letters.
    Alphabetic,
    /// Small letters and digits.
    Lowercase,
    /// Capitals and digits.
    Uppercase,
    /// Digits.
    Numeric,
    /// Hexadecimal digits.
    Hex,
    /// Letters, digits, `-` and `_`.
    Url,
}

impl Charset {
    const fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Alphanumeric => &[LOWER, UPPER, DIGITS],
            Self::Alphabetic => &[LOWER, UPPER],
            Self::Lowercase => &[LOWER, DIGITS],
            Self::Uppercase => &[UPPER, DIGITS],
            Self::Numeric => &[DIGITS],
            Self::Hex => &[DIGITS, "abcdef"],
            Self::Url => &[LOWER, UPPER, DIGITS, "-_"],
        }
    }
}

#[parameters]
pub(crate) struct RandomString<'a> {
    /// How many characters.
    #[serde(default, alias = "size")]
    #[schemars(extend("default" = 32))]
    length: Option<Whole>,
    /// The characters to choose from, by a name.
    #[serde(default)]
    #[schemars(extend("default" = "alphanumeric"))]
    charset: Option<Charset>,
    /// The characters to choose from, one by one; instead of `charset`.
    #[serde(default, alias = "alphabet")]
    characters: Option<Text<'a>>,
}

/// Gives a text of random characters, good for tokens: each of the characters is equally likely at each place.
#[node(
    id = "crypto.randomString",
    aliases = ["crypto.random_string"],
    effect = "idempotent",
    tags = ["random", "token"],
    example(
        title = "no choice",
        input = r#"{"length": 3, "characters": "x"}"#,
        output = r#"{"result": "xxx"}"#
    ),
    example(title = "nothing", input = r#"{"length": 0, "charset": "hex"}"#, output = r#"{"result": ""}"#)
)]
pub(crate) fn random_string(input: RandomString<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let length = input
        .length
        .unwrap_or(Whole(32))
        .within("length", 0..=MAX_LENGTH)?;
    let choices = match &input.characters {
        Some(_) if input.charset.is_some() => {
            return Err(NodeError::invalid(
                "characters",
                "give characters or `charset`, not both",
            ));
        }
        Some(characters) => distinct("characters", characters.as_str())?,
        None => input
            .charset
            .unwrap_or_default()
            .parts()
            .concat()
            .chars()
            .collect(),
    };
    ctx.check()?;
    Ok(answer(draw(&mut Chance::new(), length, &choices)?))
}

/// The characters of a text. One that is there twice would be twice as likely.
fn distinct(parameter: &str, text: &str) -> NodeResult<Vec<char>> {
    let mut characters: Vec<char> = text.chars().take(MAX_CHOICES + 1).collect();
    if characters.is_empty() || characters.len() > MAX_CHOICES {
        let why = format_args!("must have from 1 to {MAX_CHOICES} characters");
        return Err(NodeError::invalid(parameter, why));
    }
    let length = characters.len();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < length {
        return Err(NodeError::invalid(parameter, "has a character twice"));
    }
    Ok(characters)
}

fn draw(chance: &mut Chance, length: i64, choices: &[char]) -> NodeResult<String> {
    let bound = u32::try_from(choices.len()).unwrap_or(u32::MAX);
    let mut text = String::new();
    for _ in 0..length {
        text.extend(choices.get(chance.below(bound)?));
    }
    Ok(text)
}

#[parameters]
pub(crate) struct RandomPassword<'a> {
    /// How many characters, from 8 on.
    #[serde(default)]
    #[schemars(extend("default" = 20))]
    length: Option<Whole>,
    /// Whether it has small letters.
    #[serde(default, alias = "lowercase")]
    #[schemars(extend("default" = true))]
    lower: Option<Flag>,
    /// Whether it has capitals.
    #[serde(default, alias = "uppercase")]
    #[schemars(extend("default" = true))]
    upper: Option<Flag>,
    /// Whether it has digits.
    #[serde(default, alias = "numbers")]
    #[schemars(extend("default" = true))]
    digits: Option<Flag>,
    /// The other characters that it has, one of them at least; empty for none.
    #[serde(default)]
    #[schemars(extend("default" = "!#$%&*+-=?@_"))]
    symbols: Option<Text<'a>>,
    /// Whether to leave out what is easily taken for something else: `I`, `l`, `1`, `|`, `O`, `0`, `o`.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    avoid_ambiguous: Option<Flag>,
}

/// Gives a random password that has at least one character of each kind that was asked for. All such passwords are
/// equally likely.
#[node(
    id = "crypto.randomPassword",
    aliases = ["crypto.random_password", "crypto.password"],
    effect = "idempotent",
    tags = ["random", "password"],
    example(
        title = "no choice",
        input = r#"{"length": 8, "lower": false, "upper": false, "digits": false, "symbols": "!"}"#,
        output = r#"{"result": "!!!!!!!!"}"#
    ),
    example(
        title = "what is left of the symbols",
        input = r#"{"length": 9, "lower": false, "upper": false, "digits": false, "symbols": "|-", "avoidAmbiguous": true}"#,
        output = r#"{"result": "---------"}"#
    )
)]
pub(crate) fn random_password(input: RandomPassword<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let length = input.length.unwrap_or(Whole(20)).within("length", 8..=1024)?;
    let symbols = input.symbols.as_ref().map_or(SYMBOLS, Text::as_str);
    let wanted = |flag: Option<Flag>| flag != Some(Flag(false));
    let clear = input.avoid_ambiguous == Some(Flag(true));
    let mut kinds = Vec::new();
    for (characters, wanted) in [
        (LOWER, wanted(input.lower)),
        (UPPER, wanted(input.upper)),
        (DIGITS, wanted(input.digits)),
    ] {
        if wanted {
            kinds.push(("length", characters.chars().collect()));
        }
    }
    if !symbols.is_empty() {
        kinds.push(("symbols", distinct("symbols", symbols)?));
    }
    for (parameter, kind) in &mut kinds {
        kind.retain(|character| !clear || !LOOK_ALIKE.contains(*character));
        if kind.is_empty() {
            return Err(NodeError::invalid(
                parameter,
                "nothing of it is left by `avoidAmbiguous`",
            ));
        }
    }
    let kinds: Vec<Vec<char>> = kinds.into_iter().map(|(_, kind)| kind).collect();
    let mut choices = kinds.concat();
    choices.sort_unstable();
    choices.dedup();
    if choices.is_empty() {
        return Err(NodeError::invalid(
            "symbols",
            "there is no kind of character to choose from",
        ));
    }
    let mut chance = Chance::new();
    loop {
        // Drawing again, and not mending, is what makes all of them equally likely. The rarest kind, one symbol among 63
        // characters in 8 places, takes eight draws.
        let password = draw(&mut chance, length, &choices)?;
        if kinds.iter().all(|kind| password.contains(kind.as_slice())) {
            return Ok(answer(password));
        }
        ctx.check()?;
    }
}
