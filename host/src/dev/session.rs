//! The loop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};

use patchbay::{EventView, Explain, Patchbay, PluginName};
use patchbay_author::{
    Build, Built, Change, Cycle, DevError, Diagnostics, FileEvent, Freshness, Project, Said, Sources,
};
use patchbay_cli::{Exit, Format, render_dev, with_process_streams};
use patchbay_vocab::{Clock, SystemClock};
use patchbay_wire::{DevEventView, ExampleOutcome, ExampleRunView};

use super::hand_over::{Handed, Inbox, Taken};

/// Whether the loop ends with the first build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// It does.
    Once,
    /// It ends when it is told to.
    Always,
}

/// What happens to the loop.
#[derive(Debug)]
pub(super) enum DevEvent {
    /// Something happened in the project's folder.
    File(FileEvent),
    /// The build has said all.
    Said(Said),
    /// Something happened in the host.
    Host(EventView),
    /// The examples were run.
    Examples(Vec<ExampleRunView>),
    /// The process is asked to end.
    Interrupted,
}

/// The loop's state.
pub(super) struct Session {
    // Drops first: a build that still runs is ended.
    build: Option<Build>,
    project: Project,
    sources: Option<Sources>,
    cycle: Cycle,
    clock: SystemClock,
    host: Patchbay,
    inbox: Inbox,
    handed: Option<Handed>,
    events: Sender<DevEvent>,
    format: Format,
    times: Times,
    done: Option<Exit>,
}

impl Session {
    /// Begins to watch.
    pub(super) fn open(
        project: Project,
        host: Patchbay,
        private: &Path,
        events: Sender<DevEvent>,
        format: Format,
        times: Times,
    ) -> Result<Self, DevError> {
        let sources = match times {
            Times::Once => None,
            Times::Always => {
                let seen = events.clone();
                // A loop that has ended wants no more events.
                Some(Sources::watch(&project, move |event| {
                    let _ = seen.send(DevEvent::File(event));
                })?)
            }
        };
        Ok(Self {
            build: None,
            project,
            sources,
            cycle: Cycle::starting(),
            clock: SystemClock::new(),
            host,
            inbox: Inbox::of(private),
            handed: None,
            events,
            format,
            times,
            done: None,
        })
    }

    /// Runs until it is told to end, or, once, until the first build has come to something.
    pub(super) fn run(&mut self, inbox: &Receiver<DevEvent>, bound: Option<SocketAddr>) -> Exit {
        if self.times == Times::Always {
            self.show(&DevEventView::Ready {
                url: bound.map(|address| format!("http://{address}")),
                project: self.project.folder().display().to_string(),
            });
        }
        loop {
            if let Some(exit) = self.done {
                return exit;
            }
            let now = self.clock.now();
            if self.cycle.starts(now) {
                self.start_build();
                continue;
            }
            let event = match self.cycle.due() {
                Some(due) => inbox.recv_timeout(due.since(now)),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {}
                // Cannot be: this session holds a sender itself.
                Err(RecvTimeoutError::Disconnected) => return Exit::Internal,
            }
        }
    }

    fn take(&mut self, event: DevEvent) {
        match event {
            DevEvent::File(event) => {
                let now = self.clock.now();
                match self.sources.as_mut().and_then(|sources| sources.observe(&event)) {
                    Some(Change::Source) => self.cycle.changed(now),
                    Some(Change::Lock) => self.cycle.lock_changed(now),
                    None => {}
                }
            }
            DevEvent::Said(said) => self.built(said),
            DevEvent::Host(event) => self.heard(&event),
            DevEvent::Examples(runs) => {
                let fails = |run: &ExampleRunView| {
                    matches!(run.outcome, ExampleOutcome::Differs | ExampleOutcome::Failed)
                };
                let exit = if runs.iter().any(fails) {
                    Exit::No
                } else {
                    Exit::Success
                };
                self.show(&DevEventView::Examples { runs });
                self.came_to(exit);
            }
            DevEvent::Interrupted => self.done = Some(Exit::Success),
        }
    }

