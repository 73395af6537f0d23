//! Whatever is done to a chain is found.

use proptest::prelude::*;
use rusqlite::Connection;

use super::export::export_rows;
use super::*;
use crate::form::FORM;
use crate::tests::entry;

/// A chain of `records` in memory.
fn chain(records: u64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(FORM.migrations[0]).unwrap();
    for n in 1..=records {
        append(&connection, &Raw::of(&entry(n))).unwrap();
    }
    connection
}

fn exported(connection: &Connection, after: u64) -> Vec<String> {
    let mut out = Vec::new();
    export_rows(connection, "state.db".as_ref(), after, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn verified(lines: &[String], expected: Option<&str>) -> Verdict {
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    verify_export(&mut text.as_bytes(), expected).unwrap()
}

#[track_caller]
fn broken(verdict: Verdict) -> (u64, What) {
    match verdict {
        Verdict::Broken(broken) => (broken.seq, broken.what),
        Verdict::Whole(whole) => panic!("found whole: {whole:?}"),
    }
}

#[track_caller]
fn whole(verdict: Verdict) -> Verified {
    match verdict {
        Verdict::Whole(whole) => whole,
        Verdict::Broken(broken) => panic!("found broken: {broken:?}"),
    }
}

#[test]
fn a_chain_that_nobody_touched_is_whole_here_and_exported_from_anywhere() {
    for records in [0, 1, 2, 40] {
        let connection = chain(records);
        let here = whole(verify_rows(&connection, None).unwrap());
        assert_eq!((here.records, here.head.seq), (records, records));
        for after in [0, 1, records / 2, records, records + 5] {
            let lines = exported(&connection, after);
            let there = whole(verified(&lines, None));
            assert_eq!(there.head, here.head, "after {after}");
            assert_eq!(there.records, records.saturating_sub(after));
            assert_eq!(lines.len() as u64, there.records + 1);
        }
    }
}

#[test]
fn a_head_that_was_noted_is_found_however_far_the_chain_has_grown() {
    let connection = chain(5);
    let noted = whole(verify_rows(&connection, None).unwrap()).head.hash;
    for n in 6..=20 {
        append(&connection, &Raw::of(&entry(n))).unwrap();
        whole(verify_rows(&connection, Some(&noted)).unwrap());
        whole(verified(&exported(&connection, 0), Some(&noted)));
        whole(verified(&exported(&connection, 5), Some(&noted)));
    }
    whole(verify_rows(&connection, Some(GENESIS)).unwrap());
}

#[test]
fn a_chain_that_was_written_anew_does_not_have_the_head_that_was_noted() {
    let noted = whole(verify_rows(&chain(10), None).unwrap()).head.hash;
    // Whoever can write the file can make a chain that fits itself.
    let forged = chain(4);
    append(&forged, &Raw::of(&entry(99))).unwrap();
    for n in 6..=10 {
        append(&forged, &Raw::of(&entry(n))).unwrap();
    }
    whole(verify_rows(&forged, None).unwrap());
    assert_eq!(broken(verify_rows(&forged, Some(&noted)).unwrap()).1, What::Tail);
    assert_eq!(
        broken(verified(&exported(&forged, 0), Some(&noted))).1,
        What::Tail
    );
}

#[test]
fn a_tail_that_was_cut_together_with_its_head_does_not_have_the_head_that_was_noted() {
    let connection = chain(10);
    let noted = whole(verify_rows(&connection, None).unwrap()).head.hash;
    connection
        .execute_batch(
            "DELETE FROM audit WHERE seq > 7;
             UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit WHERE seq = 7)",
        )
        .unwrap();
    whole(verify_rows(&connection, None).unwrap());
    assert_eq!(
        broken(verify_rows(&connection, Some(&noted)).unwrap()),
        (7, What::Tail)
    );
}

#[test]
fn a_head_that_is_gone_or_another_one_is_found() {
    for sql in [
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = 9",
        "UPDATE audit_head SET seq = 11",
        "UPDATE audit_head SET hash = upper(hash)",
        "UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE seq = 9)",
        "DELETE FROM audit",
    ] {
        let connection = chain(10);
        connection.execute_batch(sql).unwrap();
        assert_eq!(
            broken(verify_rows(&connection, None).unwrap()).1,
            What::Tail,
            "{sql}"
        );
    }
}

#[test]
fn what_is_no_export_is_broken_or_an_error_and_never_whole() {
    let good = exported(&chain(3), 0);
    let mut doubled = good.clone();
    doubled.extend(good.iter().cloned());
    assert_eq!(broken(verified(&doubled, None)), (3, What::Tail));
    for lines in [
        vec![],
        vec![String::new()],
        vec!["{}".to_owned()],
        vec!["[".repeat(10_000)],
        vec!["{\"head\":{\"after\":-1,\"seq\":-1,\"hash\":\"\"}}".to_owned()],
        vec!["{\"head\":1}".to_owned()],
        vec![good[0].replace("\"seq\":1", "\"seq\":-9223372036854775808")],
        vec![good[0].replace("\"seq\":1", "\"seq\":9223372036854775807")],
        vec![good[0].replace("\"seq\":1", "\"seq\":1e400")],
    ] {
        broken(verified(&lines, None));
    }
    assert!(
        verify_export(&mut &b"\xff\xfe\n"[..], None).is_ok_and(|found| matches!(found, Verdict::Broken(_)))
    );
}

/// Fields of a row, each with a change that a row cannot have had before.
const CHANGES: &[&str] = &[
    "at = at + 1",
    "at = -at",
    "actor = actor || 'x'",
    "actor = ''",
    "action = 'abort'",
    "plugin = CASE WHEN plugin IS NULL THEN '' ELSE NULL END",
    "plugin = coalesce(plugin, '') || 'x'",
    "revision = CASE WHEN revision IS NULL THEN 0 ELSE NULL END",
    "revision = coalesce(revision, 0) + 1",
    "tenant = coalesce(tenant, '') || 'x'",
    "tenant = CASE WHEN tenant IS NULL THEN '' ELSE NULL END",
    "workflow = coalesce(workflow, '') || 'x'",
    "workflow = CASE WHEN workflow IS NULL THEN '' ELSE NULL END",
    "reason = reason || char(0)",
    "reason = CAST(x'ff' AS TEXT)",
    "key = CASE WHEN key IS NULL THEN '' ELSE NULL END",
    "key = coalesce(key, '') || 'x'",
    "detail = detail || ' '",
    "actor = actor || substr(action, 1, 1), action = substr(action, 2)",
    "hash = upper(hash)",
    "hash = ''",
    "hash = (SELECT hash FROM audit AS other WHERE other.seq <> audit.seq)",
];

const RECORDS: u64 = 12;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_change_of_any_field_of_any_record_is_found(seq in 1..=RECORDS, change in 0..CHANGES.len()) {
        let connection = chain(RECORDS);
        connection.execute(&format!("UPDATE audit SET {} WHERE seq = ?1", CHANGES[change]), [seq as i64]).unwrap();
        let found = broken(verify_rows(&connection, None).unwrap());
        prop_assert_eq!(found, (seq, What::Changed));
        // A text that is none cannot be exported; everything else is found in the lines, too.
        let mut out = Vec::new();
        if export_rows(&connection, "state.db".as_ref(), 0, &mut out).is_ok() {
            broken(verify_export(&mut out.as_slice(), None).unwrap());
        }
    }

    #[test]
    fn any_record_that_is_taken_away_is_found(seq in 1..=RECORDS) {
        let connection = chain(RECORDS);
        let mut lines = exported(&connection, 0);
        connection.execute("DELETE FROM audit WHERE seq = ?1", [seq as i64]).unwrap();
        lines.remove(seq as usize - 1);
        let wanted = if seq == RECORDS { (seq - 1, What::Tail) } else { (seq, What::Missing) };
        prop_assert_eq!(broken(verify_rows(&connection, None).unwrap()), wanted);
        prop_assert_eq!(broken(verified(&lines, None)), wanted);
        // Numbering the others anew hides nothing.
        connection.execute_batch(&format!(
            "UPDATE audit SET seq = seq - 1 WHERE seq > {seq}; UPDATE audit_head SET seq = seq - 1"
        )).unwrap();
        broken(verify_rows(&connection, None).unwrap());
    }

    #[test]
    fn any_two_records_that_change_places_are_found(a in 1..=RECORDS, b in 1..=RECORDS) {
        prop_assume!(a != b);
        let connection = chain(RECORDS);
        let mut lines = exported(&connection, 0);
        connection.execute_batch(&format!(
            "UPDATE audit SET seq = -1 WHERE seq = {a}; UPDATE audit SET seq = {a} WHERE seq = {b};
             UPDATE audit SET seq = {b} WHERE seq = -1"
        )).unwrap();
        let wanted = (a.min(b), What::Reordered);
        prop_assert_eq!(broken(verify_rows(&connection, None).unwrap()), wanted);
        lines.swap(a as usize - 1, b as usize - 1);
        // When the first line is another one, that one is taken at its word until the end says where they begin.
        let found = broken(verified(&lines, None));
        if a.min(b) > 1 {
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_tail_that_is_cut_is_found(cut in 1..=RECORDS, with_head in any::<bool>()) {
        let connection = chain(RECORDS);
        let mut lines = exported(&connection, 0);
        let left = RECORDS - cut;
        connection.execute("DELETE FROM audit WHERE seq > ?1", [left as i64]).unwrap();
        prop_assert_eq!(broken(verify_rows(&connection, None).unwrap()), (left, What::Tail));
        let head = lines.pop().unwrap();
        lines.truncate(left as usize);
        if with_head {
            lines.push(head);
        }
        prop_assert!(matches!(broken(verified(&lines, None)).1, What::Tail | What::Missing | What::Changed));
    }

    #[test]
    fn any_byte_of_an_export_that_is_another_one_is_found(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let connection = chain(RECORDS);
        let mut text: Vec<u8> = Vec::new();
        export_rows(&connection, "state.db".as_ref(), 0, &mut text).unwrap();
        let at = at.index(text.len());
        prop_assume!(text[at] != byte);
        text[at] = byte;
        // Space between what is said changes nothing of it.
        let is_space = byte.is_ascii_whitespace();
        match verify_export(&mut text.as_slice(), None) {
            Ok(Verdict::Whole(_)) => prop_assert!(is_space, "byte {} as {}", at, byte),
            Ok(Verdict::Broken(_)) | Err(_) => {}
        }
    }
}
