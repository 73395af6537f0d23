//! Keys, signatures, and who signed.

use patchbay_vocab::TeamName;
use patchbay_wire::{KeyPairView, RelaxedView, SignedView, SignerView};

use super::facts;
use crate::text;

/// Who signed, in a few words; empty for nobody.
pub(super) fn signer(view: Option<&SignerView>) -> String {
    match view {
        None => String::new(),
        Some(SignerView {
            team: Some(team),
            key,
            ..
        }) => format!("{team} ({key})"),
        Some(SignerView { team: None, key, .. }) => format!("unknown key ({key})"),
    }
}

/// A key pair that was made, and what to do with it.
#[must_use]
pub fn render_key_pair(view: &KeyPairView, team: &TeamName) -> String {
    let shown = facts(&[
        ("key", view.key.to_string()),
        ("public", view.public_key.clone()),
        ("public file", view.public_file.clone()),
        ("secret file", view.secret_file.clone()),
    ]);
    let key = text::line(&view.public_key);
    format!("{shown}\nfor patchbay.toml:\n\n[trust.teams.{team}]\nkeys = [\"{key}\"]\n")
}

/// Signatures that were made, one line each.
#[must_use]
pub fn render_signed(views: &[SignedView]) -> String {
    let lines = views.iter().map(|view| {
        let (plugin, version, key) = (&view.plugin, &view.version, view.key);
        format!(
            "{plugin}@{version} signed with {key}: {}\n",
            text::line(&view.signature)
        )
    });
    lines.collect()
}

/// What a data directory demands no more.
#[must_use]
pub fn render_relaxed(view: &RelaxedView) -> String {
    if view.relaxed.is_empty() {
        return "nothing was demanded\n".into();
    }
    let lines = view
        .relaxed
        .iter()
        .map(|what| format!("no more: {}\n", text::line(what)));
    lines.collect()
}
