//! Invariant: a [`Moment`] is a whole millisecond of the years -9999 to 9999, in UTC.

use chrono::format::ParseResult;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// No date that is meant is written with more bytes.
const MAX_BYTES: usize = 100;

/// With an offset, besides RFC 3339 and RFC 2822.
const ZONED: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];

/// What is read besides: ISO 8601 without an offset, what the formats give, and dates as people in the US write them.
const TIMES: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%A %B %d %Y %H:%M:%S",
    "%B %d, %Y %H:%M:%S",
    "%m/%d/%Y, %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
];

/// Days.
const DAYS: &[&str] = &[
    "%Y-%m-%d",
    "%A %B %d %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
];

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(NaiveDateTime);

impl Moment {
    /// The moment so many milliseconds after the start of 1970, if it is within range.
    pub(crate) fn at(milliseconds: i64) -> Option<Self> {
        let moment = DateTime::from_timestamp_millis(milliseconds)?.naive_utc();
        let in_range = (-9999..=9999).contains(&moment.year());
        in_range.then_some(Self(moment))
    }

    /// Reads a text. One that names no zone is meant in UTC.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return None;
        }
        let zoned = || {
            let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
            let zoned = zoned
                .ok()
                .or_else(|| first(ZONED, |format| DateTime::parse_from_str(text, format)));
            zoned.map(|zoned| zoned.naive_utc())
        };
        let time = || first(TIMES, |format| NaiveDateTime::parse_from_str(text, format));
        let day = || {
            let day = first(DAYS, |format| NaiveDate::parse_from_str(text, format));
            day.map(|day| day.and_time(NaiveTime::MIN))
        };
        let found = zoned().or_else(time).or_else(day)?;
        Self::at(found.and_utc().timestamp_millis())
    }

    /// Milliseconds since the start of 1970.
    pub(crate) const fn milliseconds(self) -> i64 {
        self.0.and_utc().timestamp_millis()
    }

    /// Whole seconds since the start of 1970.
    pub(crate) const fn seconds(self) -> i64 {
        self.milliseconds().div_euclid(1000)
    }

    /// As `2024-02-29T12:30:00.000Z`.
    pub(crate) fn iso(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// In a format of `strftime`.
    pub(crate) fn written(self, format: &str) -> String {
        self.0.format(format).to_string()
    }
}

/// What the first format reads that fits.
fn first<T>(formats: &[&str], read: impl Fn(&str) -> ParseResult<T>) -> Option<T> {
    formats.iter().find_map(|format| read(format).ok())
}
