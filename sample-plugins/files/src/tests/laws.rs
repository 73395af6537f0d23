//! Round trips.

use super::{Disk, call, text};
use crate::reading::file_read;
use crate::writing::file_write;
use plugin_api::prelude::*;
use proptest::prelude::*;

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "\\PC{0,20}".prop_map(|text| Value::from(text.as_str()).to_json()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list =
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        let map = proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|entries| {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", entries.join(","))
        });
        prop_oneof![list, map]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_read(content in "\\PC{0,200}", name in "[a-zA-Z0-9 _\\-\u{e4}]{1,30}") {
        let disk = Disk::new();
        let (path, quoted) = (Value::from(name.as_str()).to_json(), Value::from(content.as_str()).to_json());
        disk.harness().call::<file_write>(&format!(r#"{{"path": {path}, "content": {quoted}}}"#)).unwrap();
        let read = disk.harness().call::<file_read>(&format!(r#"{{"path": {path}}}"#)).unwrap();
        prop_assert_eq!(text(&read, "/content"), content.as_str());
        let size = read.as_ref().get("size").and_then(|size| size.as_i64());
        prop_assert_eq!(size, i64::try_from(content.len()).ok());
    }

    #[test]
    fn a_value_that_was_written_is_read(value in json(), pretty: bool) {
        let disk = Disk::new();
        let input = format!(r#"{{"path": "v", "value": {value}, "pretty": {pretty}}}"#);
        call("file.writeJson", &disk.harness(), &input).unwrap();
        let read = call("file.readJson", &disk.harness(), r#"{"path": "v"}"#).unwrap();
        prop_assert_eq!(read.to_json(), format!(r#"{{"result":{}}}"#, Value::from_json(&value).unwrap().to_json()));
    }
}
