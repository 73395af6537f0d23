//! Where a node's result goes.

use serde::Serialize;

use crate::shim::{SinkWriter, encoding_failed};
use crate::value::{ValueError, ValueRef};
use crate::{NodeError, NodeResult};

/// The result of one call, written straight into the host's buffer.
#[derive(Debug)]
pub struct Reply<'s> {
    sink: SinkWriter<'s>,
}

impl<'s> Reply<'s> {
    pub(crate) const fn from_sink(sink: SinkWriter<'s>) -> Self {
        Self { sink }
    }

    pub(crate) const fn sink(&mut self) -> &mut SinkWriter<'s> {
        &mut self.sink
    }

    /// Sets the result.
    ///
    /// # Errors
    /// When it cannot be encoded (NaN, a map with keys that are no text), or is over the host's limit.
    #[inline]
    pub fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> NodeResult<()> {
        self.sink.write(value).map_err(|error| encoding_failed(&error))
    }

    /// Sets the result to an encoded value; its bytes are copied as they are.
    ///
    /// # Errors
    /// When it is over the host's limit.
    pub fn write_value(&mut self, value: ValueRef<'_>) -> NodeResult<()> {
        self.sink
            .write_value(value)
            .map_err(|full| encoding_failed(&ValueError::from(full)))
    }
}

/// Reads a call's parameters.
///
/// # Errors
/// `VALIDATION_FAILED` with the path of what does not fit.
#[doc(hidden)]
#[inline]
pub fn parameters<'de, T: serde::Deserialize<'de>>(input: ValueRef<'de>) -> NodeResult<T> {
    crate::value::decode(input).map_err(|error| NodeError::bad_input(&error))
}
