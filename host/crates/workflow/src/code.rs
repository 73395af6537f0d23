//! Every code of a finding.
//!
//! Invariant: a code is listed here once, with what it means, and `host/docs/workflow-findings.md` has the same list.

use crate::FindingCode;

/// A code with its meaning: a row of `host/docs/workflow-findings.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The code.
    pub code: FindingCode,
    /// `error`, `warning`, or `either`.
    pub level: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub hint: &'static str,
}

macro_rules! codes {
    ($($name:ident $level:ident $meaning:literal $hint:literal)*) => {
        $(pub(crate) const $name: FindingCode = FindingCode(stringify!($name));)*

        /// Every code there is, in the order of the documentation.
        pub const CODES: &[CodeRow] = &[$(CodeRow {
            code: $name,
            level: stringify!($level),
            meaning: $meaning,
            hint: $hint,
        }),*];
    };
}

codes! {
    INVALID_JSON error
        "The text is no JSON, or it is nested too deeply." "Mend the text at the line and column that are named."
    NOT_A_WORKFLOW error
        "The JSON is no object, or has no list of nodes." "Write an object with `nodes` and `connections`."
    TOO_LARGE error
        "The text, the nodes or the connections are more than the limits allow." "Split the workflow; run a part as a sub-workflow."
    TOO_MANY_FINDINGS either
        "More was found than is listed; an error when errors were left out." "Mend what is listed, then look again."
    INVALID_FIELD either
        "A known field has a value of a wrong type or range." "Write what the message asks for."
    UNKNOWN_FIELD warning
        "A field that no workflow has; it is ignored." "Correct its spelling, or remove it."
    UNSUPPORTED_SETTING warning
        "A setting that is understood and not enforced." "Remove it, or do without what it promises."
    MISSING_TENANT_ID either
        "No `tenantId`; an error when `multiTenancy.enforced` is true." "Write the tenant that the workflow is of."
    MISSING_NODE_ID either
        "A node has no id; a warning when its name serves." "Give each node an id of its own."
    MISSING_NODE_NAME either
        "A node has no name; a warning when its id serves." "Give each node a name of its own."
    MISSING_NODE_TYPE either
        "Nothing says what a node runs; a warning when it could be guessed." "Write `nodeType`."
    DUPLICATE_NODE_ID error
        "Two nodes have one id." "Rename one, and the connections and expressions that mean it."
    DUPLICATE_NODE_NAME error
        "Two nodes have one name." "Rename one of them."
    TIMEOUT_TOO_SHORT warning
        "A node's timeout is less than a second." "Timeouts of nodes are in milliseconds: write 30000 for 30 seconds."
    TIMEOUT_TOO_LONG warning
        "A node's timeout is more than an hour." "Timeouts of nodes are in milliseconds; write a shorter one."
    OBJECT_SERIALIZATION_FAILURE either
        "A text is `[object Object]`; a warning when it is a part of a longer text." "Write the value that was lost when the document was saved."
    NESTED_NODE_ATTRIBUTES warning
        "A parameter is named like an attribute of nodes." "Move it one level up, unless the node takes such a parameter."
    EXCESSIVE_PARAMETER_NESTING error
        "`parameters` within `parameters` within `parameters`." "Take out the levels that were added when the document was saved."
    INVALID_CONNECTION_SOURCE error
        "A connection leaves a node that is not there." "Use an id or a name of a node."
    INVALID_CONNECTION_FORMAT error
        "Connections have a wrong shape." "Write `{\"from\": {\"main\": {\"0\": [{\"node\": \"to\", \"type\": \"main\", \"index\": 0}]}}}`."
    INVALID_OUTPUT_TYPE error
        "A port other than `main` and `error`." "Use `main` for success and `error` for failure."
    INVALID_OUTPUT_INDEX error
        "An output's number is none." "Use whole numbers from 0 to 65535."
    INVALID_CONNECTION_TARGET error
        "A target of a connection names no node." "Write `node` with an id or a name."
    INVALID_CONNECTION_TARGET_NODE error
        "A connection leads to a node that is not there." "Use an id or a name of a node."
    CYCLE error
        "Connections lead back to where they came from." "Break one of them; use a loop node to repeat something."
    UNREACHABLE_NODE warning
        "No trigger leads to the node." "Connect it, give it a trigger, or remove it."
    INVALID_LOOP error
        "A loop has no body, no bound that holds, or connections that cross the border of its body." "Lead output 1 into the body and the body back to the loop, and nothing else across."
    UNKNOWN_TRIGGER_NODE error
        "A trigger starts at a node that is not there." "Use an id or a name of a node."
    INVALID_SCHEDULE error
        "A schedule has no time that ever comes, or a time zone that nobody has." "Write five or six cron fields and a name such as `Europe/Berlin`."
    INVALID_WEBHOOK error
        "A webhook's path or method cannot be served, or is taken." "Write a path of letters, digits, `-`, `_`, `.`, `/` and known methods."
    EXPRESSION_SYNTAX error
        "An expression cannot be read." "Mend it at the position that is named."
    UNKNOWN_REFERENCE warning
        "An expression reads a node that is not there; it reads null." "Correct the name."
    REFERENCE_NOT_BEFORE warning
        "An expression reads a node that can never have run by then; it reads null." "Read a node that comes before, or turn the connection round."
    NODE_TYPE_NOT_ALLOWED error
        "The tenant may not use the node type." "Use another one, or ask for the permission."
    UNKNOWN_NODE_TYPE error
        "No plugin has the node type." "Correct its spelling, or install a plugin that has it."
    PARAMETER_SCHEMA error
        "A parameter does not fit the node's schema." "Write what the schema asks for."
    CREDENTIAL_MISSING error
        "The tenant lacks a secret that a node reads." "Store it for the tenant."
    EXPERIMENTAL_NODE_TYPE warning
        "The node type may change or go away." "Expect to change the workflow."
    INVALID_VERSION_RANGE error
        "A node's `plugin` is meant as a range of versions, and is none." "Write `NAME@RANGE`, such as `text-tools@^1.2`."
    UNKNOWN_PLUGIN error
        "There is no plugin of the name that a range of versions is for." "Correct its spelling, or install the plugin."
    NO_MATCHING_VERSION error
        "No version of a plugin is in all ranges that the workflow names for it." "Change a range, or install a version that fits."
    VERSION_OUT_OF_RANGE warning
        "The run was asked for with a version that is outside of a range; it has that version." "Ask for another version, or change the range."
    RANGE_OF_ANOTHER_PLUGIN warning
        "A node's range is for another plugin than the one that has its node type." "Write the range at a node of that plugin."
    UNKNOWN_FALLBACK warning
        "The node type of a fallback is not there, or not named." "Name one that a plugin has."
    INVALID_VARIABLE_DEFINITION error
        "A variable is defined by something other than an object." "Write `{\"type\": \"string\", \"defaultValue\": \"\"}`."
    INVALID_VARIABLE_NAME error
        "A variable's name is none." "Use letters, digits and `_`, and no digit at its start."
    MISSING_VARIABLE_TYPE error
        "A variable has no type." "Write `type`: string, number, boolean, array, object, date or any."
    INVALID_VARIABLE_TYPE error
        "A variable has a type that is none." "Write `type`: string, number, boolean, array, object, date or any."
    VARIABLE_TYPE_MISMATCH error
        "A variable's default is not of its type." "Change one of the two."
    REGEX_COMPLEXITY_WARNING warning
        "A pattern can take very long." "Avoid repeats of repeats, and look-arounds."
    GLOBAL_SCOPE_VARIABLE warning
        "A variable is asked to be shared by all runs; it is of its run." "Keep shared values in the key-value store."
}
