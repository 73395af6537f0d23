//! Plugins in C and C++ are equal to those in Rust in everything but comfort.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use patchbay_tests_support::patchbay::{
    Call, CallOptions, Explain, NodeError, NodeScope, Output, Value, ValueRef,
};
use patchbay_tests_support::{Native, TestHost, deploy, mappings};
use serde_json::{Value as Json, json};

/// A language: the source, the plugin's name, and what its node types begin with.
#[derive(Clone, Copy)]
struct Language {
    source: &'static str,
    plugin: &'static str,
    prefix: &'static str,
}

const C: Language = Language {
    source: "plugin.c",
    plugin: "native-c",
    prefix: "c",
};
const CXX: Language = Language {
    source: "plugin.cpp",
    plugin: "native-cxx",
    prefix: "cxx",
};

impl Language {
    fn node(self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    fn bring_in(self, host: &TestHost, version: &str) {
        let file = format!("{}-{version}.so", self.plugin);
        Native::new(self.source, version).compile(&host.inbox(&file));
        host.wait("plugin.live", self.plugin, version);
    }

    /// A host with the first version live, which keeps nothing warm and has a secret for its tenant.
    fn live(self) -> TestHost {
        let host = TestHost::with(|config| {
            config.history_limit = 0;
            let tenant = "default".parse().unwrap();
            config.secrets = vec![(tenant, "TOKEN".to_owned(), "hush".to_owned())];
        });
        self.bring_in(&host, "1.0.0");
        host
    }

    /// Code and retryability of a call that must fail.
    fn failure(self, host: &TestHost, name: &str, input: Json) -> String {
        let error = host.try_call(&self.node(name), input).unwrap_err();
        error.chain()
    }
}

fn computes_keeps_state_waits_and_asks(language: Language) {
    let host = language.live();
    let call = |name: &str, input: Json| host.call(&language.node(name), input);
    assert_eq!(call("version", json!({})), "1.0.0");

    // Nested values, below and above the size from which lists and maps carry a table.
    for count in [0, 1, 15, 16, 40] {
        let line = |n: usize| json!({"item": format!("item {}", n * 7 % 41), "price": 2.5, "count": n});
        let lines: Vec<Json> = (0..count).map(line).collect();
        let answer = call("invoice", json!({"customer": "Ada", "lines": lines}));
        assert_eq!(answer["lines"], json!(lines));
        assert_eq!(answer["counts"].as_object().unwrap().len(), count);
        assert_eq!(answer["total"], 2.5 * (0..count).sum::<usize>() as f64);
        assert_eq!(answer["customer"], "Ada");
    }

    for (retryable, said) in [(json!({}), Json::Null), (json!({"retryable": true}), json!(true))] {
        let error = language.failure(&host, "fail", retryable);
        assert!(error.contains("as it was told"), "{error} {said}");
    }
    let error = language.failure(&host, "fail", json!({"retryable": 3}));
    assert!(error.contains("parameter `retryable`: a bool"), "{error}");

    assert_eq!(call("counter", json!({"by": 2})), 2);
    assert_eq!(call("counter", json!({"by": 3})), 5);
    let other = host
        .call_for("other", &language.node("counter"), json!({}))
        .unwrap();
    assert_eq!(
        other.output["result"], 1,
        "another tenant has an instance of its own"
    );

    assert_eq!(call("sleep", json!({"millis": 0})), "slept");
    assert_eq!(call("sleep", json!({"millis": 3})), "slept");

    let nested = json!({"a": [1, null, {"b": "c"}]});
    assert_eq!(call("remember", json!({"key": "k", "value": nested})), nested);
    assert_eq!(call("remember", json!({"key": "k"})), nested);
    let gone = language.failure(&host, "remember", json!({"key": "k", "value": null}));
    assert!(gone.contains("nothing is under that key"), "{gone}");

    assert_eq!(call("greet", json!({})), "Hello");
    let run = Call::of("default".parse().unwrap());
    let greeting = Value::from_json("\"Good day\"").unwrap();
    run.variables.set("greeting", greeting.as_ref()).unwrap();
    let answer = host
        .host()
        .call_as(&language.node("greet"), &json!({}), &run)
        .unwrap();
    assert_eq!(answer.as_ref().to_json(), r#"{"result":"Good day"}"#);

    assert_eq!(call("secret", json!({})), "hush");
    let denied = language.failure(&host, "secret", json!({"name": "OTHER"}));
    assert!(denied.contains("not declared"), "{denied}");

    let asked = call("ask", json!({"node": language.node("version"), "input": {}}));
    assert_eq!(asked, "1.0.0");
    let failed = language.failure(&host, "ask", json!({"node": language.node("fail"), "input": {}}));
    assert!(
        failed.contains("as it was told"),
        "the error of the other node is passed on: {failed}"
    );
    let unknown = language.failure(&host, "ask", json!({"node": "no.such", "input": {}}));
    assert!(unknown.contains("no.such"), "{unknown}");

    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let nanos = call("clock", json!({})).as_u64().unwrap();
    assert!(nanos.abs_diff(now.as_nanos() as u64) < 600_000_000_000, "{nanos}");

    let run = Call::of("default".parse().unwrap());
    std::thread::scope(|threads| {
        let tally = || {
            host.host()
                .call_as(&language.node("tally"), &json!({}), &run)
                .unwrap()
        };
        for _ in 0..4 {
            threads.spawn(move || (0..50).for_each(|_| drop(tally())));
        }
    });
    assert_eq!(run.variables.all().to_json(), r#"{"tally":200}"#);
    assert_eq!(call("tally", json!({})), json!({"tally": 1}));
    asks_its_workflow(language, &host);

    // What the metadata says is shown as for any other plugin.
    let nodes = host.host().nodes();
    let version = nodes
        .iter()
        .find(|node| node.node_type.as_str() == language.node("version"))
        .unwrap();
    let version = serde_json::to_value(version).unwrap();
    assert_eq!(version["plugin"], language.plugin);
}

/// A workflow with one value at input 0, whose expressions give back what they were asked.
#[derive(Default)]
struct Flow(Mutex<Vec<u32>>);

impl NodeScope for Flow {
    fn inputs(&self, index: u32) -> Option<Value> {
        (index == 0).then(|| Value::from_json("[7]").unwrap())
    }

    fn select_output(&self, output: u32) {
        self.0.lock().unwrap().push(output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        match expression {
            "wrong" => Err(NodeError::with_code("EXPRESSION", "it is wrong")),
            _ => Ok(Value::from(format!("{expression} {bindings}").as_str())),
        }
    }

    fn render(&self, _template: ValueRef<'_>, _bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        Err(NodeError::new("nobody asked for that"))
    }
}

fn asks_its_workflow(language: Language, host: &TestHost) {
    let outside = language.failure(host, "flow", json!({"expression": "$item"}));
    assert!(outside.contains("UNSUPPORTED"), "{outside}");
    let session = host.host().session(&[language.node("flow").as_str()]).unwrap();
    let (flow, tenant) = (Flow::default(), "default".parse().unwrap());
    let mut out = Output::with_limit(1 << 16);
    let mut ask = |input: &str| {
        let options = CallOptions {
            tenant: &tenant,
            run: "run",
            node: "flow",
            timeout: None,
            cancel: None,
            variables: None,
            scope: Some(&flow),
            config: None,
            depth: 0,
        };
        let input = Value::from_json(input).unwrap();
        let answer = session.call(0, input.as_ref(), &options, &mut out);
        answer
            .map(|answer| answer.value.to_value())
            .map_err(|error| error.to_string())
    };
    let given = ask(r#"{"expression": "$item"}"#).unwrap();
    assert_eq!(
        given.as_ref().get("result").unwrap().as_str(),
        Some(r#"$item {"item":7}"#)
    );
    assert_eq!(*flow.0.lock().unwrap(), [3]);
    let wrong = ask(r#"{"expression": "wrong"}"#).unwrap_err();
    assert!(
        wrong.contains("EXPRESSION") && wrong.contains("it is wrong"),
        "{wrong}"
    );
    // An expression is a text.
    let odd = ask(r#"{"expression": 1}"#).unwrap_err();
    assert!(odd.contains("VALIDATION_FAILED"), "{odd}");
}

/// Swaps under calls, then takes the plugin out; nothing of it stays mapped.
fn is_swapped_under_calls_and_unmapped(language: Language) {
    let host = Arc::new(language.live());
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let (host, stop) = (Arc::clone(&host), Arc::clone(&stop));
            let (version, sleep) = (language.node("version"), language.node("sleep"));
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = host.call(&version, json!({}));
                    if seen.last() != Some(&answer) {
                        seen.push(answer);
                    }
                    assert_eq!(host.call(&sleep, json!({"millis": 1})), "slept");
                }
                seen
            })
        })
        .collect();
    language.bring_in(&host, "1.1.0");
    host.wait("revision.retired", language.plugin, "1.0.0");
    host.until("a call of the new version", || {
        host.call(&language.node("version"), json!({})) == "1.1.0"
    });
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        let seen = caller.join().unwrap();
        assert!(
            seen.iter()
                .all(|version| version == "1.0.0" || version == "1.1.0")
                && seen.len() <= 2,
            "each caller saw the old version, then the new one: {seen:?}"
        );
    }
    let old = format!("{}-1.0.0", language.plugin);
    let left: Vec<_> = mappings(&host.maps())
        .into_iter()
        .filter(|line| line.contains(&old))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(host.call(&language.node("version"), json!({})), "1.1.0");
}

/// State goes up and down between versions, as it does in Rust.
fn takes_its_state_along(language: Language) {
    let host = TestHost::start();
    language.bring_in(&host, "1.0.0");
    let count = |by: i64| host.call(&language.node("counter"), json!({ "by": by }));
    assert_eq!(count(5), 5);
    language.bring_in(&host, "1.1.0");
    assert_eq!(host.call(&language.node("version"), json!({})), "1.1.0");
    assert_eq!(count(1), 6);
    let back = host.promote(language.plugin, "1.0.0").unwrap();
    assert_eq!(back.state.unwrap().instances, 1);
    assert_eq!(count(1), 7);
}

#[test]
fn a_plugin_in_c_takes_its_state_along() {
    takes_its_state_along(C);
}

#[test]
fn a_plugin_in_c_computes_keeps_state_waits_and_asks() {
    computes_keeps_state_waits_and_asks(C);
}

#[test]
fn a_plugin_in_c_is_swapped_under_calls_and_unmapped() {
    is_swapped_under_calls_and_unmapped(C);
}

#[test]
fn a_plugin_in_c_hands_its_state_over() {
    Native::new("hand_over.c", "1.0.0")
        .define("COUNTER", "\"c.counter\"")
        .run();
}

mod cxx {
    use super::*;

    #[test]
    fn a_plugin_in_cxx_takes_its_state_along() {
        takes_its_state_along(CXX);
    }

    #[test]
    fn a_plugin_in_cxx_computes_keeps_state_waits_and_asks() {
        computes_keeps_state_waits_and_asks(CXX);
    }

    #[test]
    fn a_plugin_in_cxx_is_swapped_under_calls_and_unmapped() {
        is_swapped_under_calls_and_unmapped(CXX);
    }

    #[test]
    fn a_plugin_in_cxx_hands_its_state_over() {
        Native::new("hand_over.cpp", "1.0.0")
            .define("COUNTER", "\"cxx.counter\"")
            .run();
    }

    #[test]
    fn an_exception_costs_the_call_and_the_instance_and_nothing_else() {
        let host = CXX.live();
        for (input, said) in [
            (json!({}), "thrown on purpose"),
            (json!({"odd": true}), "no std::exception"),
        ] {
            let error = CXX.failure(&host, "throws", input);
            assert!(error.contains("panicked") && error.contains(said), "{error}");
        }
        assert_eq!(host.call("cxx.counter", json!({"by": 5})), 5);
        let error = CXX.failure(&host, "counter", json!({"by": 13}));
        assert!(error.contains("unlucky"), "{error}");
        assert_eq!(
            host.call("cxx.counter", json!({"by": 1})),
            1,
            "a fresh instance took its place"
        );
        CXX.bring_in(&host, "1.1.0");
        host.wait("revision.retired", CXX.plugin, "1.0.0");
    }
}

/// The plugin of the guide, as it stands there.
#[test]
fn the_plugin_of_the_guide_is_built_and_answers() {
    let guide = include_str!("../../../../plugin-api/docs/c.md");
    let (_, rest) = guide.split_once("<!-- plugin: shout.c -->\n```c\n").unwrap();
    let (source, _) = rest.split_once("```").unwrap();
    let command = guide.lines().find(|line| line.starts_with("cc ")).unwrap();
    let host = TestHost::start();
    // A checkout, as far as the command sees it.
    let root = tempfile::tempdir().unwrap();
    let sdk = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin-api");
    std::os::unix::fs::symlink(sdk, root.path().join("plugin-api")).unwrap();
    std::fs::write(root.path().join("shout.c"), source).unwrap();
    let built = Command::new("sh")
        .args(["-c", command])
        .current_dir(root.path())
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    deploy(&root.path().join("shout-1.0.0.so"), &host.inbox("shout-1.0.0.so"));
    host.wait("plugin.live", "shout", "1.0.0");
    assert_eq!(host.call("shout.loud", json!({"text": "hi, Ada!"})), "HI, ADA!");
    let error = host.try_call("shout.loud", json!({})).unwrap_err().chain();
    assert!(error.contains("a text is needed"), "{error}");
}
