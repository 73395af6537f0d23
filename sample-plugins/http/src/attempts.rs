//! Attempts: how often a request is made, and how long is waited between.
//!
//! Invariant: a request that changes something is made once, unless the workflow says that it may be repeated; and
//! nobody waits for an attempt that would begin after the call's deadline.

use std::time::{Duration, SystemTime};

use plugin_api::error::code;
use plugin_api::prelude::*;
use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::client::place;
use crate::exchange::{Fault, Reply, exchange};
use crate::order::Order;
use crate::settings::Settings;

/// The longest wait between two attempts, whatever a server asks for.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Where the wait stops growing.
const LONGEST_STEP: Duration = Duration::from_secs(30);

/// When a request is made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retries {
    /// How often, at most.
    pub(crate) most: u32,
    /// The first wait; each one is twice as long as the one before.
    pub(crate) wait: Duration,
    /// Statuses that are worth another attempt.
    pub(crate) statuses: Vec<u16>,
    /// For which methods.
    pub(crate) methods: Repeatable,
}

/// Methods whose requests may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeatable {
    /// Those that say the same when said twice.
    Idempotent,
    /// All.
    Every,
}

impl Retries {
    fn may_repeat(&self, method: &Method) -> bool {
        self.methods == Repeatable::Every || method.is_idempotent()
    }

    /// How long to wait after an attempt; the first one is 1.
    fn wait_after(&self, attempt: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.wait.saturating_mul(doubled).min(LONGEST_STEP)
    }
}

/// Makes a request until it is answered, or there is no point in another attempt.
///
/// # Errors
/// That of the last attempt; `TIMEOUT` when the call's deadline passed.
pub(crate) async fn perform(
    order: Order,
    settings: Settings,
    remaining: Option<Duration>,
) -> NodeResult<Reply> {
    let until = remaining.map(|left| Instant::now() + left);
    let attempts = attempts(&order, &settings, until);
    let Some(until) = until else {
        return attempts.await;
    };
    let late = |_| {
        NodeError::with_code(
            code::TIMEOUT,
            "the call's deadline passed before the answer was there",
        )
    };
    timeout_at(until, attempts).await.map_err(late)?
}

async fn attempts(order: &Order, settings: &Settings, until: Option<Instant>) -> NodeResult<Reply> {
    let mut attempt = 1;
    loop {
        let made = timeout(order.timeout, exchange(order, settings)).await;
        let made = made.unwrap_or_else(|_| {
            let (place, waited) = (place(order.request.url()), order.timeout.as_millis());
            Err(Fault::passing(format!(
                "{place} gave no whole answer within {waited} ms"
            )))
        });
        let again = match &made {
            Ok(reply) => order.retries.statuses.contains(&reply.status.as_u16()),
            Err(fault) => fault.passing,
        };
        let asked = made
            .as_ref()
            .ok()
            .and_then(|reply| retry_after(&reply.headers, SystemTime::now()));
        let wait = asked.unwrap_or_else(|| order.retries.wait_after(attempt));
        let in_time = wait <= LONGEST_WAIT && until.is_none_or(|until| Instant::now() + wait < until);
        if !again
            || !in_time
            || attempt > order.retries.most
            || !order.retries.may_repeat(order.request.method())
        {
            return match made {
                Ok(reply) => Ok(Reply {
                    attempts: attempt,
                    ..reply
                }),
                Err(fault) if attempt > 1 => {
                    let message = format!("{}, after {attempt} attempts", fault.error.message);
                    Err(NodeError {
                        message: message.into(),
                        ..fault.error
                    })
                }
                Err(fault) => Err(fault.error),
            };
        }
        sleep(wait).await;
        attempt += 1;
    }
}

/// How long a server asks to wait: in seconds, or until a time.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn retries(wait: Duration) -> Retries {
        Retries {
            most: 5,
            wait,
            statuses: vec![503],
            methods: Repeatable::Idempotent,
        }
    }

    #[test]
    fn each_wait_is_twice_as_long_as_the_one_before_up_to_a_bound() {
        let retries = retries(Duration::from_millis(500));
        let waits: Vec<u128> = (1..=9)
            .map(|attempt| retries.wait_after(attempt).as_millis())
            .collect();
        assert_eq!(
            waits,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
        );
        assert_eq!(retries.wait_after(u32::MAX), LONGEST_STEP);
    }

    #[test]
    fn only_what_says_the_same_twice_is_repeated_unless_the_workflow_says_so() {
        let mut retries = retries(Duration::ZERO);
        for (method, may) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::PUT, true),
            (Method::DELETE, true),
            (Method::OPTIONS, true),
            (Method::POST, false),
            (Method::PATCH, false),
        ] {
            assert_eq!(retries.may_repeat(&method), may, "{method}");
        }
        retries.methods = Repeatable::Every;
        assert!(retries.may_repeat(&Method::POST));
    }

    #[test]
    fn a_server_says_how_long_to_wait_in_seconds_or_until_when() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("99999999999999999999999", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            let waited = retry_after(&headers, now);
            assert_eq!(waited, expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    proptest! {
        #[test]
        fn a_wait_is_bounded_and_never_shorter_than_the_one_before(millis in 0_u64..600_000, attempt in 1_u32..1_000) {
            let retries = retries(Duration::from_millis(millis));
            prop_assert!(retries.wait_after(attempt) <= retries.wait_after(attempt + 1));
            prop_assert!(retries.wait_after(attempt) <= LONGEST_STEP);
        }
    }
}
