//! What `patchbay.h` reads and writes, against the encoder: a value has exactly one encoding, so one that C took apart and
//! put together again has the bytes it had; and damaged bytes are read without a step outside of them.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use plugin_api::value::Value;
use serde_json::json;

/// The program, compiled; watched by the address sanitizer where the compiler has it.
fn program(dir: &Path) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = dir.join("rewrite");
    let compile = |more: &[&str]| {
        let output = Command::new("cc")
            .args([
                "-std=c11",
                "-O1",
                "-g",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
            ])
            .args(more)
            .arg("-I")
            .arg(folder.join("include"))
            .arg("-o")
            .arg(&out)
            .arg(folder.join("tests/rewrite.c"))
            .output();
        output.unwrap()
    };
    let watched = compile(&["-fsanitize=address,undefined", "-fno-sanitize-recover"]);
    if !watched.status.success() {
        let plain = compile(&[]);
        assert!(
            plain.status.success(),
            "{}",
            String::from_utf8_lossy(&plain.stderr)
        );
    }
    out
}

/// What the program answers for each: its status, and what it wrote.
fn rewritten(inputs: &[Vec<u8>]) -> Vec<(u32, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(program(dir.path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let frames: Vec<u8> = inputs
        .iter()
        .flat_map(|input| [&(input.len() as u32).to_le_bytes()[..], input].concat())
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(&frames));
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    writer.join().unwrap().unwrap();
    let mut rest = &output.stdout[..];
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let (status, len) = (word(0), word(4) as usize);
        answers.push((status, rest[8..8 + len].to_vec()));
        rest = &rest[8 + len..];
    }
    assert_eq!(answers.len(), inputs.len());
    answers
}

fn encoded(value: &serde_json::Value) -> Vec<u8> {
    Value::from_json(&value.to_string())
        .unwrap()
        .as_ref()
        .raw()
        .to_vec()
}

fn values() -> Vec<Vec<u8>> {
    let mut values = vec![
        json!(null),
        json!([
            true,
            false,
            0,
            -1,
            i64::MAX,
            i64::MIN,
            0.5,
            -0.0,
            1e300,
            "",
            "ü",
            [],
            {}
        ]),
        json!({"": 1, "a": {"b": [{"c": [[[]]]}]}, "aa": 2, "ab": 3}),
    ];
    for count in [1, 2, 15, 16, 17, 31, 32, 33, 200] {
        let key = |n: usize| format!("{}{}", "k".repeat(n % 5), n * 7919 % 211);
        let map: serde_json::Map<_, _> = (0..count).map(|n| (key(n), json!([n, {"n": n}]))).collect();
        assert_eq!(map.len(), count);
        values.push(json!(map));
        values.push(json!(
            (0..count)
                .map(|n| json!({"n": n, "t": "x".repeat(n)}))
                .collect::<Vec<_>>()
        ));
        values.push(json!({"in": map, "and": [map, map]}));
    }
    let mut deep = json!([]);
    for _ in 0..126 {
        deep = json!([deep]);
    }
    values.push(deep);
    values.iter().map(encoded).collect()
}

#[test]
fn a_value_that_c_wrote_anew_has_the_bytes_it_had() {
    let values = values();
    for (value, (status, written)) in values.iter().zip(rewritten(&values)) {
        assert_eq!(status, 0);
        assert_eq!(&written, value);
    }
}

#[test]
fn damaged_bytes_are_refused_or_read_without_a_step_outside() {
    let mut damaged = Vec::new();
    for value in values().iter().filter(|value| value.len() < 700) {
        for cut in (0..value.len()).step_by(1 + value.len() / 15) {
            damaged.push(value[..cut].to_vec());
        }
        // Every byte of the head, and some of the rest, the table at the end among them.
        let places = (0..value.len().min(24)).chain((24..value.len()).step_by(1 + value.len() / 15));
        for place in places.chain(value.len().saturating_sub(8)..value.len()) {
            for byte in [0, 1, 8, 0x7f, 0xff, value[place] ^ 1] {
                let mut bad = value.clone();
                bad[place] = byte;
                damaged.push(bad);
            }
        }
    }
    let answers = rewritten(&damaged);
    let refused = answers.iter().filter(|(status, _)| *status != 0).count();
    assert!(refused > damaged.len() / 20, "{refused} of {}", damaged.len());
    // What begins with a cut value is never taken for one.
    for (input, (status, _)) in damaged.iter().zip(&answers) {
        if input.is_empty() {
            assert_ne!(*status, 0);
        }
    }
}
