//! What compiling and evaluating costs: paths, operators, calls, templates, scripts.
#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use patchbay_expression::{EvalLimits, Expression, Names, NodeRef, NodeView, Scope, Template};
use plugin_api::value::{Value, ValueRef};

const LIMITS: EvalLimits = EvalLimits {
    millis: 1_000,
    memory_bytes: 16 << 20,
    output_bytes: 1 << 20,
};

/// A run of one node, `a`.
struct Run {
    json: Value,
    output: Value,
}

impl Run {
    fn new() -> Self {
        let json = r#"{"user":{"name":"Ada","address":{"city":"London"}},"count":41,"active":true,
            "items":[{"sku":"x1","n":1},{"sku":"x2","n":2},{"sku":"x3","n":3},{"sku":"x4","n":4}]}"#;
        Self {
            json: Value::from_json(json).unwrap_or_default(),
            output: Value::from_json(r#"{"result":"ONE","list":[1,2,3]}"#).unwrap_or_default(),
        }
    }
}

impl Names for Run {
    fn node(&self, reference: &str) -> Option<NodeRef> {
        (reference == "a").then_some(NodeRef { up: 0, index: 0 })
    }
}

impl Scope for Run {
    fn json(&self) -> ValueRef<'_> {
        self.json.as_ref()
    }
    fn input(&self) -> ValueRef<'_> {
        self.json.as_ref()
    }
    fn node(&self, _: NodeRef) -> Option<NodeView<'_>> {
        Some(NodeView {
            status: "success",
            output: self.output.as_ref(),
            error: None,
        })
    }
    fn find(&self, name: &str) -> Option<NodeRef> {
        Names::node(self, name)
    }
    fn nodes(&self) -> Vec<(String, NodeRef)> {
        vec![("a".to_owned(), NodeRef { up: 0, index: 0 })]
    }
    fn context(&self) -> ValueRef<'_> {
        ValueRef::NULL
    }
    fn variable(&self, _: &str) -> Option<Value> {
        None
    }
    fn variables(&self) -> Value {
        Value::null()
    }
    fn workflow(&self) -> ValueRef<'_> {
        ValueRef::NULL
    }
    fn env(&self, _: &str) -> Option<Value> {
        None
    }
    fn now_millis(&self) -> i64 {
        0
    }
    fn binding(&self, _: &str) -> Option<ValueRef<'_>> {
        None
    }
    fn tenant(&self) -> &str {
        "acme"
    }
}

fn expressions(criterion: &mut Criterion) {
    let run = Run::new();
    let cases = [
        ("path", "$json.user.address.city"),
        ("node", "$steps.a.result"),
        ("operators", "$json.count + 1 > 41 && $json.active"),
        ("call", "$json.user.name.toUpperCase()"),
        (
            "script",
            "$json.items.filter(item => item.n > 1).map(item => item.sku).join('-')",
        ),
    ];
    let mut group = criterion.benchmark_group("evaluate");
    for (name, source) in cases {
        let compiled = Expression::compile(source, &run);
        let Ok(expression) = compiled else {
            panic!("{source} is an expression");
        };
        let mut out = Vec::new();
        assert!(expression.evaluate(&run, &LIMITS, &mut out).is_ok(), "{source}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                black_box(expression.evaluate(&run, &LIMITS, &mut out).is_ok())
            });
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("compile");
    for (name, source) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| Expression::compile(black_box(source), &run).is_ok());
        });
    }
    group.finish();
}

fn templates(criterion: &mut Criterion) {
    let run = Run::new();
    let source = r#"{"a":"{{ $json.user.name }}","b":"{{ $json.user.address.city }}","c":"{{ $json.items[1].sku }}",
        "d":"{{ $json.count }}","e":"{{ $json.active }}","f":"{{ $steps.a.result }}","g":"{{ $steps.a.list }}",
        "h":"{{ $steps.a.list[1] }}","i":"{{ $steps.a.status }}","j":"{{ $json.user.name }} of {{ $steps.a.result }}"}"#;
    let source = Value::from_json(source).unwrap_or_default();
    let compiled = Template::compile(source.as_ref(), &run);
    let Ok(template) = compiled else {
        panic!("it is a template");
    };
    let mut out = Vec::new();
    criterion.bench_function("render an object of 10", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(template.render(&run, &LIMITS, &mut out).is_ok())
        });
    });
}

criterion_group!(benches, expressions, templates);
criterion_main!(benches);