    fn start_build(&mut self) {
        self.show(&DevEventView::Building {});
        let diagnostics = match self.format {
            Format::Human => Diagnostics::Shown,
            Format::Json => Diagnostics::Kept,
        };
        let events = self.events.clone();
        let started = Build::start(&self.project, diagnostics, move |said| {
            let _ = events.send(DevEvent::Said(said));
        });
        match started {
            Ok(build) => self.build = Some(build),
            Err(error) => {
                self.cycle.ended();
                self.fail(&error, Exit::Internal);
            }
        }
    }

    fn built(&mut self, said: Said) {
        let Some(build) = self.build.take() else { return };
        let fresh = self.cycle.ended();
        match (build.finish(said), fresh) {
            (Ok(Built::Failed { diagnostics, took }), _) => {
                self.show(&DevEventView::Failed {
                    build_micros: micros(took),
                    diagnostics,
                });
                self.came_to(Exit::No);
            }
            (Ok(Built::Linked { took, .. }), Freshness::Stale) => {
                self.show(&DevEventView::OutOfDate {
                    build_micros: micros(took),
                });
            }
            (
                Ok(Built::Linked {
                    artifact,
                    took,
                    began,
                }),
                Freshness::Fresh,
            ) => match self.inbox.hand_over(&self.host, &artifact, took, began) {
                Ok(Taken::Live) => {
                    self.handed = None;
                    self.show(&DevEventView::Unchanged {
                        build_micros: micros(took),
                    });
                    self.came_to(Exit::Success);
                }
                Ok(Taken::Known(handed, plugin, revision)) => {
                    self.promote(&handed, &plugin, revision);
                }
                Ok(Taken::New(handed)) => self.handed = Some(handed),
                Err(error) => self.fail(&error, Exit::Internal),
            },
            (Err(error), _) => self.fail(&error, Exit::No),
        }
    }

    /// Something happened in the host: only what was handed over last matters.
    fn heard(&mut self, event: &EventView) {
        let Some(handed) = self.handed.take() else { return };
        match handed.outcome(&self.host, event) {
            None => self.handed = Some(handed),
            Some(Ok((plugin, revision))) => self.promote(&handed, &plugin, revision),
            Some(Err(why)) => {
                self.show(&DevEventView::Rejected {
                    code: why.code,
                    message: why.message,
                    hint: why.hint,
                });
                self.came_to(Exit::No);
            }
        }
    }

    fn promote(&mut self, handed: &Handed, plugin: &PluginName, revision: patchbay::RevisionNumber) {
        self.handed = None;
        match handed.promote(&self.host, plugin, revision) {
            Ok(live) => {
                self.show(&live);
                let (host, plugin, events) = (self.host.clone(), plugin.clone(), self.events.clone());
                // On a thread of its own: an example may take as long as it likes, and saves go on.
                let examples = move || {
                    let runs = host.run_examples(&plugin).unwrap_or_default();
                    let _ = events.send(DevEvent::Examples(runs));
                };
                let started = std::thread::Builder::new()
                    .name("pb-examples".into())
                    .spawn(examples);
                if started.is_err() {
                    self.came_to(Exit::Internal);
                }
            }
            Err(error) => self.fail(&error, Exit::No),
        }
    }

    fn fail(&mut self, error: &dyn Explain, exit: Exit) {
        self.show(&DevEventView::Rejected {
            code: error.code().0.into(),
            message: error.chain(),
            hint: error.help(),
        });
        self.came_to(exit);
    }

    /// The build has come to this; the loop ends with it when it was for one build.
    fn came_to(&mut self, exit: Exit) {
        if self.times == Times::Once {
            self.done = Some(exit);
        }
    }

    fn show(&mut self, event: &DevEventView) {
        let shown = with_process_streams(|streams| {
            let exit = match self.format {
                Format::Json => streams.json_line(event),
                Format::Human => {
                    render_dev(event, streams.layout()).map_or(Exit::Success, |text| streams.answer(&text))
                }
            };
            if streams.is_closed() { Err(exit) } else { Ok(()) }
        });
        // Nobody reads any more: there is nobody to watch for.
        if let Err(exit) = shown {
            self.done = Some(exit);
        }
    }
}

pub(super) fn micros(of: std::time::Duration) -> u64 {
    u64::try_from(of.as_micros()).unwrap_or(u64::MAX)
}
