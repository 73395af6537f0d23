//! Where an answer is another than what is recorded, and why.

/// What a node gives instead of what is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ours {
    /// It succeeds with this output.
    Output(&'static str),
    /// It fails with this code.
    Failed(&'static str),
    /// A fallback of this type gives this output.
    Recovered(&'static str, &'static str),
    /// It is skipped.
    Skipped,
}

/// A node whose result is another.
#[derive(Debug)]
pub(super) struct NodeDifference {
    pub(super) case: &'static str,
    pub(super) node: &'static str,
    pub(super) ours: Ours,
    pub(super) why: &'static str,
}

const fn node(case: &'static str, node: &'static str, ours: Ours, why: &'static str) -> NodeDifference {
    NodeDifference {
        case,
        node,
        ours,
        why,
    }
}

/// Something of the whole run that is another: its JSON.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) case: &'static str,
    pub(super) field: &'static str,
    pub(super) ours: &'static str,
    pub(super) why: &'static str,
}

const fn run(case: &'static str, field: &'static str, ours: &'static str, why: &'static str) -> Difference {
    Difference {
        case,
        field,
        ours,
        why,
    }
}

/// Workflows that are refused before they start, and the one error that is found.
pub(super) const REFUSED: [(&str, &str); 6] = [
    ("dag-cycle", "CYCLE"),
    ("dag-self-cycle", "CYCLE"),
    // The target is `[object Object]`, which says more than that there is no such node.
    ("dag-target-unknown", "OBJECT_SERIALIZATION_FAILURE"),
    ("dag-trigger-unknown", "UNKNOWN_TRIGGER_NODE"),
    // It calls a function that is not there.
    ("tpl-utils", "EXPRESSION_SYNTAX"),
    ("dag-restricted-type", "NODE_TYPE_NOT_ALLOWED"),
];

/// Workflows that go on where a node fails that does not in the record.
pub(super) const CONTINUED: [&str; 3] = ["math-coerce", "math-minmax-empty", "var-numbers"];

const VISIBLE: &str = "item, index, accumulator and value are visible in callbacks";
const TYPED: &str = "a lone expression keeps its type, and is one at any depth";
const NAN: &str = "NaN and infinity are errors that name the parameter";

