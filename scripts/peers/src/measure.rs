//! Alternating rounds, as in `patchbay bench`.
//!
//! Invariant: in every round each subject has its turn, so that a noisy machine disturbs all of them, and a ratio is one
//! of two figures of the same round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::Effort;

/// Something to time: a name, and a function that does it once and says whether it went right.
pub(crate) struct Subject<'s> {
    pub(crate) name: &'static str,
    /// What goes in and comes out, and in which form.
    pub(crate) payload: &'static str,
    run: Box<dyn FnMut(u64) -> bool + 's>,
}

impl<'s> Subject<'s> {
    pub(crate) fn new(
        name: &'static str,
        payload: &'static str,
        mut once: impl FnMut() -> bool + 's,
    ) -> Self {
        let run = move |times| {
            let mut right = true;
            for _ in 0..times {
                right &= black_box(once());
            }
            right
        };
        Self {
            name,
            payload,
            run: Box::new(run),
        }
    }
}

/// Nanoseconds for one, over the rounds.
pub(crate) struct Timed {
    pub(crate) median: f64,
    pub(crate) least: f64,
    /// The median of the rounds' ratios to the first subject.
    pub(crate) ratio: f64,
}

impl Timed {
    fn new(nanos: &[f64], first: &[f64]) -> Self {
        Self {
            median: median(nanos.to_vec()),
            least: least(nanos),
            ratio: median(nanos.iter().zip(first).map(|(mine, base)| mine / base).collect()),
        }
    }

    /// From rounds that were timed elsewhere; all as long as the first.
    pub(crate) fn of_rounds(rounds: &[Vec<f64>]) -> Vec<Self> {
        let first = rounds.first().cloned().unwrap_or_default();
        rounds.iter().map(|nanos| Self::new(nanos, &first)).collect()
    }
}

/// Times all subjects; the first is the baseline of the others.
pub(crate) fn alternate(subjects: &mut [Subject<'_>], effort: Effort) -> Result<Vec<Timed>> {
    let (rounds, length) = match effort {
        Effort::Quick => (5, Duration::from_millis(10)),
        Effort::Full => (25, Duration::from_millis(40)),
    };
    let mut counts = Vec::new();
    for subject in subjects.iter_mut() {
        ensure!((subject.run)(1), "{} gives a wrong answer", subject.name);
        counts.push(calibrate(subject, length));
    }
    let mut nanos: Vec<Vec<f64>> = vec![Vec::new(); subjects.len()];
    for _ in 0..rounds {
        for ((subject, &count), nanos) in subjects.iter_mut().zip(&counts).zip(&mut nanos) {
            let begin = Instant::now();
            let right = (subject.run)(count);
            nanos.push(begin.elapsed().as_nanos() as f64 / count as f64);
            ensure!(right, "{} gave a wrong answer", subject.name);
        }
    }
    Ok(Timed::of_rounds(&nanos))
}

/// How often a subject must be done for a round of that length.
fn calibrate(subject: &mut Subject<'_>, length: Duration) -> u64 {
    let mut count = 4;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_middle_one_of_the_rounds_ratios_and_not_that_of_the_medians() {
        let rounds = [vec![1.0, 2.0, 10.0], vec![3.0, 4.0, 10.0]];
        let timed = Timed::of_rounds(&rounds);
        assert_eq!((timed[1].median, timed[1].least, timed[1].ratio), (4.0, 3.0, 2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_subject_that_answers_wrongly_is_not_timed() {
        let mut subjects = [Subject::new("wrong", "", || false)];
        assert!(alternate(&mut subjects, Effort::Quick).is_err());
    }
}
