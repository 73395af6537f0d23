//! What holds of every rollout, whatever it is told, in whatever order.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::analysis::{Analysis, FailedChecks, NoData};
use crate::input::{Order, OrderKind, Reach};
use crate::measured::Window;
use crate::policy::{Canary, OnDeadline, Pause, Pauses, Replay, Shadow, Then};

fn canaries() -> impl Strategy<Value = Canary> {
    let steps = prop::collection::btree_set(1..=10_000_u16, 1..5);
    let pause = prop_oneof![Just(Pause::Promote), (0..5_000_u64).prop_map(Pause::AfterMs)];
    let no_data = prop_oneof![Just(NoData::Wait), Just(NoData::Pass), Just(NoData::Fail)];
    let on_deadline = prop_oneof![
        Just(OnDeadline::Rollback),
        Just(OnDeadline::Pause),
        Just(OnDeadline::Promote)
    ];
    let analysis = prop::option::of((no_data, 1..4_u32, 10..3_000_u64));
    (
        steps,
        prop::collection::vec(pause, 5),
        0..5_000_u64,
        analysis,
        on_deadline,
        5_001..20_000_u64,
    )
        .prop_map(|(steps, pauses, bake_ms, analysis, on_deadline, deadline_ms)| {
            let steps: Vec<Weight> = steps.into_iter().filter_map(Weight::from_basis_points).collect();
            let below = steps.iter().filter(|step| **step < Weight::ALL).count();
            Canary {
                steps,
                pause: Pauses::Each(pauses.into_iter().take(below).collect()),
                bake_ms,
                analysis: analysis.map(|(no_data, limit, interval_ms)| Analysis {
                    interval_ms,
                    no_data,
                    failed_checks: FailedChecks {
                        consecutive: Some(limit),
                        total: Some(limit + 1),
                    },
                    ..Analysis::default()
                }),
                on_deadline,
                deadline_ms,
                ..Canary::default()
            }
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    let then = || {
        prop_oneof![
            Just(Then::Promote),
            Just(Then::Manual),
            canaries().prop_map(|canary| Then::Canary(Box::new(canary)))
        ]
    };
    let shadow = (then(), 1..40_u64, 0..3_u64).prop_map(|(then, calls, max_differences)| {
        Policy::Shadow(Shadow {
            then,
            calls,
            max_differences,
            deadline_ms: 10_000,
            ..Shadow::default()
        })
    });
    let replay = (then(), 0..3_u32).prop_map(|(then, at_least)| {
        Policy::Replay(Replay {
            then,
            at_least,
            max_differences: 1,
            deadline_ms: 10_000,
            ..Replay::default()
        })
    });
    prop_oneof![
        1 => Just(Policy::Immediate),
        1 => Just(Policy::Manual),
        6 => canaries().prop_map(Policy::Canary),
        3 => shadow,
        3 => replay,
    ]
}

fn windows() -> impl Strategy<Value = Option<Window>> {
    let arm = || {
        (0..200_u64, 0..3_u64).prop_map(|(calls, bad)| Measured {
            calls,
            failed: calls * bad / 4,
            ..Measured::default()
        })
    };
    prop::option::of((arm(), arm()).prop_map(|(stable, candidate)| Window {
        stable,
        candidate,
        span: Duration::from_secs(1),
    }))
}

#[derive(Clone, Debug)]
enum Event {
    Told(u64, Input),
    /// The clock jumps back.
    Back(u64),
    /// The host is killed, and comes back later.
    Killed(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![
        3 => Just(OrderKind::Pause),
        3 => Just(OrderKind::Resume),
        3 => Just(OrderKind::Promote(Reach::Next)),
        1 => Just(OrderKind::Promote(Reach::Full)),
        1 => Just(OrderKind::Abort),
    ];
    let order = kind.prop_map(|kind| {
        Input::Order(Order {
            kind,
            by: "x".into(),
            reason: String::new(),
        })
    });
    let input = prop_oneof![
        20 => windows().prop_map(|window| Input::Tick { window }),
        4 => (0..20_u64, 0..3_u64).prop_map(|(compared, differing)| Input::Shadowed { compared, differing }),
        2 => (0..20_u64, 0..3_u64).prop_map(|(compared, differing)| Input::Replayed { compared, differing }),
        4 => order,
        1 => Just(Input::CandidateLost("gone".into())),
    ];
    let event = prop_oneof![
        20 => (0..3_000_u64, input).prop_map(|(later, input)| Event::Told(later, input)),
        1 => (0..10_000_u64).prop_map(Event::Back),
        2 => (0..100_000_u64).prop_map(Event::Killed),
    ];
    prop::collection::vec(event, 0..80)
}

/// What a host would have made of the effects so far.
#[derive(Debug, Default, PartialEq)]
struct World {
    weight: u16,
    is_live: bool,
    tries: bool,
    rolled_back: bool,
    finished: u32,
}

impl World {
    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::SetWeight(weight) => self.weight = weight.basis_points(),
            Effect::StartShadow | Effect::StartReplay => self.tries = true,
            Effect::StopTrial => self.tries = false,
            Effect::GoLive => (self.is_live, self.weight) = (true, 10_000),
            Effect::RollBack { .. } => {
                *self = Self {
                    rolled_back: true,
                    finished: self.finished,
                    ..Self::default()
                };
            }
            Effect::Finished(_) => self.finished += 1,
            Effect::Measure | Effect::Record(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_rollout_ends_once_and_its_weight_never_sinks_but_by_a_rollback(policy in policies(), events in events()) {
        let mut rollout = Rollout::begin(policy, UnixMillis(1_000_000)).expect("a valid policy");
        let (mut now, mut world) = (1_000_000_u64, World::default());
        for event in events {
            let before = rollout.clone();
            let weight_before = world.weight;
            let aborts = matches!(&event, Event::Told(_, Input::Order(Order { kind: OrderKind::Abort, .. })));
            let effects = match event {
                Event::Told(later, input) => {
                    now += later;
                    match rollout.advance(UnixMillis(now), input) {
                        Ok(effects) => effects,
                        Err(_) => {
                            prop_assert_eq!(&rollout, &before, "a refused order changes nothing");
                            Vec::new()
                        }
                    }
                }
                Event::Back(by) => {
                    now -= by;
                    Vec::new()
                }
                Event::Killed(down) => {
                    now += down;
                    let stored = serde_json::to_string(&rollout).expect("JSON");
                    rollout = Rollout::restore(&stored).expect("a stored rollout");
                    prop_assert_eq!(&rollout, &before);
                    let effects = rollout.resumed(UnixMillis(now));
                    // Detours and trials died with the host; that it is live was stored.
                    world.tries = false;
                    prop_assert_eq!(rollout.phase(), before.phase(), "a restart decides nothing");
                    effects
                }
            };
            for effect in &effects {
                prop_assert_eq!(world.finished, 0, "nothing comes after the end");
                world.carry_out(effect);
                // Carried out twice is as carried out once.
                if !matches!(effect, Effect::Finished(_)) {
                    world.carry_out(effect);
                }
                prop_assert!(world.weight <= 10_000);
                prop_assert!(world.weight >= weight_before || world.rolled_back);
            }
            if before.outcome().is_some() {
                prop_assert_eq!(&rollout, &before, "what is over never changes");
                prop_assert_eq!(effects, []);
            }
            if aborts && before.outcome().is_none() {
                prop_assert!(world.rolled_back && world.weight == 0 && !world.is_live);
            }
            prop_assert_eq!(u32::from(rollout.outcome().is_some()), world.finished);
            prop_assert_eq!(rollout.phase().is_finished(), world.finished == 1);
            prop_assert_eq!(rollout.weight().basis_points(), world.weight);
            prop_assert!(!rollout.message().is_empty());
            match rollout.outcome() {
                Some(Outcome::Promoted) => prop_assert!(world.is_live && !world.rolled_back && !world.tries),
                Some(_) => prop_assert!(!world.is_live && world.rolled_back && !world.tries),
                None => {
                    prop_assert!(!world.rolled_back);
                    let trying = matches!(rollout.stage, Stage::Shadow) || (rollout.stage == Stage::Replay && !rollout.trial.replayed);
                    prop_assert!(!trying || world.tries);
                }
            }
        }
    }

    #[test]
    fn a_rollout_that_nobody_pauses_comes_to_an_end(policy in policies(), window in windows()) {
        let mut rollout = Rollout::begin(policy, UnixMillis(0)).expect("a valid policy");
        let mut now = 0;
        // Fifty times a deadline of 20 s is more than five steps and a bake can take.
        while now < 1_000_000 && rollout.outcome().is_none() {
            now += 500;
            let waits = matches!(rollout.phase(), Phase::Paused { .. });
            let input = if waits {
                Input::Order(Order { kind: OrderKind::Promote(Reach::Next), by: "x".into(), reason: String::new() })
            } else {
                Input::Tick { window: window.clone() }
            };
            rollout.advance(UnixMillis(now), input).expect("no refusal");
        }
        prop_assert!(rollout.outcome().is_some(), "{}", rollout.message());
    }
}
