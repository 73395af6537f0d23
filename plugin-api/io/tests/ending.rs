//! How the I/O thread ends; a program of its own, since it ends once.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plugin_api::prelude::*;
use plugin_api::testing::Harness;

static CLOSED: AtomicBool = AtomicBool::new(false);
static STARTED: AtomicBool = AtomicBool::new(false);

#[parameters]
struct Nothing {}

/// Waits for ever.
#[node(id = "io.forever")]
async fn forever(_nothing: Nothing, ctx: Ctx<'_>) -> NodeResult<()> {
    plugin_io::run(ctx, async {
        STARTED.store(true, Ordering::SeqCst);
        std::future::pending().await
    })
    .await
}

#[test]
fn an_end_closes_what_is_kept_tells_who_waits_and_leaves_no_thread() {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Harness::new().call::<forever>("{}").unwrap_err());
        while !STARTED.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        plugin_io::end_after(|| {
            // Within the runtime: a timer can be made.
            drop(tokio::time::sleep(Duration::from_secs(1)));
            CLOSED.store(true, Ordering::SeqCst);
        });
        let error = waiting.join().unwrap();
        assert!(error.message.contains("ending"), "{error}");
    });
    assert!(CLOSED.load(Ordering::SeqCst));
    let error = Harness::new().call::<forever>("{}").unwrap_err();
    assert!(error.message.contains("ending"), "{error}");
    plugin_io::end();
}
