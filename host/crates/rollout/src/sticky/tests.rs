use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::weight::Weight;

#[test]
fn the_number_of_a_key_never_changes() {
    // Who was taken along yesterday is today: these numbers may not change with a version of anything.
    let known = [
        ("", 0, KNOWN[0]),
        ("acme", 0, KNOWN[1]),
        ("acme", 1, KNOWN[2]),
        (&"run".repeat(40), 7, KNOWN[3]),
    ];
    let found = known.map(|(key, salt, _)| bucket(key.as_bytes(), salt));
    assert_eq!(found, known.map(|(.., number)| number));
}

const KNOWN: [u16; 4] = [125, 3_074, 4_050, 6_545];

#[test]
fn keys_are_spread_evenly() {
    // Chi-square over 100 classes: 148.2 is exceeded by chance once in a thousand times.
    for (salt, form) in [
        (0, "tenant-"),
        (0, ""),
        (1, "tenant-"),
        (u64::MAX, "a-much-longer-name-of-a-tenant-than-is-usual-"),
    ] {
        let keys = 200_000_u32;
        let mut classes = [0_u32; 100];
        for key in 0..keys {
            let number = bucket(format!("{form}{key}").as_bytes(), salt);
            assert!(number < BUCKET_COUNT);
            classes[usize::from(number / 100)] += 1;
        }
        let expected = f64::from(keys) / 100.0;
        let chi: f64 = classes
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 148.2, "{chi} for {form} {salt}");
    }
}

#[test]
fn another_salt_takes_others_along_first() {
    let first = |salt| {
        let keys = (0..10_000_u32).filter(move |key| bucket(&key.to_le_bytes(), salt) < 1_000);
        keys.collect::<BTreeSet<_>>()
    };
    let (one, other) = (first(1), first(2));
    let both = one.intersection(&other).count();
    // A tenth of a tenth; the standard deviation is 9.
    assert!((60..=140).contains(&both), "{both}");
}

#[test]
fn any_ten_thousand_runs_in_a_row_are_split_by_the_weight() {
    let mut worst = 0.0_f64;
    for start in [0, 1, 17, 9_999, 1 << 20, u64::MAX / 3, u64::MAX - 5_000] {
        let tickets = Tickets::starting_at(start);
        let numbers: Vec<u16> = (0..20_000).map(|_| tickets.take()).collect();
        for points in [
            1, 10, 100, 250, 500, 1_234, 2_500, 5_000, 7_500, 9_000, 9_999, 10_000,
        ] {
            let weight = Weight::from_basis_points(points).expect("a weight");
            let mut taken = numbers[..10_000]
                .iter()
                .filter(|number| weight.admits(**number))
                .count();
            for (leaves, comes) in numbers.iter().zip(&numbers[10_000..]) {
                worst = worst.max((taken as f64 - f64::from(points)).abs());
                taken = taken + usize::from(weight.admits(*comes)) - usize::from(weight.admits(*leaves));
            }
        }
    }
    // Out of 10,000: the promise is 100 of them, one percent.
    assert!(worst <= 8.0, "{worst}");
}

#[test]
fn threads_share_tickets_without_losing_one() {
    let tickets = Tickets::default();
    let numbers: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..2_500).map(|_| tickets.take()).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread"))
            .collect()
    });
    let alone = Tickets::default();
    let mut wanted: Vec<u16> = (0..10_000).map(|_| alone.take()).collect();
    let mut numbers = numbers;
    numbers.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(numbers, wanted);
    for points in [100, 500, 2_500, 5_000] {
        let taken = numbers.iter().filter(|number| **number < points).count();
        assert!(taken.abs_diff(usize::from(points)) <= 8, "{taken} of {points}");
    }
}

proptest! {
    #[test]
    fn who_is_taken_along_stays_at_every_larger_weight(key in prop::collection::vec(any::<u8>(), 0..200), salt: u64, points in 0..10_000_u16) {
        let number = bucket(&key, salt);
        prop_assert!(number < BUCKET_COUNT);
        let (small, large) = (Weight::from_basis_points(points).expect("a weight"), Weight::from_basis_points(points + 1).expect("a weight"));
        prop_assert!(!small.admits(number) || large.admits(number));
        prop_assert!(Weight::ALL.admits(number) && !Weight::NONE.admits(number));
    }
}
