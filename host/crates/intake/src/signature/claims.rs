//! What a signer says of a file, inside the comment that is signed with it.
//!
//! ```text
//! timestamp:1767225600<tab>file:libledger.so<tab>patchbay:1<tab>digest:...<tab>plugin:ledger<tab>version:1.4.0
//! <tab>contract:1.0<tab>target:x86_64-unknown-linux-gnu
//! ```
//!
//! `timestamp` and `file` are what the `minisign` tool writes; `patchbay:1` says that the claims follow.

use std::fmt::Write as _;

use patchbay_vocab::{Digest, PluginName, Version};

use super::SignatureError;
use crate::inspect::Inspected;

/// The version of the claims' form.
const FORM: &str = "1";

/// What a signer says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// When it was signed, in seconds since 1970; shown, never judged.
    pub signed_at: u64,
    /// The hash of the file.
    pub digest: Digest,
    /// The plugin.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
    /// The contract it was built for, such as `1.0`.
    pub contract: String,
    /// The target it was built for.
    pub target: String,
}

impl Claims {
    /// What is true of an artifact.
    #[must_use]
    pub fn of(inspected: &Inspected, signed_at: u64) -> Self {
        Self {
            signed_at,
            digest: inspected.digest(),
            plugin: inspected.plugin().clone(),
            version: inspected.version().clone(),
            contract: inspected.note().contract.to_string(),
            target: inspected.note().target.clone(),
        }
    }

    /// The comment to sign; `file` is for people.
    #[must_use]
    pub fn comment(&self, file: &str) -> String {
        let mut text = format!(
            "timestamp:{}\tfile:{}\tpatchbay:{FORM}",
            self.signed_at,
            clean(file)
        );
        for (field, value) in self.fields() {
            // Writing to a text does not fail.
            let _ = write!(text, "\t{field}:{}", clean(&value));
        }
        text
    }

    /// Reads a trusted comment; `None` when it makes no claims, as those of the `minisign` tool.
    pub(super) fn read(comment: &str) -> Result<Option<Self>, SignatureError> {
        let mut fields = Fields::split(comment);
        let Some(form) = fields.take("patchbay")? else {
            return Ok(None);
        };
        if form != FORM {
            return Err(SignatureError::BadClaims {
                field: "patchbay",
                why: "it is of a form that this host does not know",
            });
        }
        Ok(Some(Self {
            signed_at: parsed("timestamp", fields.need("timestamp")?)?,
            digest: parsed("digest", fields.need("digest")?)?,
            plugin: parsed("plugin", fields.need("plugin")?)?,
            version: parsed("version", fields.need("version")?)?,
            contract: fields.need("contract")?.to_owned(),
            target: fields.need("target")?.to_owned(),
        }))
    }

    /// Refuses the first claim that is not so.
    pub(super) fn check(&self, truth: &Self) -> Result<(), SignatureError> {
        for ((field, claimed), (_, found)) in self.fields().into_iter().zip(truth.fields()) {
            // What was cleaned when it was signed is compared cleaned.
            let (claimed, found) = (clean(&claimed), clean(&found));
            if claimed != found {
                return Err(SignatureError::ClaimDiffers {
                    field,
                    claimed,
                    found,
                });
            }
        }
        Ok(())
    }

