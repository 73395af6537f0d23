//! Shadows and replays.

use super::*;

#[test]
fn a_shadow_ends_with_enough_calls_alike_or_one_too_many_different() {
    let shadow = |then| {
        Policy::Shadow(Shadow {
            calls: 10,
            max_differences: 1,
            deadline_ms: 5_000,
            then,
            ..Shadow::default()
        })
    };
    let (mut bench, effects) = Bench::ready(shadow(Then::Canary(Box::new(canary()))));
    assert_eq!(done(effects), [Effect::StartShadow]);
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 9,
                differing: 1
            }
        ),
        []
    );
    assert_eq!(
        bench.rollout.message(),
        "it answered 9 of 10 shadowed calls, 1 of them differently"
    );
    assert_eq!(
        done(bench.after(
            1,
            Input::Shadowed {
                compared: 1,
                differing: 0
            }
        )),
        [Effect::StopTrial, weight(500), Effect::Measure]
    );
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 9,
                differing: 9
            }
        ),
        [],
        "a late one is passed over"
    );

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    let effects = bench.after(
        1,
        Input::Shadowed {
            compared: 3,
            differing: 2,
        },
    );
    assert_eq!(
        failed(&effects),
        "2 of 3 shadowed calls were answered differently, 1 may be"
    );
    assert!(matches!(
        effects[0],
        Effect::Record(Evidence::Differences {
            compared: 3,
            differing: 2,
            allowed: 1,
            ..
        })
    ));

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    bench.order(OrderKind::Pause);
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 10,
                differing: 0
            }
        ),
        [],
        "a paused one does not go on"
    );
    assert_eq!(
        done(bench.order(OrderKind::Resume)),
        [Effect::StopTrial, Effect::GoLive, promoted()]
    );

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    failed(&bench.tick(5_000, None));
}

#[test]
fn a_replay_ends_when_all_was_made_again() {
    let replay = |then| {
        Policy::Replay(Replay {
            last: 5,
            at_least: 2,
            then,
            ..Replay::default()
        })
    };
    let (mut bench, effects) = Bench::ready(replay(Then::Manual));
    assert_eq!(done(effects), [Effect::StartReplay]);
    assert_eq!(
        done(bench.after(
            1,
            Input::Replayed {
                compared: 5,
                differing: 0
            }
        )),
        [Effect::StopTrial]
    );
    assert_eq!(bench.phase(), "paused");
    assert_eq!(
        bench.after(
            1,
            Input::Replayed {
                compared: 5,
                differing: 5
            }
        ),
        []
    );
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [Effect::GoLive, promoted()]
    );

    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    failed(&bench.after(
        1,
        Input::Replayed {
            compared: 5,
            differing: 1,
        },
    ));
    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    let effects = bench.after(
        1,
        Input::Replayed {
            compared: 1,
            differing: 0,
        },
    );
    assert_eq!(
        failed(&effects),
        "only 1 recorded call(s) could be made again, 2 are wanted"
    );
    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    failed(&bench.tick(600_000, None));
}
