//! Expressions of a document, compiled; what is wrong with them is noted where they stand.
//!
//! Invariant: an expression that is compiled reads nodes of its own scope and of those around it alone.

use patchbay_expression::{CompileError, Expression, NodeRef, Template};
use plugin_api::value::ValueRef;

use crate::assembly::Pass;
use crate::code;
use crate::notes::{Notes, Place, Shown};
use crate::view::View;

/// Compiles one expression, which `reader` looks at.
pub(crate) fn compile(
    text: &str,
    view: &View<'_, '_>,
    reader: u32,
    place: &Place<'_>,
    pass: &mut Pass<'_>,
) -> Option<Expression> {
    match Expression::compile(text.trim(), view) {
        Ok(expression) => {
            unknown(expression.unknown_nodes(), view, place, pass);
            // A connection is looked at when its node has run, so that the node itself may be read.
            let others = |node: &&NodeRef| {
                !(node.up == 0 && view.layout.local.get(reader as usize) == Some(&node.index))
            };
            for node in expression.nodes().iter().filter(others) {
                before(*node, view, reader, place, pass);
            }
            Some(expression)
        }
        Err(error) => {
            syntax(&error, place, &mut pass.notes);
            None
        }
    }
}

/// Compiles what a loop looks at between rounds: all nodes of the body have run, or none.
pub(crate) fn compile_within(
    text: &str,
    view: &View<'_, '_>,
    place: &Place<'_>,
    pass: &mut Pass<'_>,
) -> Option<Expression> {
    match Expression::compile(text.trim(), view) {
        Ok(expression) => {
            unknown(expression.unknown_nodes(), view, place, pass);
            Some(expression)
        }
        Err(error) => {
            syntax(&error, place, &mut pass.notes);
            None
        }
    }
}

/// Compiles parameters; an empty map when there are none.
pub(crate) fn template(
    parameters: Option<ValueRef<'_>>,
    view: &View<'_, '_>,
    reader: u32,
    place: &Place<'_>,
    pass: &mut Pass<'_>,
) -> Option<Template> {
    let empty = crate::settings::empty_map();
    let parameters = parameters.unwrap_or(empty.as_ref());
    match Template::compile(parameters, view) {
        Ok(template) => {
            unknown(template.unknown_nodes(), view, place, pass);
            for node in template.nodes() {
                before(*node, view, reader, place, pass);
            }
            Some(template)
        }
        Err(errors) => {
            for error in &errors {
                let steps: Vec<String> = error
                    .pointer
                    .split('/')
                    .skip(1)
                    .map(|step| step.replace("~1", "/").replace("~0", "~"))
                    .collect();
                descend(parameters, &steps, place, &mut |place| {
                    syntax(error, place, &mut pass.notes);
                });
            }
            None
        }
    }
}

/// Finds the place that a pointer means.
pub(crate) fn descend(
    value: ValueRef<'_>,
    steps: &[String],
    place: &Place<'_>,
    look: &mut dyn FnMut(&Place<'_>),
) {
    let Some((step, rest)) = steps.split_first() else {
        look(place);
        return;
    };
    let item = step
        .parse()
        .ok()
        .and_then(|index| Some((index, value.as_list()?.get(index)?)));
    match (item, value.get(step)) {
        (Some((index, item)), _) => descend(item, rest, &place.index(index, item), look),
        (None, Some(inner)) => descend(inner, rest, &place.key(step, inner), look),
        (None, None) => look(&place.absent(step)),
    }
}

/// Looks at the text that tells what a rate limit counts apart.
pub(crate) fn check_key(text: &str, place: &Place<'_>, notes: &mut Notes<'_>) {
    struct Nobody;
    impl patchbay_expression::Names for Nobody {
        fn node(&self, _: &str) -> Option<NodeRef> {
            None
        }
    }
    if text.contains("{{") {
        let value = plugin_api::value::Value::from(text);
        for error in Template::compile(value.as_ref(), &Nobody)
            .err()
            .into_iter()
            .flatten()
        {
            syntax(&error, &place.absent("key"), notes);
        }
    }
}

fn syntax(error: &CompileError, place: &Place<'_>, notes: &mut Notes<'_>) {
    notes.error(
        code::EXPRESSION_SYNTAX,
        place,
        format_args!(
            "{} at character {} of `{}`",
            Shown(&error.message),
            error.position,
            Shown(&error.expression)
        ),
        "mend the expression at that position",
    );
}

fn unknown(names: &[Box<str>], view: &View<'_, '_>, place: &Place<'_>, pass: &mut Pass<'_>) {
    for name in names {
        let inside = view.graph.find(name).is_some();
        if inside {
            pass.notes.warning(
                code::UNKNOWN_REFERENCE,
                place,
                format_args!(
                    "an expression reads the node `{}`, which is inside of a loop",
                    Shown(name)
                ),
                "read the output of the loop",
            );
        } else {
            let hint = view.graph.suggestion(name, &mut pass.notes);
            pass.notes.warning(
                code::UNKNOWN_REFERENCE,
                place,
                format_args!(
                    "an expression reads the node `{}`, which is not there",
                    Shown(name)
                ),
                &hint,
            );
        }
    }
}

fn before(node: NodeRef, view: &View<'_, '_>, reader: u32, place: &Place<'_>, pass: &mut Pass<'_>) {
    if let Some(id) = view.never_before(reader, node, &mut pass.patience) {
        pass.notes.warning(
            code::REFERENCE_NOT_BEFORE,
            place,
            format_args!(
                "an expression reads the node `{}`, which can never have run by then",
                Shown(id)
            ),
            "read a node that comes before, or turn the connections round",
        );
    }
}
