//! What the executor itself costs: nodes that do next to nothing, called as directly as can be.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use patchbay_executor::{
    Board, Callbacks, Class, Executor, ExecutorConfig, Failure, Hold, Host, Jitter, Judge, Judgement, Nature,
    NodeCall, Output, Prepared, RunRequest, RunStatus, ServedBy, Stop, Task,
};
use patchbay_expression::EvalLimits;
use patchbay_vocab::{SystemClock, TenantId};
use patchbay_workflow::{PlanNode, TypeIndex, read, validate};
use plugin_api::value::{Value, ValueRef};

/// Every node gives its parameters back.
struct Echo;

fn none() -> Failure {
    Failure::new(Class::UnknownNodeType, "there is none")
}

impl Board for Echo {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn all(&self) -> Value {
        Value::null()
    }
}

impl Hold for Echo {
    fn nature(&self, _: TypeIndex) -> Nature {
        Nature::Pure
    }

    fn served_by(&self, _: TypeIndex) -> Option<ServedBy> {
        None
    }

    fn board(&self) -> &dyn Board {
        self
    }

    fn call<'o>(
        &self,
        _: TypeIndex,
        input: ValueRef<'_>,
        _: &NodeCall<'_>,
        _: &dyn Callbacks,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure> {
        out.clear();
        match out.push(input.raw()) {
            Ok(()) => Ok(ValueRef::assume_valid(out.written())),
            Err(_) => Err(none()),
        }
    }

    fn begin(
        &self,
        _: TypeIndex,
        _: Value,
        _: &NodeCall<'_>,
        _: Arc<dyn Callbacks>,
    ) -> Task<Result<Value, Failure>> {
        Box::pin(async { Err(none()) })
    }

    fn call_previous<'o>(
        &self,
        _: TypeIndex,
        _: ValueRef<'_>,
        _: &NodeCall<'_>,
        _: &dyn Callbacks,
        _: &'o mut Output,
    ) -> (Option<ServedBy>, Result<ValueRef<'o>, Failure>) {
        (None, Err(none()))
    }

    fn child(&self, _: &Arc<Prepared>) -> Result<Arc<dyn Hold>, Failure> {
        Err(none())
    }
}

/// Nothing is polled here.
struct NoTasks;

impl Host for NoTasks {
    fn spawn(&self, _: Task<()>) -> Stop {
        Box::new(|| {})
    }

    fn workflow(&self, _: &TenantId, _: ValueRef<'_>) -> Result<Arc<Prepared>, Failure> {
        Err(none())
    }

    fn env(&self, _: &str) -> Option<Value> {
        None
    }
}

struct NothingToSay;

impl Judge for NothingToSay {
    fn judge(&self, _: &PlanNode) -> Judgement {
        Judgement::default()
    }
}

/// A chain whose nodes have these parameters; `{before}` in them is the id of the node before.
fn chain(nodes: usize, parameters: &str) -> Arc<Prepared> {
    let list = (0..nodes).map(|at| {
        let parameters = parameters.replace("{before}", &format!("n{}", at.saturating_sub(1)));
        format!(r#"{{"id":"n{at}","name":"n{at}","nodeType":"echo","parameters":{parameters}}}"#)
    });
    let list: Vec<_> = list.collect();
    let edges = (1..nodes).map(|at| {
        let from = at - 1;
        format!(r#""n{from}":{{"main":{{"0":[{{"node":"n{at}","type":"main","index":0}}]}}}}"#)
    });
    let edges: Vec<_> = edges.collect();
    let text = format!(
        r#"{{"id":"w","name":"w","nodes":[{}],"connections":{{{}}}}}"#,
        list.join(","),
        edges.join(",")
    );
    let valid = read(text.as_bytes()).and_then(validate);
    let Ok(valid) = valid else {
        panic!("the document is fit");
    };
    Prepared::new(Arc::new(valid.plan()), &NothingToSay)
}

struct Bench {
    executor: Executor,
}

impl Bench {
    fn new() -> Self {
        let config = ExecutorConfig {
            threads: 1,
            output_bytes: 1 << 20,
            expressions: EvalLimits {
                millis: 1_000,
                memory_bytes: 16 << 20,
                output_bytes: 1 << 20,
            },
            grace: Duration::from_millis(500),
        };
        let executor = Executor::start(config, Arc::new(SystemClock::new()), Arc::new(NoTasks));
        let Ok(executor) = executor else {
            panic!("the system gives threads");
        };
        Self { executor }
    }

    fn run(&self, prepared: &Arc<Prepared>) -> RunStatus {
        let (sender, ended) = mpsc::channel();
        let (Ok(id), Ok(tenant)) = ("run".parse(), "acme".parse()) else {
            panic!("both are ids");
        };
        let request = RunRequest {
            id,
            prepared: Arc::clone(prepared),
            tenant,
            hold: Arc::new(Echo),
            trigger: Value::from_json(r#"{"user":{"name":"Ada"},"count":41}"#).unwrap_or_default(),
            context: Value::null(),
            starts: None,
            given: Vec::new(),
            timeout: None,
            jitter: Jitter::Off,
            observer: None,
            children: None,
            parent: None,
            depth: 0,
            place: None,
        };
        let on_end = Box::new(move |finished: patchbay_executor::Finished| {
            let _ = sender.send(finished.status);
        });
        black_box(self.executor.run(request, on_end));
        ended.recv().unwrap_or(RunStatus::Error)
    }
}

fn chains(criterion: &mut Criterion) {
    let bench = Bench::new();
    let cases = [
        ("fixed", r#"{"value":"hello"}"#),
        ("one path", r#"{"value":"{{ $json.user.name }}"}"#),
        ("node before", r#"{"value":"{{ $steps.{before}.value }}"}"#),
    ];
    for (name, parameters) in cases {
        let mut group = criterion.benchmark_group(format!("chain, {name}"));
        for nodes in [10_usize, 1_000, 10_000] {
            let prepared = chain(nodes, parameters);
            assert_eq!(bench.run(&prepared), RunStatus::Success, "{name}");
            group.throughput(Throughput::Elements(nodes as u64));
            group.bench_function(BenchmarkId::from_parameter(nodes), |bencher| {
                bencher.iter(|| bench.run(&prepared));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, chains);
criterion_main!(benches);
