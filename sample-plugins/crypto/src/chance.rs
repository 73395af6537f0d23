//! Random values. Invariant: all of them come from the operating system, and every choice is equally likely.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use crate::material::Writing;

/// The most bytes of one call.
const MAX_BYTES: i64 = 1 << 20;

/// Fills a buffer with random bytes.
pub(crate) fn fill(bytes: &mut [u8]) -> NodeResult<()> {
    getrandom::fill(bytes).map_err(|error| {
        let message = format!("the operating system gives no random bytes: {error}");
        NodeError::with_code(code::TEMPORARY_FAILURE, message)
    })
}

/// Random numbers, drawn from the operating system in portions.
pub(crate) struct Chance {
    buffer: [u8; 256],
    used: usize,
}

impl Chance {
    pub(crate) const fn new() -> Self {
        let buffer = [0; 256];
        Self {
            used: buffer.len(),
            buffer,
        }
    }

    fn next(&mut self) -> NodeResult<u32> {
        loop {
            let rest = self.buffer.get(self.used..).unwrap_or_default();
            if let Some(bytes) = rest.first_chunk::<4>() {
                self.used += 4;
                return Ok(u32::from_le_bytes(*bytes));
            }
            fill(&mut self.buffer)?;
            self.used = 0;
        }
    }

    /// From 0 up to `bound`, each equally likely (Lemire, "Fast random integer generation in an interval", 2019).
    pub(crate) fn below(&mut self, bound: u32) -> NodeResult<usize> {
        let bound = bound.max(1);
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next()?) * u64::from(bound);
            if product as u32 >= threshold {
                return Ok((product >> 32) as usize);
            }
        }
    }
}

#[parameters]
pub(crate) struct RandomBytes {
    /// How many bytes, up to a MiB.
    #[serde(default, alias = "size", alias = "bytes")]
    #[schemars(extend("default" = 32))]
    length: Option<Whole>,
    /// How they are written.
    #[serde(default)]
    #[schemars(extend("default" = "hex"))]
    encoding: Option<Writing>,
}

/// Gives random bytes, good for keys.
#[node(
    id = "crypto.randomBytes",
    aliases = ["crypto.random_bytes"],
    effect = "idempotent",
    tags = ["random", "key"],
    example(title = "none at all", input = r#"{"length": 0}"#, output = r#"{"result": ""}"#),
    example(title = "none, in Base64", input = r#"{"length": "0", "encoding": "base64"}"#, output = r#"{"result": ""}"#)
)]
pub(crate) fn random_bytes(input: RandomBytes) -> NodeResult<Answer<Value>> {
    let length = input
        .length
        .unwrap_or(Whole(32))
        .within("length", 0..=MAX_BYTES)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    fill(&mut bytes)?;
    Ok(answer(input.encoding.unwrap_or_default().write(&bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_comes_up_about_as_often() {
        let mut chance = Chance::new();
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[chance.below(7).unwrap()] += 1;
        }
        // Ten standard deviations are 293.
        assert!(seen.iter().all(|times| (700..1_300).contains(times)), "{seen:?}");
    }

    #[test]
    fn one_choice_is_taken_and_no_choice_does_no_harm() {
        let mut chance = Chance::new();
        assert_eq!(chance.below(1).unwrap(), 0);
        assert_eq!(chance.below(0).unwrap(), 0);
    }
}
