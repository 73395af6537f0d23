//! Invariant: what a text looks like is found in one pass over it.

use crate::rule::Form;

/// The longest address that can be delivered to.
const MAX_EMAIL: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

/// Whether a text is of a form.
pub(crate) fn fits(form: Form, text: &str) -> bool {
    match form {
        Form::Email => is_email(text),
        Form::Uuid => is_uuid(text),
        Form::Url => is_url(text),
        Form::Date => is_date(text),
    }
}

/// What a form is called in a message.
pub(crate) const fn noun(form: Form) -> &'static str {
    match form {
        Form::Email => "an e-mail address",
        Form::Uuid => "a UUID",
        Form::Url => "an address that begins with http:// or https://",
        Form::Date => "a date such as 2026-03-01 or 2026-03-01T12:00:00Z",
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let local_fits = local.len() <= MAX_LOCAL
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom));
    text.len() <= MAX_EMAIL && local_fits && domain.contains('.') && is_host_name(domain)
}

fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let host = match host_and_port.strip_prefix('[') {
        // An address of IPv6 has colons of its own.
        Some(address) => {
            let Some((address, port)) = address.split_once(']') else {
                return false;
            };
            let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            return clean && port_fits && address.parse::<std::net::Ipv6Addr>().is_ok();
        }
        None => match host_and_port.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            Some(_) => return false,
            None => host_and_port,
        },
    };
    clean && is_host_name(host)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A date of the calendar, with or without a time and its zone.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    is_day(date) && time.is_none_or(is_time)
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let zone_fits = match zone {
        "" | "Z" | "z" => true,
        zone => zone
            .get(1..)
            .and_then(|zone| zone.split_once(':'))
            .is_some_and(|(hours, minutes)| {
                digits(hours, 2).is_some_and(|hours| hours < 24)
                    && digits(minutes, 2).is_some_and(|minutes| minutes < 60)
            }),
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let fraction_fits = fraction
        .is_none_or(|digits| (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = clock.split(':');
    let hours = parts.next().and_then(|part| digits(part, 2));
    let minutes = parts.next().and_then(|part| digits(part, 2));
    let seconds = parts.next().map_or(Some(0), |part| digits(part, 2));
    parts.next().is_none()
        && zone_fits
        && fraction_fits
        && hours.is_some_and(|hours| hours < 24)
        && minutes.is_some_and(|minutes| minutes < 60)
        // A leap second.
        && seconds.is_some_and(|seconds| seconds <= 60)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}
