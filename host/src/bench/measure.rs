//! Alternating rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Effort;
use super::report::Row;

/// Something to time: a name, and a function that does it `n` times.
pub(crate) struct Subject<'s> {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut(u64) + 's>,
    /// Done after each round, and not timed: what must not disturb the next one is over then.
    pub(crate) after: Option<Box<dyn FnMut() + 's>>,
}

impl<'s> Subject<'s> {
    pub(crate) fn new<T>(name: &str, mut once: impl FnMut() -> T + 's) -> Self {
        let run = move |times| {
            for _ in 0..times {
                black_box(once());
            }
        };
        Self {
            name: name.to_owned(),
            run: Box::new(run),
            after: None,
        }
    }

    /// The same, with something that is done after each round and not timed.
    pub(crate) fn then(self, after: impl FnMut() + 's) -> Self {
        Self {
            after: Some(Box::new(after)),
            ..self
        }
    }
}

/// Times all subjects in alternating rounds; the first is the baseline of the others. Nanoseconds for one.
pub(crate) fn alternate(mut subjects: Vec<Subject<'_>>, effort: Effort) -> Vec<Row> {
    let nanos = rounds(&mut subjects, effort);
    compared(&subjects, nanos)
}

/// As [`alternate`], in many rounds of a millisecond: most of them are not interrupted even where others want the processors,
/// so that the middle one is right where that of longer rounds would not be.
pub(crate) fn alternate_often(mut subjects: Vec<Subject<'_>>, effort: Effort) -> Vec<Row> {
    let rounds = match effort {
        Effort::Quick => 300,
        Effort::Full => 1200,
    };
    let nanos = rounds_of(&mut subjects, rounds, Duration::from_millis(1));
    compared(&subjects, nanos)
}

fn compared(subjects: &[Subject<'_>], nanos: Vec<Vec<f64>>) -> Vec<Row> {
    let first = nanos[0].clone();
    let baseline = subjects[0].name.clone();
    let rows = subjects
        .iter()
        .zip(nanos)
        .enumerate()
        .map(|(at, (subject, nanos))| {
            let ratios = nanos.iter().zip(&first).map(|(mine, base)| mine / base).collect();
            let mut row = Row::plain(&subject.name, median(nanos.clone()), least(&nanos), "ns");
            if at > 0 {
                row.baseline = Some(baseline.clone());
                row.ratio = Some(median(ratios));
            }
            row
        });
    rows.collect()
}

/// Times all subjects in alternating rounds: for each, the nanoseconds for one in each round.
pub(crate) fn rounds(subjects: &mut [Subject<'_>], effort: Effort) -> Vec<Vec<f64>> {
    let (rounds, length) = match effort {
        Effort::Quick => (5, Duration::from_millis(10)),
        Effort::Full => (25, Duration::from_millis(40)),
    };
    rounds_of(subjects, rounds, length)
}

fn rounds_of(subjects: &mut [Subject<'_>], rounds: usize, length: Duration) -> Vec<Vec<f64>> {
    let counts: Vec<u64> = subjects
        .iter_mut()
        .map(|subject| calibrate(subject, length))
        .collect();
    let mut nanos: Vec<Vec<f64>> = vec![Vec::new(); subjects.len()];
    for _ in 0..rounds {
        for ((subject, &count), nanos) in subjects.iter_mut().zip(&counts).zip(&mut nanos) {
            let begin = Instant::now();
            (subject.run)(count);
            nanos.push(begin.elapsed().as_nanos() as f64 / count as f64);
            if let Some(after) = &mut subject.after {
                after();
            }
        }
    }
    nanos
}

/// How often a subject must be done for a round of that length.
fn calibrate(subject: &mut Subject<'_>, length: Duration) -> u64 {
    let mut count = 1;
    loop {
        let begin = Instant::now();
        (subject.run)(count);
        let took = begin.elapsed();
        if took * 4 >= length {
            let scale = length.as_secs_f64() / took.as_secs_f64();
            return ((count as f64 * scale) as u64).max(1);
        }
        count *= 4;
    }
}

/// The middle one; the mean of the two in the middle when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values[half]
    } else {
        f64::midpoint(values[half - 1], values[half])
    }
}

/// The least.
pub(crate) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The value that `share` of all are not above (nearest rank).
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1));
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// How `values` grow with `sizes`: the slope of the line that fits their logarithms best; 1 when they are in proportion.
pub(crate) fn exponent(sizes: &[f64], values: &[f64]) -> f64 {
    let points = || {
        sizes
            .iter()
            .zip(values)
            .map(|(size, value)| (size.ln(), value.ln()))
    };
    let count = sizes.len().min(values.len()) as f64;
    let (x, y) = points().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let above: f64 = points().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_quantiles_are_those_of_the_sorted_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(&hundred, 0.5), quantile(&hundred, 0.99)), (50.0, 99.0));
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn the_exponent_is_the_slope_between_logarithms() {
        let sizes = [10.0, 100.0, 1000.0];
        assert!((exponent(&sizes, &[30.0, 300.0, 3000.0]) - 1.0).abs() < 1e-9);
        assert!((exponent(&sizes, &[1.0, 100.0, 10_000.0]) - 2.0).abs() < 1e-9);
    }
}
