//! bcrypt (Provos and Mazières, "A future-adaptable password scheme", USENIX 1999), on RustCrypto's Blowfish.
//!
//! Invariant: the work is bounded, and a call that is over ends within a few milliseconds of it.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use blowfish::Blowfish;
use plugin_api::prelude::*;

/// The cost that is computed: 2 to this power is the number of rounds.
pub(crate) const COST: std::ops::RangeInclusive<u32> = 4..=14;

/// No more of a password counts.
pub(crate) const MAX_PASSWORD: usize = 72;

/// Other writers leave something in the bits that are of no use.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What is encrypted in the end.
const MAGIC: &[u8; 24] = b"OrpheanBeholderScryDoubt";

/// Between two looks at the caller: about five milliseconds.
const ROUNDS_AT_ONCE: u32 = 64;

/// A password's hash, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hashed {
    pub(crate) cost: u32,
    pub(crate) salt: [u8; 16],
    pub(crate) digest: [u8; 23],
}

impl Hashed {
    /// The hash of a password, of which the first 72 bytes count.
    pub(crate) fn of(password: &[u8], salt: [u8; 16], cost: u32, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let mut key: Vec<u8> = password.iter().copied().chain([0]).collect();
        key.truncate(MAX_PASSWORD);
        let mut state: Blowfish = Blowfish::bc_init_state();
        state.salted_expand_key(&salt, &key);
        for round in 0..1_u32 << cost.min(*COST.end()) {
            if round % ROUNDS_AT_ONCE == 0 {
                ctx.check()?;
            }
            state.bc_expand_key(&key);
            state.bc_expand_key(&salt);
        }
        let mut digest = [0; 24];
        let (blocks, _) = MAGIC.as_chunks::<8>();
        let (written, _) = digest.as_chunks_mut::<8>();
        for (block, out) in blocks.iter().zip(written) {
            let [a, b, c, d, e, f, g, h] = *block;
            let mut halves = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
            for _ in 0..64 {
                halves = state.bc_encrypt(halves);
            }
            let [left, right] = halves.map(u32::to_be_bytes);
            out[..4].copy_from_slice(&left);
            out[4..].copy_from_slice(&right);
        }
        // The first writer of these hashes left out the last byte, and so does everybody since.
        let digest = digest.first_chunk().copied().unwrap_or([0; 23]);
        Ok(Self { cost, salt, digest })
    }

    /// Reads `$2b$12$...`, also of the prefixes `2a` and `2y`; `None` for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = ["$2b$", "$2a$", "$2y$"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))?;
        let (cost, rest) = rest.split_once('$')?;
        let digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let cost = cost.parse().ok().filter(|_| digits)?;
        let (salt, digest) = rest.split_at_checked(22)?;
        Some(Self {
            cost,
            salt: read_salt(salt)?,
            digest: BASE64.decode(digest).ok()?.try_into().ok()?,
        })
    }

    pub(crate) fn write(&self) -> String {
        let (salt, digest) = (BASE64.encode(self.salt), BASE64.encode(self.digest));
        format!("$2b${:02}${salt}{digest}", self.cost)
    }
}

/// Sixteen bytes, as they stand in a hash.
pub(crate) fn read_salt(text: &str) -> Option<[u8; 16]> {
    BASE64.decode(text).ok()?.try_into().ok()
}
