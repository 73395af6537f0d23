//! What changed, what happens, and how the host is.

use patchbay_wire::{EventView, HistoryView, RevisionRef, StatusView, SwapView, UnloadMode};

use super::trust::signer;
use super::{facts, push_column, render_table};
use crate::clock::{micros, stamp, uptime};
use crate::streams::Layout;
use crate::text;

pub(crate) fn history(lines: &[HistoryView], layout: Layout) -> String {
    let mut rows: Vec<_> = lines
        .iter()
        .map(|line| {
            vec![
                stamp(line.at),
                line.generation.to_string(),
                line.action.clone(),
                format!("r{}", line.revision),
                line.version.to_string(),
                line.from_revision
                    .map(|from| format!("r{from}"))
                    .unwrap_or_default(),
                line.actor.clone(),
                line.reason.clone(),
            ]
        })
        .collect();
    let mut header = vec!["when", "gen", "action", "rev", "version", "from", "by", "reason"];
    let signers = lines.iter().map(|line| signer(line.signed_by.as_ref()));
    push_column(&mut header, &mut rows, "signed by", signers.collect());
    render_table(&header, &rows, layout)
}

fn name(revision: Option<&RevisionRef>) -> String {
    match revision {
        Some(RevisionRef { revision, version }) => format!("{version} (r{revision})"),
        None => "nothing".to_owned(),
    }
}

/// What a quarantine did: it may concern a revision that was not live, and then nothing had to take over.
pub(crate) fn quarantined(swap: &SwapView) -> String {
    let (plugin, generation) = (&swap.plugin, swap.generation);
    let out = name(swap.from.as_ref());
    let successor = swap
        .to
        .as_ref()
        .map(|to| format!(", {} took over", name(Some(to))))
        .unwrap_or_default();
    format!("{plugin}: {out} is quarantined{successor}, generation {generation}")
}

/// What a promotion or a rollback did.
pub(crate) fn swap(swap: &SwapView) -> String {
    let took = swap
        .micros
        .map(|count| format!(", swapped in {}", micros(count)))
        .unwrap_or_default();
    let state = swap.state.map(|state| {
        let paused = micros(state.paused_micros);
        format!(
            ", state of {} instances handed over in {paused}{}",
            state.instances,
            match state.dropped {
                0 => String::new(),
                dropped => format!(" and of {dropped} dropped: their nodes are gone"),
            }
        )
    });
    let state = state.unwrap_or_default();
    let (plugin, generation) = (&swap.plugin, swap.generation);
    if swap.from == swap.to {
        return format!(
            "{plugin}: {} stays live, generation {generation}",
            name(swap.to.as_ref())
        );
    }
    format!(
        "{plugin}: {} -> {}, generation {generation}{took}{state}",
        name(swap.from.as_ref()),
        name(swap.to.as_ref())
    )
}

pub(crate) fn event(event: &EventView) -> String {
    let mut out = format!("{}  {}", stamp(event.at), text::line(&event.kind));
    if let Some(plugin) = &event.plugin {
        out.push_str(&format!("  {plugin}"));
        if let Some(version) = &event.version {
            out.push_str(&format!("@{version}"));
        }
        if let Some(revision) = event.revision {
            out.push_str(&format!(" (r{revision})"));
        }
    }
    if let Some(code) = &event.code {
        out.push_str(&format!("  {}", text::line(code)));
    }
    out.push_str(&format!("  {}", text::line(&event.message)));
    out
}

/// The mode of a host, when it is worth a word.
fn mode(mode: &str) -> String {
    match mode {
        "normal" => String::new(),
        "safe" => "safe: nothing goes forward by itself".to_owned(),
        "recovered" => {
            "recovered: the host kept ending, so it began with the last good set; nothing goes forward by itself"
                .to_owned()
        }
        other => other.to_owned(),
    }
}

pub(crate) fn status(status: &StatusView, _: Layout) -> String {
    let unload = match status.unload {
        UnloadMode::Unmap => "drained versions are unmapped",
        UnloadMode::KeepMapped => "drained versions stay mapped: this executable has no thread hooks",
    };
    facts(&[
        ("version", status.version.clone()),
        ("contract", status.contract.clone()),
        ("up", uptime(status.uptime_millis)),
        ("generation", status.generation.to_string()),
        ("plugins", status.plugins.to_string()),
        ("nodes", status.nodes.to_string()),
        ("refused files", status.rejected.to_string()),
        ("unloading", unload.to_owned()),
        ("mode", mode(&status.mode)),
        (
            "rollouts",
            match status.rollouts {
                0 => String::new(),
                count => count.to_string(),
            },
        ),
        (
            "trouble",
            match &status.state_trouble {
                Some(why) => format!("changes cannot be remembered: {why}"),
                None => String::new(),
            },
        ),
    ])
}
