//! Invariant: a [`Moment`] is a whole millisecond of the years -9999 to 9999, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// No date that is meant is written with more bytes.
const MAX_BYTES: usize = 100;

/// What is read besides ISO 8601 and RFC 2822: what the formats give, and dates as people in the US write them.
const READ: &[&str] = &[
    "%a %b %d %Y",
    "%a %b %d %Y %H:%M:%S",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d, %Y %H:%M:%S",
    "%B %d, %Y %H:%M:%S",
    "%d %B %Y",
    "%m/%d/%Y",
    "%m/%d/%Y, %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
];

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(i64);

impl Moment {
    /// The moment so many milliseconds after the start of 1970, if it is within range.
    pub(crate) fn at(milliseconds: i64) -> Option<Self> {
        Timestamp::from_millisecond(milliseconds).ok()?;
        Some(Self(milliseconds))
    }

    /// Reads a text. One that names no zone is meant in UTC.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return None;
        }
        let utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil).ok();
        let stamp = text.parse::<Timestamp>().ok();
        let stamp = stamp.or_else(|| text.parse().ok().and_then(utc));
        let stamp = stamp.or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
        let stamp = stamp.or_else(|| {
            let formats = READ.iter();
            let dates = formats.filter_map(|format| {
                let parsed = jiff::fmt::strtime::parse(format, text).ok()?;
                parsed.to_datetime().ok().or_else(|| {
                    let date = parsed.to_date().ok()?;
                    Some(date.at(0, 0, 0, 0))
                })
            });
            dates.filter_map(utc).next()
        });
        stamp.map(|stamp| Self(stamp.as_millisecond()))
    }

    /// Milliseconds since the start of 1970.
    pub(crate) const fn milliseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the start of 1970.
    pub(crate) const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// As `2024-02-29T12:30:00.000Z`.
    pub(crate) fn iso(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    /// In a format of `strftime`.
    pub(crate) fn written(self, format: &str) -> String {
        let stamp = Timestamp::from_millisecond(self.0).unwrap_or_default();
        TimeZone::UTC.to_datetime(stamp).strftime(format).to_string()
    }
}
