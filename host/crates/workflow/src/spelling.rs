//! Names that are spelled much alike.
//!
//! Invariant: a look-up costs a bounded number of comparisons, whatever the document holds.

/// More candidates than this are not looked at.
const MOST: usize = 2_000;
/// Longer names are not compared.
const LONGEST: usize = 64;

/// The candidate that is spelled most like `name`, when one is near enough.
pub(crate) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let wanted: Vec<char> = fold(name)?;
    let allowed = (wanted.len() / 3).clamp(1, 3);
    candidates
        .take(MOST)
        .filter_map(|candidate| {
            let letters = fold(candidate)?;
            if letters.len().abs_diff(wanted.len()) > allowed {
                return None;
            }
            let distance = distance(&wanted, &letters);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> Option<Vec<char>> {
    (name.len() <= LONGEST).then(|| {
        name.chars()
            .filter(|letter| !matches!(letter, '-' | '_' | ' '))
            .flat_map(char::to_lowercase)
            .collect()
    })
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (slot, to) in row.iter_mut().skip(1).zip(b) {
            let changed = corner + usize::from(from != to);
            corner = *slot;
            left = changed.min(left + 1).min(corner + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let names = ["send_mail", "fetch-user", "b"];
        let cases = [
            ("send-mail", Some("send_mail")),
            ("fetchUsr", Some("fetch-user")),
            ("FETCH-USER", Some("fetch-user")),
            ("something", None),
            ("c", Some("b")),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, names.into_iter()), expected, "{name}");
        }
        assert_eq!(distance(&['a', 'b'], &['b', 'a']), 2);
        assert_eq!(distance(&[], &['b', 'a']), 2);
    }
}
