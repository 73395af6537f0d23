//! Invariant: in any span of time `t`, a bucket grants at most `limit + limit * t / window` tokens, to the microsecond
//! and without rounding that could add up.
//!
//! A bucket counts in credits: one token is worth as many credits as the window has microseconds, so that each
//! microsecond adds `limit` credits and everything is an integer. Time is passed in, never read.

/// The largest number of tokens that a bucket holds.
pub(crate) const MAX_LIMIT: u64 = 1_000_000;

/// The longest window, 31 days in microseconds; a full bucket's credits then fit in 63 bits.
pub(crate) const MAX_WINDOW: u64 = 31 * 24 * 3_600 * 1_000_000;

const _: () = assert!(MAX_LIMIT * MAX_WINDOW < 1 << 63);

/// How many tokens there are, and how long it takes to refill all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    limit: u64,
    window: u64,
}

impl Rate {
    /// `window` in microseconds. `None` outside of 1 to [`MAX_LIMIT`] and 1 to [`MAX_WINDOW`].
    pub(crate) fn new(limit: u64, window: u64) -> Option<Self> {
        ((1..=MAX_LIMIT).contains(&limit) && (1..=MAX_WINDOW).contains(&window))
            .then_some(Self { limit, window })
    }

    pub(crate) const fn limit(self) -> u64 {
        self.limit
    }

    pub(crate) const fn window(self) -> u64 {
        self.window
    }

    const fn full(self) -> u64 {
        self.limit * self.window
    }

    /// Microseconds until `credits` have come in.
    const fn time_for(self, credits: u64) -> u64 {
        credits.div_ceil(self.limit)
    }
}

/// What a bucket answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) allowed: bool,
    /// Whole tokens left.
    pub(crate) remaining: u64,
    /// Microseconds until as many tokens are there as were asked for; 0 when they were granted.
    pub(crate) retry_after: u64,
    /// Microseconds until the bucket is full.
    pub(crate) full_after: u64,
}

