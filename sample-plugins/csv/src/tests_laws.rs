use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;

fn call<N: Export>(arguments: &[(&str, Value)]) -> Result<Value, NodeError> {
    let input = Value::from_pairs(arguments.iter().map(|(name, value)| (*name, value.as_ref()))).unwrap();
    let output = Harness::new().instance::<N>("null")?.call_value(input.as_ref())?;
    Ok(output.as_ref().get("result").unwrap().to_value())
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c,;\t'\" \r\nx=\u{feff}é-]{0,8}", "\\PC{0,6}"]
}

/// Rows of as many cells each.
fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(cell(), width), 0..6))
}

/// What separates and encloses, and what stands between rows.
fn dialect() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let delimiter = prop::sample::select(vec![",", ";", "\t", "x", " "]);
    let quote = prop::sample::select(vec!["\"", "'"]);
    (delimiter, quote)
        .prop_map(|(delimiter, quote)| vec![("delimiter", delimiter.into()), ("quote", quote.into())])
}

fn list<T: plugin_api::serde::Serialize>(rows: &T) -> Value {
    Value::from_serialize(rows).unwrap()
}

proptest! {
    #[test]
    fn lists_come_back(rows in rows(), dialect in dialect(), all: bool, ending in prop::sample::select(vec!["lf", "crlf"])) {
        let rows = list(&rows);
        let mut write = dialect.clone();
        write.extend([("value", rows.clone()), ("quoteAll", all.into()), ("lineEnding", ending.into())]);
        let text = call::<stringify>(&write).unwrap();
        let mut read = dialect;
        read.extend([("value", text), ("headers", false.into())]);
        prop_assert_eq!(call::<parse>(&read).unwrap(), rows);
    }

    #[test]
    fn maps_come_back(
        names in prop::collection::hash_set(cell(), 1..5),
        cells in prop::collection::vec(prop::collection::vec(cell(), 5), 1..5),
        dialect in dialect(),
        bom: bool,
    ) {
        let maps: Vec<Value> = cells.iter().map(|cells| {
            let cells: Vec<Value> = cells.iter().map(|cell| cell.as_str().into()).collect();
            Value::from_pairs(names.iter().zip(cells.iter().map(Value::as_ref))).unwrap()
        }).collect();
        let rows = Value::from_items(maps.iter().map(Value::as_ref)).unwrap();
        let mut write = dialect.clone();
        write.extend([("value", rows.clone()), ("bom", bom.into())]);
        let mut read = dialect;
        read.push(("value", call::<stringify>(&write).unwrap()));
        prop_assert_eq!(call::<parse>(&read).unwrap(), rows);
    }

    #[test]
    fn numbers_and_switches_come_back_as_they_were(numbers in prop::collection::vec(any::<i64>(), 1..8), flag: bool, float in -1e6_f64..1e6) {
        // Fourteen digits at most, and so no more than a cell keeps.
        let float = (float * 1e6).round() / 1e6;
        let numbers: Vec<Value> = numbers.into_iter().map(Value::from).collect();
        let float = if float.fract() == 0.0 { Value::from(1_i64) } else { Value::try_from(float).unwrap() };
        let (flag, null) = (Value::from(flag), Value::null());
        let row = numbers.iter().chain([&flag, &float, &null]).map(Value::as_ref);
        let rows = Value::from_items([Value::from_items(row).unwrap().as_ref()]).unwrap();
        let text = call::<stringify>(&[("value", rows.clone())]).unwrap();
        let read = call::<parse>(&[("value", text), ("headers", false.into()), ("typed", true.into())]).unwrap();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn no_cell_begins_a_formula_when_they_are_escaped(rows in rows()) {
        let text = call::<stringify>(&[("value", list(&rows)), ("escapeFormulas", true.into())]).unwrap();
        let read = call::<parse>(&[("value", text), ("headers", false.into())]).unwrap();
        for (cells, before) in read.as_ref().as_list().unwrap().iter().zip(&rows) {
            for (cell, before) in cells.as_list().unwrap().iter().zip(before) {
                let cell = cell.as_str().unwrap();
                prop_assert!(!cell.starts_with(['=', '+', '@', '\t', '\r', '\n']), "{cell:?}");
                prop_assert_eq!(cell.strip_prefix('\'').filter(|_| cell != before).unwrap_or(cell), before);
            }
        }
    }

    #[test]
    fn no_text_makes_a_panic_or_loses_its_end(value in "[a,\"\r\n x]{0,24}", trim: bool, typed: bool) {
        let read = |value: &str| call::<parse>(&[
            ("value", value.into()), ("headers", false.into()), ("flexible", true.into()), ("trim", trim.into()), ("typed", typed.into()),
        ]);
        // A row that is put behind a table is there, unless a cell was open.
        if let Ok(rows) = read(&value) {
            let more = read(&format!("{value}\nlast")).unwrap();
            let (rows, more) = (rows.as_ref().as_list().unwrap(), more.as_ref().as_list().unwrap());
            prop_assert_eq!(more.len(), rows.len() + 1);
            prop_assert_eq!(more.get(rows.len()).unwrap().to_json(), r#"["last"]"#);
        }
    }
}