pub(super) const NODES: &[NodeDifference] = &[
    node(
        "ctl-condition-no-routing",
        "no",
        Ours::Skipped,
        "a condition chooses one output",
    ),
    node(
        "ctl-edge-condition-state",
        "yes",
        Ours::Output(r#"{"result": "YES"}"#),
        "an edge's condition sees results",
    ),
    node(
        "dag-diamond",
        "j",
        Ours::Output(r#"{"result": 1, "previous": 0}"#),
        "a join runs once",
    ),
    node(
        "dag-diamond",
        "after",
        Ours::Output(r#"{"result": 1, "previous": 0}"#),
        "what is behind a join runs once",
    ),
    node(
        "dag-two-starts",
        "j",
        Ours::Output(r#"{"result": 1, "previous": 0}"#),
        "a join runs once",
    ),
    node(
        "dict-callbacks",
        "mv",
        Ours::Output(r#"{"result": {"a": "v=1", "b": "v=2"}}"#),
        VISIBLE,
    ),
    node(
        "dict-callbacks",
        "fe",
        Ours::Output(r#"{"result": {"a": 1}}"#),
        VISIBLE,
    ),
    node(
        "dict-views",
        "h3",
        Ours::Output(r#"{"result": false}"#),
        "nothing is inherited",
    ),
    node(
        "err-workflow-policy",
        "ok",
        Ours::Output(r#"{"result": "OK"}"#),
        "the policy of the workflow counts",
    ),
    node(
        "list-callbacks",
        "f",
        Ours::Output(r#"{"result": {"name": "ann", "age": 17, "ok": true}}"#),
        VISIBLE,
    ),
    node("list-callbacks", "fi", Ours::Output(r#"{"result": 1}"#), VISIBLE),
    node(
        "list-callbacks",
        "fl",
        Ours::Output(
            r#"{"result": [{"name": "ann", "age": 17, "ok": true}, {"name": "cy", "age": 45, "ok": true}]}"#,
        ),
        VISIBLE,
    ),
    node(
        "list-callbacks",
        "ev",
        Ours::Output(r#"{"result": false}"#),
        VISIBLE,
    ),
    node(
        "list-callbacks",
        "so",
        Ours::Output(r#"{"result": true}"#),
        VISIBLE,
    ),
    node(
        "list-map-reduce",
        "m",
        Ours::Output(r#"{"result": ["ann", "bob", "cy"]}"#),
        VISIBLE,
    ),
    node(
        "list-map-reduce",
        "m2",
        Ours::Output(r#"{"result": [{"v": 1, "i": 0, "c": "x"}, {"v": 2, "i": 1, "c": "x"}]}"#),
        VISIBLE,
    ),
    node("list-map-reduce", "r", Ours::Output(r#"{"result": 6}"#), VISIBLE),
    node("list-map-reduce", "r2", Ours::Output(r#"{"result": 5}"#), VISIBLE),
    node("list-template", "le", Ours::Output(r#"{"result": 3}"#), TYPED),
    node(
        "list-template",
        "r",
        Ours::Output(r#"{"result": [3, 2, 1]}"#),
        TYPED,
    ),
    node(
        "list-unique-flatten-group",
        "uo",
        Ours::Output(r#"{"result": [{"a": 1}]}"#),
        "equality is deep",
    ),
    node(
        "logic-compare-strings",
        "g",
        Ours::Output(r#"{"result": true}"#),
        TYPED,
    ),
    node("math-coerce", "t", Ours::Failed("EXECUTION_ERROR"), NAN),
    node("math-coerce", "m", Ours::Failed("VALIDATION_FAILED"), NAN),
    node("math-coerce", "n", Ours::Failed("VALIDATION_FAILED"), NAN),
    node("math-minmax-empty", "min", Ours::Failed("VALIDATION_FAILED"), NAN),
    node("math-minmax-empty", "max", Ours::Failed("VALIDATION_FAILED"), NAN),
    node(
        "recovery-fallback",
        "f",
        Ours::Recovered(r#"{"result": "ABC"}"#, "string.upper"),
        "the fallback is called, not the node that failed",
    ),
    node(
        "retry-disabled-policy",
        "f",
        Ours::Failed("EXECUTION_ERROR"),
        "a policy that is off is not followed",
    ),
    node(
        "string-falsy",
        "u0",
        Ours::Output(r#"{"result": "0"}"#),
        "0 is a value",
    ),
    node(
        "string-falsy",
        "uf",
        Ours::Output(r#"{"result": "FALSE"}"#),
        "false is a value",
    ),
    node(
        "string-falsy",
        "len0",
        Ours::Output(r#"{"result": 1}"#),
        "0 is a value",
    ),
    node(
        "string-format-template",
        "f",
        Ours::Output(r#"{"result": "Hi Ada"}"#),
        TYPED,
    ),
    node(
        "string-length",
        "b",
        Ours::Output(r#"{"result": 6}"#),
        "code points are counted, as in every language",
    ),
    node(
        "tpl-concat-edge",
        "b",
        Ours::Output(r#"{"result": "PRE X"}"#),
        "an expression may stand anywhere in a text",
    ),
    node(
        "tpl-json",
        "a",
        Ours::Output(
            r#"{"name": "Ada", "tag": "y", "text": "Hi Ada!", "num": 7, "missing": null, "deep": {"x": 7}, "list": [7, "lit"], "lit": 5}"#,
        ),
        TYPED,
    ),
    node(
        "tpl-objects",
        "a",
        Ours::Output(r#"{"o": {"a": 1}, "l": [1, {"x": 2}], "b": false, "z": null}"#),
        TYPED,
    ),
    node(
        "tpl-steps",
        "b",
        Ours::Output(r#"{"result": "ONE|ONE||ONE"}"#),
        "results are visible to later nodes; a missing path is null, which is no text",
    ),
    node(
        "tpl-operators",
        "a",
        Ours::Output(r#"{"gt": true, "eq": true, "add": 6, "lit": 2}"#),
        "expressions have operators",
    ),
    node(
        "var-collections",
        "a",
        Ours::Output(r#"{"result": [1], "length": 1}"#),
        "a result stays as it was",
    ),
    node(
        "var-node-id-clash",
        "g",
        Ours::Output(r#"{"result": 1}"#),
        "variables and results have their own names",
    ),
    node("var-numbers", "ix", Ours::Failed("EXECUTION_ERROR"), NAN),
    node(
        "var-numbers",
        "ga",
        Ours::Output(r#"{"result": {"n": 4, "f": false, "x": "abc"}}"#),
        "a variable whose increment failed stays as it was",
    ),
];

const ONE_WAY: &str = "a condition chooses one output";
const ONCE: &str = "a join, and what is behind it, runs once";
const SEEN: &str = "an edge's condition sees results";
const UNTRIED: &str = "where no recovery is named, none is tried";
const DIRECT: &str = "a failure reaches the retries";
const OFF: &str = "a policy that is off is not followed";
const RETRIED: &str = "the strategy `retry` tries again";

pub(super) const DIFFERENCES: &[Difference] = &[
    run(
        "ctl-condition-no-routing",
        "executionOrder",
        r#"["c", "yes"]"#,
        ONE_WAY,
    ),
    run("ctl-condition-no-routing", "metrics.nodesExecuted", "2", ONE_WAY),
    run("ctl-condition-no-routing", "metrics.successNodes", "2", ONE_WAY),
    run(
        "ctl-edge-condition-state",
        "executionOrder",
        r#"["s", "yes"]"#,
        SEEN,
    ),
    run("ctl-edge-condition-state", "metrics.nodesExecuted", "2", SEEN),
    run("ctl-edge-condition-state", "metrics.successNodes", "2", SEEN),
    run(
        "ctl-setvar-replace",
        "variables",
        r#"{"z": 3}"#,
        "there is one store, and it was replaced",
    ),
    run(
        "ctl-wait-setvar",
        "delaysMs",
        "[]",
        "what a node waits by itself is no wait between tries",
    ),
    run(
        "dag-diamond",
        "executionOrder",
        r#"["s", "l", "r", "j", "after"]"#,
        ONCE,
    ),
    run("dag-diamond", "variables", r#"{"joins": 1, "after": 1}"#, ONCE),
    run("dag-diamond", "metrics.nodesExecuted", "5", ONCE),
    run("dag-diamond", "metrics.successNodes", "5", ONCE),
    run(
        "dag-two-starts",
        "executionOrder",
        r#"["a", "b", "lone", "j"]"#,
        "nodes that are ready together are begun in the order of the document",
    ),
    run("dag-two-starts", "variables", r#"{"j": 1}"#, ONCE),
    run("dag-two-starts", "metrics.nodesExecuted", "4", ONCE),
    run("dag-two-starts", "metrics.successNodes", "4", ONCE),
    run(
        "err-workflow-policy",
        "executionOrder",
        r#"["bad", "ok"]"#,
        "the policy of the workflow counts",
    ),
    run(
        "err-workflow-policy",
        "metrics.nodesExecuted",
        "2",
        "the policy of the workflow counts",
    ),
    run(
        "err-workflow-policy",
        "metrics.successNodes",
        "1",
        "the policy of the workflow counts",
    ),
    run("math-coerce", "metrics.successNodes", "1", NAN),
    run("math-coerce", "metrics.failedNodes", "3", NAN),
    run("math-minmax-empty", "metrics.successNodes", "0", NAN),
    run("math-minmax-empty", "metrics.failedNodes", "2", NAN),
    run(
        "recovery-fallback",
        "executionOrder",
        r#"["f"]"#,
        "the node itself was tried once; that a fallback was called is in its result",
    ),
    run(
        "recovery-retry-strategy",
        "executionOrder",
        r#"["s", "f", "other", "f", "f", "f"]"#,
        RETRIED,
    ),
    run(
        "recovery-retry-strategy",
        "delaysMs",
        "[1000, 1000, 1000]",
        RETRIED,
    ),
    run(
        "recovery-retry-strategy",
        "metrics.nodesExecuted",
        "3",
        "a node that failed was run",
    ),
    run("recovery-retry-strategy", "metrics.retriedNodes", "3", RETRIED),
    run("recovery-retry-strategy", "metrics.totalRetries", "3", RETRIED),
    run("retry-disabled-policy", "executionOrder", r#"["f"]"#, OFF),
    run("retry-disabled-policy", "delaysMs", "[]", OFF),
    run("retry-disabled-policy", "metrics.successNodes", "0", OFF),
    run("retry-disabled-policy", "metrics.failedNodes", "1", OFF),
    run("retry-disabled-policy", "metrics.retriedNodes", "0", OFF),
    run("retry-disabled-policy", "metrics.totalRetries", "0", OFF),
    run("retry-exhausted", "metrics.recoveryAttempts", "0", UNTRIED),
    run("retry-not-retryable", "metrics.recoveryAttempts", "0", UNTRIED),
    run("retry-registry-never", "executionOrder", r#"["f", "f"]"#, DIRECT),
    run("retry-registry-never", "delaysMs", "[2000]", DIRECT),
    run("retry-registry-never", "metrics.successNodes", "1", DIRECT),
    run("retry-registry-never", "metrics.failedNodes", "0", DIRECT),
    run("retry-registry-never", "metrics.retriedNodes", "1", DIRECT),
    run("retry-registry-never", "metrics.totalRetries", "1", DIRECT),
    run(
        "var-node-id-clash",
        "variables",
        r#"{"a": 1}"#,
        "variables and results have their own names",
    ),
    run(
        "var-numbers",
        "variables",
        r#"{"n": 4, "f": false, "x": "abc"}"#,
        "a variable whose increment failed stays as it was",
    ),
    run("var-numbers", "metrics.successNodes", "7", NAN),
    run("var-numbers", "metrics.failedNodes", "1", NAN),
];