/// The tokens of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    rate: Rate,
    credits: u64,
    at: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) const fn new(rate: Rate, now: u64) -> Self {
        Self {
            rate,
            credits: rate.full(),
            at: now,
        }
    }

    /// A bucket with the credits it had at `at`. `None` for more credits than it holds.
    pub(crate) fn restored(rate: Rate, credits: u64, at: u64) -> Option<Self> {
        (credits <= rate.full()).then_some(Self { rate, credits, at })
    }

    pub(crate) const fn rate(&self) -> Rate {
        self.rate
    }

    /// The credits at `now`.
    pub(crate) fn credits_at(&self, now: u64) -> u64 {
        // No more than a window's worth can come in, so the product is at most a full bucket.
        let elapsed = now.saturating_sub(self.at).min(self.rate.window);
        (self.credits + elapsed * self.rate.limit).min(self.rate.full())
    }

    /// When it will be full, if nothing is taken.
    pub(crate) fn full_at(&self) -> u64 {
        self.at
            .saturating_add(self.rate.time_for(self.rate.full() - self.credits))
    }

    /// Takes `tokens`, all or none. `tokens` must not exceed the limit; then they would never be granted.
    pub(crate) fn take(&mut self, tokens: u64, now: u64) -> Grant {
        self.settle(now);
        let price = tokens.min(self.rate.limit) * self.rate.window;
        let allowed = price <= self.credits;
        if allowed {
            self.credits -= price;
        }
        Grant {
            allowed,
            remaining: self.credits / self.rate.window,
            retry_after: if allowed {
                0
            } else {
                self.rate.time_for(price - self.credits)
            },
            full_after: self.rate.time_for(self.rate.full() - self.credits),
        }
    }

    /// Goes over to another rate. What was spent stays spent, so that changing the rate back and forth gains nothing.
    pub(crate) fn change_rate(&mut self, rate: Rate, now: u64) {
        self.settle(now);
        let spent = (self.rate.full() - self.credits)
            .div_ceil(self.rate.window)
            .min(rate.limit);
        *self = Self {
            rate,
            credits: (rate.limit - spent) * rate.window,
            at: now.max(self.at),
        };
    }

    fn settle(&mut self, now: u64) {
        self.credits = self.credits_at(now);
        // A clock that went backwards gives nothing twice.
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn ten_a_minute() -> Bucket {
        Bucket::new(Rate::new(10, 60 * SECOND).unwrap(), 0)
    }

    #[test]
    fn a_full_bucket_grants_its_limit_and_then_one_token_at_a_time() {
        let mut bucket = ten_a_minute();
        assert_eq!(
            bucket.take(10, 0),
            Grant {
                allowed: true,
                remaining: 0,
                retry_after: 0,
                full_after: 60 * SECOND
            }
        );
        assert_eq!(
            bucket.take(1, 0),
            Grant {
                allowed: false,
                remaining: 0,
                retry_after: 6 * SECOND,
                full_after: 60 * SECOND
            }
        );
        assert!(!bucket.take(1, 6 * SECOND - 1).allowed);
        assert!(bucket.take(1, 6 * SECOND).allowed);
        assert!(!bucket.take(1, 6 * SECOND).allowed);
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut bucket = ten_a_minute();
        bucket.take(8, 0);
        for _ in 0..5 {
            assert_eq!(bucket.take(3, 0).remaining, 2);
        }
        assert!(bucket.take(2, 0).allowed);
    }

    #[test]
    fn asking_for_no_token_only_looks() {
        let mut bucket = ten_a_minute();
        assert_eq!(
            bucket.take(0, 0),
            Grant {
                allowed: true,
                remaining: 10,
                retry_after: 0,
                full_after: 0
            }
        );
        assert_eq!(bucket, ten_a_minute());
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_limit() {
        let mut bucket = ten_a_minute();
        bucket.take(1, 0);
        assert_eq!(bucket.full_at(), 6 * SECOND);
        assert_eq!(bucket.take(0, u64::MAX).remaining, 10);
    }

    #[test]
    fn a_clock_that_goes_backwards_gives_nothing() {
        let mut bucket = ten_a_minute();
        bucket.take(10, 100 * SECOND);
        assert!(!bucket.take(1, 0).allowed);
        assert!(!bucket.take(1, 106 * SECOND - 1).allowed);
        assert!(bucket.take(1, 106 * SECOND).allowed);
    }

    #[test]
    fn changing_the_rate_back_and_forth_gains_nothing() {
        let (small, large) = (
            Rate::new(10, 60 * SECOND).unwrap(),
            Rate::new(100, SECOND).unwrap(),
        );
        let mut bucket = Bucket::new(small, 0);
        bucket.take(10, 0);
        bucket.change_rate(large, 0);
        assert_eq!(bucket.take(0, 0).remaining, 90);
        bucket.take(90, 0);
        bucket.change_rate(small, 0);
        assert_eq!(bucket.take(0, 0).remaining, 0);
    }

    #[test]
    fn a_rate_has_bounds() {
        assert!(Rate::new(0, 1).is_none() && Rate::new(1, 0).is_none());
        assert!(Rate::new(MAX_LIMIT + 1, 1).is_none() && Rate::new(1, MAX_WINDOW + 1).is_none());
        let mut bucket = Bucket::new(Rate::new(MAX_LIMIT, MAX_WINDOW).unwrap(), 0);
        assert!(bucket.take(MAX_LIMIT, u64::MAX).allowed);
    }

    proptest! {
        #[test]
        fn no_span_of_time_grants_more_than_the_rate_allows(
            limit in 1_u64..50,
            window in 1_u64..10_000,
            requests in proptest::collection::vec((0_u64..500, 1_u64..20), 1..60),
        ) {
            let mut bucket = Bucket::new(Rate::new(limit, window).unwrap(), 0);
            let (mut now, mut granted) = (0, 0);
            for (pause, tokens) in requests {
                now += pause;
                let tokens = tokens.min(limit);
                let before = bucket;
                let grant = bucket.take(tokens, now);
                granted += if grant.allowed { tokens } else { 0 };
                // In credits, so that the bound is exact.
                prop_assert!(granted * window <= limit * window + limit * now);
                if !grant.allowed {
                    // The moment promised is the first at which it would be granted.
                    prop_assert!(before.clone().take(tokens, now + grant.retry_after).allowed);
                    prop_assert!(!before.clone().take(tokens, now + grant.retry_after - 1).allowed);
                }
            }
        }
    }
}
