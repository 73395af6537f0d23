//! What a host promises, tried on real plugin files: one module for each area.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

#[path = "suite/author.rs"]
mod author;
#[path = "suite/calls.rs"]
mod calls;
#[path = "suite/end_to_end.rs"]
mod end_to_end;
#[path = "suite/evolution.rs"]
mod evolution;
#[path = "suite/examples.rs"]
mod examples;
#[path = "suite/golden/mod.rs"]
mod golden;
#[path = "suite/hostile/mod.rs"]
mod hostile;
#[path = "suite/idle/mod.rs"]
mod idle;
#[path = "suite/library/mod.rs"]
mod library;
#[path = "suite/native.rs"]
mod native;
#[path = "suite/pipeline.rs"]
mod pipeline;
#[path = "suite/probe.rs"]
mod probe;
#[path = "suite/replay.rs"]
mod replay;
#[path = "suite/rollouts/mod.rs"]
mod rollouts;
#[path = "suite/run_command.rs"]
mod run_command;
#[path = "suite/run_versions.rs"]
mod run_versions;
#[path = "suite/runs.rs"]
mod runs;
#[path = "suite/runs_served.rs"]
mod runs_served;
#[path = "suite/sessions.rs"]
mod sessions;
#[path = "suite/shared_file.rs"]
mod shared_file;
#[path = "suite/signatures.rs"]
mod signatures;
#[path = "suite/state.rs"]
mod state;
#[path = "suite/swap.rs"]
mod swap;
#[path = "suite/unload.rs"]
mod unload;
#[path = "suite/versions.rs"]
mod versions;
#[path = "suite/waiting.rs"]
mod waiting;
#[path = "suite/workflows/mod.rs"]
mod workflows;
