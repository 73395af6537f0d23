//! Invariant: an error is one pointer wide, so results stay in registers, and its path is built on the way out only.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

/// Keys are cut to this many characters in a path; a hostile key must not become a hostile message.
const KEY_SHOWN: usize = 64;

/// The output refused more bytes: it has reached its limit, or the host is out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What sort of mistake a [`ValueError`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// The bytes end before the value does.
    Truncated,
    /// The bytes are no canonical encoding of a value.
    Malformed,
    /// Lists and maps are nested too deeply.
    Depth,
    /// The value does not fit in 4 GiB.
    Size,
    /// A float is NaN or infinite.
    NotFinite,
    /// A map has a key twice.
    DuplicateKey,
    /// The output refused more bytes.
    Full,
    /// The JSON text is wrong.
    Json,
    /// The value has another shape than the Rust type.
    Type,
    /// A number does not fit.
    Range,
    /// A message of a `Serialize` or `Deserialize` implementation.
    Custom,
}

/// Why a value could not be read or written: what, and where in the value.
#[derive(Clone, PartialEq, Eq)]
pub struct ValueError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ValueErrorKind,
    message: Cow<'static, str>,
    path: String,
}

impl ValueError {
    #[cold]
    pub(super) fn new(kind: ValueErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            path: String::new(),
        }))
    }

    #[cold]
    pub(super) fn truncated() -> Self {
        Self::new(ValueErrorKind::Truncated, "the value ends before its length says")
    }

    #[cold]
    pub(super) fn malformed(message: &'static str) -> Self {
        Self::new(ValueErrorKind::Malformed, message)
    }

    #[cold]
    pub(super) fn depth() -> Self {
        Self::new(
            ValueErrorKind::Depth,
            "lists and maps are nested too deeply (the limit is 127 levels)",
        )
    }

    #[cold]
    pub(super) fn size() -> Self {
        Self::new(ValueErrorKind::Size, "the value does not fit in 4 GiB")
    }

    #[cold]
    pub(super) fn not_finite() -> Self {
        Self::new(ValueErrorKind::NotFinite, "a float is NaN or infinite")
    }

    #[cold]
    pub(super) fn duplicate(key: &[u8]) -> Self {
        let key = String::from_utf8_lossy(key);
        Self::new(
            ValueErrorKind::DuplicateKey,
            format!("the key {} appears twice", quoted(&key)),
        )
    }

    #[cold]
    pub(super) fn range(number: impl Display) -> Self {
        Self::new(
            ValueErrorKind::Range,
            format!("the integer {number} does not fit in 64 signed bits"),
        )
    }

    #[cold]
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::new(ValueErrorKind::Json, error.to_string())
    }

    /// Adds the key of the map entry in which the error happened.
    #[cold]
    pub(super) fn at_key(mut self, key: &[u8]) -> Self {
        let key = String::from_utf8_lossy(key);
        let plain = !key.is_empty()
            && key.len() <= KEY_SHOWN
            && key
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
        let head = if plain {
            key.into_owned()
        } else {
            format!("[{}]", quoted(&key))
        };
        self.prepend(&head);
        self
    }

    /// Adds the index of the list item in which the error happened.
    #[cold]
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.prepend(&format!("[{index}]"));
        self
    }

    fn prepend(&mut self, head: &str) {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.0.path = format!("{head}{dot}{}", self.0.path);
    }

    /// What sort of mistake it is.
    pub fn kind(&self) -> ValueErrorKind {
        self.0.kind
    }

    /// What happened, without the path.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, like `items[3].name`; empty for the value itself.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The stable code of this sort of mistake.
    pub fn code(&self) -> &'static str {
        match self.0.kind {
            ValueErrorKind::Truncated => "PB-VALUE-001",
            ValueErrorKind::Malformed => "PB-VALUE-002",
            ValueErrorKind::Depth => "PB-VALUE-003",
            ValueErrorKind::Size => "PB-VALUE-004",
            ValueErrorKind::NotFinite => "PB-VALUE-005",
            ValueErrorKind::DuplicateKey => "PB-VALUE-006",
            ValueErrorKind::Full => "PB-VALUE-007",
            ValueErrorKind::Json => "PB-VALUE-008",
            ValueErrorKind::Type => "PB-VALUE-009",
            ValueErrorKind::Range => "PB-VALUE-010",
            ValueErrorKind::Custom => "PB-VALUE-011",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.0.kind {
            ValueErrorKind::Truncated | ValueErrorKind::Malformed => {
                "whoever wrote these bytes must follow docs/value-format.md; the Rust SDK does it for you"
            }
            ValueErrorKind::Depth => "flatten the value, or pass the inner part as text",
            ValueErrorKind::Size => "split the value, or pass a reference to where it is stored",
            ValueErrorKind::NotFinite => "write null or a string instead of NaN and infinities",
            ValueErrorKind::DuplicateKey => "rename or remove one of the two entries",
            ValueErrorKind::Full => "return less, or raise the output limit of the node",
            ValueErrorKind::Json => "correct the JSON text at the line and column given",
            ValueErrorKind::Type => "compare the value with the JSON Schema of the node",
            ValueErrorKind::Range => "pass the number as a string or a float",
            ValueErrorKind::Custom => {
                "the message comes from the type that was read or written; correct what it names"
            }
        }
    }
}

fn quoted(key: &str) -> String {
    let mut cut: String = key.chars().take(KEY_SHOWN).collect();
    if cut.len() < key.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

impl Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if self.0.path.is_empty() {
            Ok(())
        } else {
            write!(f, ", at `{}`", self.0.path)
        }
    }
}

impl fmt::Debug for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, path } = &*self.0;
        f.debug_struct("ValueError")
            .field("kind", kind)
            .field("message", message)
            .field("path", path)
            .finish()
    }
}

impl std::error::Error for ValueError {}

impl Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output takes no more bytes")
    }
}

impl std::error::Error for Full {}

impl From<Full> for ValueError {
    #[cold]
    fn from(full: Full) -> Self {
        Self::new(ValueErrorKind::Full, full.to_string())
    }
}

impl serde::ser::Error for ValueError {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Self::new(ValueErrorKind::Custom, message.to_string())
    }
}

impl serde::de::Error for ValueError {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Self::new(ValueErrorKind::Custom, message.to_string())
    }

    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        // serde says "unit" where everybody who looks at a JSON-like value says null.
        let mut expected = expected.to_string();
        if expected == "unit" {
            expected = "null".to_owned();
        }
        let message = match found {
            Unexpected::Unit => format!("expected {expected}, found null"),
            found => format!("expected {expected}, found {found}"),
        };
        Self::new(ValueErrorKind::Type, message)
    }

    #[cold]
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(
            ValueErrorKind::Type,
            format!("expected {expected}, found {found}"),
        )
    }

    #[cold]
    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new(
            ValueErrorKind::Type,
            format!("expected {expected}, found {len} elements"),
        )
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = format!(
            "unknown variant {}, expected one of: {}",
            quoted(variant),
            expected.join(", ")
        );
        Self::new(ValueErrorKind::Type, message)
    }

    #[cold]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = format!(
            "unknown field {}, expected one of: {}",
            quoted(field),
            expected.join(", ")
        );
        Self::new(ValueErrorKind::Type, message)
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(ValueErrorKind::Type, format!("the field `{field}` is missing"))
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(ValueErrorKind::Type, format!("the field `{field}` appears twice"))
    }
}
