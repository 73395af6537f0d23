//! What a plugin built with this SDK sees of a host that speaks an older contract.
#![cfg(feature = "testing")]
#![forbid(unsafe_code)]

use std::time::{Duration, UNIX_EPOCH};

use plugin_api::contract::FIRST;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

/// Seconds since 1970, by the host's clock.
#[node(id = "test.clock")]
fn clock(ctx: &Ctx<'_>) -> Answer<Option<u64>> {
    let since = ctx
        .wall_clock()
        .and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    answer(since.map(|since| since.as_secs()))
}

/// The same, by a node that is polled.
#[node(id = "test.waiting-clock")]
async fn waiting_clock(ctx: Ctx<'_>) -> NodeResult<Answer<bool>> {
    ctx.sleep(Duration::ZERO).await?;
    Ok(answer(ctx.wall_clock().is_some()))
}

#[test]
fn a_host_of_today_lends_its_wall_clock() {
    let harness = Harness::new().wall_clock(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    assert_eq!(
        harness.call::<clock>("{}").unwrap().to_json(),
        r#"{"result":1700000000}"#
    );
    assert_eq!(
        harness.call::<waiting_clock>("{}").unwrap().to_json(),
        r#"{"result":true}"#
    );
}

#[test]
fn a_host_of_the_first_contract_has_no_wall_clock_and_everything_else() {
    let harness = Harness::new().host_contract(FIRST);
    assert_eq!(
        harness.call::<clock>("{}").unwrap().to_json(),
        r#"{"result":null}"#
    );
    assert_eq!(
        harness.call::<waiting_clock>("{}").unwrap().to_json(),
        r#"{"result":false}"#
    );
}
