//! The variables of one run.
//!
//! Invariant: all of them together always fit one value, so listing them cannot fail; an empty set owns no memory.

use indexmap::IndexMap;
use parking_lot::Mutex;
use plugin_api::shim::host::Refusal;
use plugin_api::value::{MAX_DEPTH, Value, ValueRef};

use crate::stores::{MAX_KEYS, MAX_VALUE};

/// Bytes of all names and values together.
const MAX_BYTES: usize = 1 << 30;

/// The variables of one run, in the order in which they were first set.
#[derive(Debug, Default)]
pub struct Variables {
    pairs: Mutex<Pairs>,
}

#[derive(Debug, Default)]
struct Pairs {
    all: IndexMap<String, Value>,
    bytes: usize,
}

impl Variables {
    /// The entries of a map; of null, none.
    ///
    /// # Errors
    /// When there are too many, one is too large, or the value is no map.
    pub fn from_value(map: ValueRef<'_>) -> Result<Self, Refusal> {
        let mut pairs = Pairs::default();
        if !map.is_null() {
            for (name, value) in map.as_map().ok_or(Refusal::Unsupported)?.iter() {
                pairs.set(name, value)?;
            }
        }
        Ok(Self {
            pairs: Mutex::new(pairs),
        })
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.pairs.lock().all.get(name).cloned()
    }

    /// All of them, as one map.
    #[must_use]
    pub fn all(&self) -> Value {
        let pairs = self.pairs.lock();
        if pairs.all.is_empty() {
            return Value::empty_map();
        }
        let each = pairs.all.iter().map(|(name, value)| (name, value.as_ref()));
        // `Pairs::set` has seen to it that they fit.
        Value::from_pairs(each).unwrap_or_default()
    }

    /// A value as a key that decides where a caller goes: a text as it is, anything else as JSON.
    #[must_use]
    pub fn key(value: &Value) -> String {
        match value.as_ref().as_str() {
            Some(text) => text.to_owned(),
            None => value.to_json(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.lock().all.is_empty()
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// When there are too many, or the value is too large.
    pub fn set(&self, name: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        self.pairs.lock().set(name, value)
    }

    /// Removes a variable; says whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        self.pairs.lock().remove(name)
    }

    /// Sets a variable to `new` (`None` removes it) when it is `expected` (`None`: not there), with no other writer
    /// between; says whether it was.
    ///
    /// # Errors
    /// When there are too many, or the value is too large.
    pub fn replace(
        &self,
        name: &str,
        expected: Option<ValueRef<'_>>,
        new: Option<ValueRef<'_>>,
    ) -> Result<bool, Refusal> {
        let mut pairs = self.pairs.lock();
        if pairs.all.get(name).map(Value::as_ref) != expected {
            return Ok(false);
        }
        match new {
            Some(value) => pairs.set(name, value)?,
            None => {
                pairs.remove(name);
            }
        }
        Ok(true)
    }

    /// Removes all of them.
    pub fn clear(&self) {
        *self.pairs.lock() = Pairs::default();
    }
}

impl Pairs {
    fn set(&mut self, name: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        let size = value.raw().len();
        // One level deeper in the map of all of them.
        if size > MAX_VALUE || !value.fits_depth(MAX_DEPTH - 1) {
            return Err(Refusal::Limit);
        }
        if let Some(known) = self.all.get_mut(name) {
            let bytes = self.bytes - known.as_bytes().len() + size;
            if bytes > MAX_BYTES {
                return Err(Refusal::Limit);
            }
            (*known, self.bytes) = (value.to_value(), bytes);
            return Ok(());
        }
        let bytes = self.bytes.saturating_add(name.len()).saturating_add(size);
        if self.all.len() >= MAX_KEYS || bytes > MAX_BYTES {
            return Err(Refusal::Limit);
        }
        self.all.insert(name.to_owned(), value.to_value());
        self.bytes = bytes;
        Ok(())
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some((name, value)) = self.all.shift_remove_entry(name) else {
            return false;
        };
        self.bytes -= name.len() + value.as_bytes().len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::from_json(json).unwrap()
    }

    #[test]
    fn variables_keep_the_order_in_which_they_were_first_set() {
        let variables = Variables::from_value(value(r#"{"z": 1, "a": [2], "m": null}"#).as_ref()).unwrap();
        variables.set("a", value("3").as_ref()).unwrap();
        variables.set("b", value("4").as_ref()).unwrap();
        assert!(variables.remove("z") && !variables.remove("z"));
        assert_eq!(variables.all(), value(r#"{"a": 3, "m": null, "b": 4}"#));
        variables.clear();
        assert_eq!(variables.all(), value("{}"));
        assert!(variables.is_empty());
    }

    #[test]
    fn variables_are_made_of_a_map_or_of_nothing() {
        assert!(Variables::from_value(ValueRef::NULL).unwrap().is_empty());
        assert_eq!(
            Variables::from_value(value("[1]").as_ref()).unwrap_err(),
            Refusal::Unsupported
        );
    }

    #[test]
    fn a_variable_is_replaced_only_when_it_is_the_expected_one() {
        let variables = Variables::default();
        let (one, two) = (value("1"), value("2"));
        let (one, two) = (Some(one.as_ref()), Some(two.as_ref()));
        for (expected, new, done, left) in [
            (one, two, false, None),
            (None, one, true, one),
            (None, two, false, one),
            (two, None, false, one),
            (one, two, true, two),
            (two, None, true, None),
            (None, None, true, None),
        ] {
            assert_eq!(variables.replace("v", expected, new), Ok(done));
            assert_eq!(variables.get("v").as_ref().map(Value::as_ref), left);
        }
        assert!(variables.is_empty());
    }

    #[test]
    fn what_could_not_be_listed_is_refused_and_changes_nothing() {
        let variables = Variables::default();
        let deep = value(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)));
        assert_eq!(variables.set("deep", deep.as_ref()), Err(Refusal::Limit));
        let fits = value(&format!(
            "{}{}",
            "[".repeat(MAX_DEPTH - 1),
            "]".repeat(MAX_DEPTH - 1)
        ));
        variables.set("fits", fits.as_ref()).unwrap();
        assert_eq!(variables.all().as_ref().get("fits"), Some(fits.as_ref()));
        let large = Value::from("x".repeat(MAX_VALUE).as_str());
        assert_eq!(variables.set("fits", large.as_ref()), Err(Refusal::Limit));
        assert_eq!(variables.get("fits"), Some(fits));
    }

    #[test]
    fn the_sum_of_all_values_is_bounded_and_what_is_removed_counts_no_more() {
        let mut pairs = Pairs::default();
        let one = Value::from(1);
        pairs.set("a", one.as_ref()).unwrap();
        pairs.bytes = MAX_BYTES - 10;
        assert_eq!(pairs.set("b", one.as_ref()), Ok(()));
        assert_eq!(pairs.bytes, MAX_BYTES);
        assert_eq!(pairs.set("c", ValueRef::NULL), Err(Refusal::Limit));
        assert_eq!(
            pairs.set("a", Value::from("too long").as_ref()),
            Err(Refusal::Limit)
        );
        assert!(pairs.remove("b"));
        assert_eq!(pairs.set("c", ValueRef::NULL), Ok(()));
    }

    #[test]
    fn an_empty_set_owns_no_memory() {
        assert_eq!(Variables::default().pairs.lock().all.capacity(), 0);
        assert_eq!(
            Variables::from_value(ValueRef::NULL)
                .unwrap()
                .pairs
                .lock()
                .all
                .capacity(),
            0
        );
    }
}