    fn fields(&self) -> [(&'static str, String); 5] {
        [
            ("digest", self.digest.to_string()),
            ("plugin", self.plugin.to_string()),
            ("version", self.version.to_string()),
            ("contract", self.contract.clone()),
            ("target", self.target.clone()),
        ]
    }
}

/// A value that cannot be taken for two: tabs part the fields, and line breaks end the comment.
fn clean(text: &str) -> String {
    text.chars()
        .take(256)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn parsed<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, SignatureError> {
    text.parse().map_err(|_| SignatureError::BadClaims {
        field,
        why: "its value cannot be read",
    })
}

struct Fields<'c>(Vec<(&'c str, &'c str)>);

impl<'c> Fields<'c> {
    fn split(comment: &'c str) -> Self {
        Self(
            comment
                .split('\t')
                .filter_map(|field| field.split_once(':'))
                .collect(),
        )
    }

    fn take(&mut self, field: &'static str) -> Result<Option<&'c str>, SignatureError> {
        let mut values = self.0.iter().filter(|(name, _)| *name == field);
        let value = values.next().map(|(_, value)| *value);
        if values.next().is_some() {
            return Err(SignatureError::BadClaims {
                field,
                why: "it is there twice",
            });
        }
        Ok(value)
    }

    fn need(&mut self, field: &'static str) -> Result<&'c str, SignatureError> {
        self.take(field)?.ok_or(SignatureError::BadClaims {
            field,
            why: "it is missing",
        })
    }
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Explain;

    use super::*;

    fn claims() -> Claims {
        Claims {
            signed_at: 1_767_225_600,
            digest: Digest::of(b"file"),
            plugin: "ledger".parse().unwrap(),
            version: "1.4.0-rc.1+x".parse().unwrap(),
            contract: "1.0".into(),
            target: "x86_64-unknown-linux-gnu".into(),
        }
    }

    #[test]
    fn a_comment_is_read_back_as_it_was_written_whatever_the_file_is_called() {
        for file in ["libledger.so", "a\tplugin:evil\n.so", ""] {
            let comment = claims().comment(file);
            assert!(!comment.contains('\n'), "{comment}");
            assert_eq!(Claims::read(&comment).unwrap(), Some(claims()), "{comment}");
        }
    }

    #[test]
    fn a_comment_of_the_minisign_tool_makes_no_claims() {
        for comment in ["timestamp:1633700835\tfile:test\thashed", "", "hello", "x\t\t:"] {
            assert_eq!(Claims::read(comment).unwrap(), None);
        }
    }

    #[test]
    fn claims_that_are_incomplete_doubled_or_unreadable_are_refused_with_the_field() {
        let comment = claims().comment("x.so");
        for field in ["timestamp", "digest", "plugin", "version", "contract", "target"] {
            let without: Vec<_> = comment
                .split('\t')
                .filter(|part| !part.starts_with(&format!("{field}:")))
                .collect();
            let twice = format!("{comment}\t{field}:1.0.0");
            for bad in [without.join("\t"), twice] {
                let error = Claims::read(&bad).unwrap_err();
                assert_eq!(error.code().0, "PB-SIGN-011");
                assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
            }
        }
        for (good, bad) in [
            ("plugin:ledger", "plugin:Ledger"),
            ("version:1.4", "version:v1.4"),
            ("timestamp:1", "timestamp:-1"),
            ("patchbay:1", "patchbay:2"),
        ] {
            assert!(Claims::read(&comment.replace(good, bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_claim_that_is_not_so_is_refused_with_both_values() {
        type Change = (&'static str, fn(&mut Claims));
        let changes: [Change; 5] = [
            ("digest", |claims| claims.digest = Digest::of(b"older")),
            ("plugin", |claims| claims.plugin = "payments".parse().unwrap()),
            ("version", |claims| claims.version = "9.0.0".parse().unwrap()),
            ("contract", |claims| claims.contract = "7.0".into()),
            ("target", |claims| claims.target = "riscv".into()),
        ];
        claims().check(&claims()).unwrap();
        for (field, change) in changes {
            let mut lie = claims();
            change(&mut lie);
            let error = lie.check(&claims()).unwrap_err();
            assert_eq!(error.code().0, "PB-SIGN-012");
            let text = error.to_string();
            let value = |of: &Claims| {
                let mut fields = of.fields().into_iter();
                fields.find(|(name, _)| *name == field).unwrap().1
            };
            for part in [field, &value(&lie), &value(&claims())] {
                assert!(text.contains(part), "{text}");
            }
        }
        let mut later = claims();
        later.signed_at += 1;
        later.check(&claims()).unwrap();
    }
}
