use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

#[parameters]
struct Work {
    how: String,
}

/// Does what its parameter says.
#[node(id = "work.do")]
async fn work(input: Work, ctx: Ctx<'_>) -> NodeResult<Answer<String>> {
    crate::run(ctx, async move {
        match input.how.as_str() {
            "sleep" => tokio::time::sleep(Duration::from_millis(1)).await,
            "fail" => return Err(NodeError::with_code("OF_ITS_OWN", "failed")),
            "panic" => panic!("of the work"),
            _ => {}
        }
        Ok(answer(input.how))
    })
    .await
}

/// Blocks as its parameter says.
#[node(id = "work.block")]
async fn block(input: Work, ctx: Ctx<'_>) -> NodeResult<Answer<String>> {
    crate::run_blocking(ctx, move |stop| {
        match input.how.as_str() {
            "until stopped" => {
                while !stop.is_stopped() {
                    std::thread::sleep(Duration::from_micros(100));
                }
                stop.check()?;
            }
            "panic" => panic!("of the work"),
            _ => {}
        }
        Ok(answer(input.how))
    })
    .await
}

fn how(how: &str) -> String {
    format!(r#"{{"how": "{how}"}}"#)
}

#[test]
fn what_comes_of_the_work_comes_back_to_the_call() {
    let harness = Harness::new();
    for well in ["at once", "sleep"] {
        let output = harness.call::<work>(&how(well)).unwrap();
        assert_eq!(output.as_ref().get("result").unwrap().as_str(), Some(well));
        let output = harness.call::<block>(&how(well)).unwrap();
        assert_eq!(output.as_ref().get("result").unwrap().as_str(), Some(well));
    }
    assert_eq!(harness.call::<work>(&how("fail")).unwrap_err().code, "OF_ITS_OWN");
}

#[test]
fn a_panic_of_the_work_is_one_of_the_call() {
    let harness = Harness::new();
    for error in [
        harness.call::<work>(&how("panic")).unwrap_err(),
        harness.call::<block>(&how("panic")).unwrap_err(),
    ] {
        assert_eq!(error.code, code::PLUGIN_PANICKED);
        assert!(error.message.contains("of the work"), "{error}");
    }
    harness.call::<work>(&how("sleep")).unwrap();
}

#[test]
fn work_that_blocks_sees_the_deadline() {
    let harness = Harness::new().deadline(Duration::from_millis(20));
    let error = harness.call::<block>(&how("until stopped")).unwrap_err();
    assert_eq!(error.code, code::TIMEOUT);
}

#[test]
fn a_call_that_is_over_begins_no_work() {
    let harness = Harness::new().cancelled();
    assert_eq!(
        harness.call::<work>(&how("sleep")).unwrap_err().code,
        code::CANCELLED
    );
    assert_eq!(
        harness.call::<block>(&how("x")).unwrap_err().code,
        code::CANCELLED
    );
}

#[test]
fn many_calls_from_many_threads_are_all_answered() {
    let answered = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let harness = Harness::new();
                for round in 0..50 {
                    let asked = how(if round % 2 == 0 { "sleep" } else { "x" });
                    harness.call::<work>(&asked).unwrap();
                    harness.call::<block>(&asked).unwrap();
                    answered.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(answered.load(Ordering::Relaxed), 800);
}

/// Says when it is dropped.
struct Told(Sender<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[test]
fn a_call_that_is_dropped_drops_its_work_on_the_io_thread() {
    let (sender, told): (_, Receiver<&str>) = channel();
    let (job, waiting) = crate::handed::handed(async move {
        let told = Told(sender);
        let _ = told.0.send("begun");
        std::future::pending::<()>().await;
        drop(told);
        Ok(())
    });
    let handed = waiting.sent(crate::runtime::submit(Box::pin(job)).unwrap());
    assert_eq!(told.recv(), Ok("begun"));
    drop(handed);
    assert_eq!(told.recv(), Ok("dropped"));
}
