//! A host whose nodes are closures, and plans that are written by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use patchbay_expression::{EvalLimits, NodeRef, Template};
use patchbay_vocab::{FakeClock, TenantId};
use patchbay_workflow::{
    Backoff, Edge, Limits, Loop, OnError, Plan, PlanNode, Policy, Port, Recovery, Retry, SavePolicy,
    SubWorkflow, TypeIndex, Work,
};
use plugin_api::value::{Value, ValueRef};

use crate::{
    Board, Callbacks, Executor, ExecutorConfig, Failure, Finished, Hold, Host, Jitter, Nature, NodeCall,
    Output, Prepared, Run, RunRequest, ServedBy, Status, Stop, Task,
};

pub(super) type Node =
    Arc<dyn Fn(ValueRef<'_>, &dyn Callbacks, &NodeCall<'_>) -> Result<Value, Failure> + Send + Sync>;

/// The nodes that tests share, and their natures.
pub(super) struct Nodes {
    pub(super) known: HashMap<&'static str, (Nature, Node)>,
    pub(super) previous: HashMap<&'static str, Node>,
    pub(super) calls: AtomicU64,
}

pub(super) fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

pub(super) fn node(
    work: impl Fn(ValueRef<'_>, &dyn Callbacks, &NodeCall<'_>) -> Result<Value, Failure> + Send + Sync + 'static,
) -> Node {
    Arc::new(work)
}

pub(super) struct TestHold {
    nodes: Arc<Nodes>,
    types: Arc<[Box<str>]>,
    variables: Mutex<Value>,
}

impl TestHold {
    fn find(&self, node_type: TypeIndex) -> Option<&(Nature, Node)> {
        self.nodes.known.get(&*self.types[node_type.0 as usize])
    }
}

impl Board for TestHold {
    fn get(&self, name: &str) -> Option<Value> {
        Some(self.variables.lock().as_ref().get(name)?.to_value())
    }

    fn all(&self) -> Value {
        self.variables.lock().clone()
    }
}

impl Hold for TestHold {
    fn nature(&self, node_type: TypeIndex) -> Nature {
        self.find(node_type)
            .map_or(Nature::Unknown, |(nature, _)| *nature)
    }

    fn served_by(&self, node_type: TypeIndex) -> Option<ServedBy> {
        self.find(node_type)?;
        Some(ServedBy {
            plugin: "test".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            revision: patchbay_vocab::RevisionNumber(1),
        })
    }

    fn board(&self) -> &dyn Board {
        self
    }

    fn call<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure> {
        self.nodes.calls.fetch_add(1, Ordering::SeqCst);
        let (_, node) = self.find(node_type).unwrap();
        let value = node(input, callbacks, call)?;
        out.clear();
        out.push(value.as_bytes()).unwrap();
        Ok(ValueRef::assume_valid(out.written()))
    }

    fn begin(
        &self,
        node_type: TypeIndex,
        input: Value,
        call: &NodeCall<'_>,
        callbacks: Arc<dyn Callbacks>,
    ) -> Task<Result<Value, Failure>> {
        let (_, node) = self.find(node_type).unwrap();
        let (node, cancel) = (Arc::clone(node), Arc::clone(call.cancel));
        let (tenant, run, id) = (call.tenant.clone(), call.run.clone(), call.node.clone());
        Box::pin(async move {
            let call = NodeCall {
                tenant: &tenant,
                run: &run,
                node: &id,
                timeout: None,
                cancel: &cancel,
            };
            node(input.as_ref(), &*callbacks, &call)
        })
    }

    fn call_previous<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> (Option<ServedBy>, Result<ValueRef<'o>, Failure>) {
        let Some(node) = self.nodes.previous.get(&*self.types[node_type.0 as usize]) else {
            return (
                None,
                Err(Failure::new(crate::Class::UnknownNodeType, "no version before")),
            );
        };
        let by = ServedBy {
            plugin: "test".parse().unwrap(),
            version: "0.9.0".parse().unwrap(),
            revision: patchbay_vocab::RevisionNumber(0),
        };
        let answer = node(input, callbacks, call).map(|value| {
            out.clear();
            out.push(value.as_bytes()).unwrap();
            ValueRef::assume_valid(out.written())
        });
        (Some(by), answer)
    }

    fn child(&self, plan: &Arc<Prepared>) -> Result<Arc<dyn Hold>, Failure> {
        Ok(Arc::new(Self {
            nodes: Arc::clone(&self.nodes),
            types: Arc::clone(&plan.plan().node_types),
            variables: Mutex::new(plan.plan().variables.clone()),
        }))
    }
}

/// Drives each future on a thread of its own.
struct Threads;

impl Host for Threads {
    fn spawn(&self, task: Task<()>) -> Stop {
        std::thread::spawn(move || {
            struct Unpark(std::thread::Thread);
            impl std::task::Wake for Unpark {
                fn wake(self: Arc<Self>) {
                    self.0.unpark();
                }
            }
            let waker = Arc::new(Unpark(std::thread::current())).into();
            let mut task = task;
            while task
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker))
                .is_pending()
            {
                std::thread::park();
            }
        });
        Box::new(|| {})
    }

    fn workflow(&self, _: &TenantId, _: ValueRef<'_>) -> Result<Arc<Prepared>, Failure> {
        Err(Failure::new(
            crate::Class::ExecutionError,
            "there is no such workflow",
        ))
    }

    fn env(&self, _: &str) -> Option<Value> {
        None
    }
}

struct Verdicts(HashMap<String, Vec<String>>);

impl crate::Judge for Verdicts {
    fn judge(&self, node: &PlanNode) -> crate::Judgement {
        crate::Judgement {
            refused: self.0.get(node.id.as_str()).cloned().unwrap_or_default(),
            ..crate::Judgement::default()
        }
    }
}

/// An executor over a clock that is moved by hand.
pub(super) struct Bench {
    pub(super) executor: Executor,
    pub(super) clock: FakeClock,
    pub(super) nodes: Arc<Nodes>,
}

/// A run that was begun.
pub(super) struct Begun {
    pub(super) run: Arc<Run>,
    ended: mpsc::Receiver<Finished>,
}

impl Begun {
    pub(super) fn wait(self) -> Finished {
        self.ended
            .recv_timeout(Duration::from_secs(30))
            .expect("the run ends")
    }

    /// Moves the clock on whenever nothing else happens, until the run ends.
    pub(super) fn wait_moving(self, bench: &Bench) -> Finished {
        for _ in 0..100_000 {
            if let Ok(finished) = self.ended.recv_timeout(Duration::from_millis(2)) {
                return finished;
            }
            bench.clock.advance(Duration::from_millis(50));
            bench.executor.look();
        }
        panic!("the run does not end");
    }
}

impl Bench {
    pub(super) fn new(nodes: &[(&'static str, Nature, Node)]) -> Self {
        Self::with(nodes, &[], 2)
    }

    pub(super) fn with(
        nodes: &[(&'static str, Nature, Node)],
        previous: &[(&'static str, Node)],
        threads: usize,
    ) -> Self {
        let clock = FakeClock::new();
        let config = ExecutorConfig {
            threads,
            output_bytes: 1 << 20,
            expressions: EvalLimits {
                millis: 1_000,
                memory_bytes: 16 << 20,
                output_bytes: 1 << 20,
            },
            grace: Duration::from_millis(500),
        };
        let known = nodes
            .iter()
            .map(|(name, nature, node)| (*name, (*nature, Arc::clone(node))));
        let nodes = Arc::new(Nodes {
            known: known.collect(),
            previous: previous
                .iter()
                .map(|(name, node)| (*name, Arc::clone(node)))
                .collect(),
            calls: AtomicU64::new(0),
        });
        let executor = Executor::start(config, Arc::new(clock.clone()), Arc::new(Threads)).unwrap();
        Self {
            executor,
            clock,
            nodes,
        }
    }

    pub(super) fn request(&self, plan: Plan) -> RunRequest {
        self.request_refusing(plan, &[])
    }

    pub(super) fn request_refusing(&self, plan: Plan, refused: &[(&str, &str)]) -> RunRequest {
        let refused = refused
            .iter()
            .map(|(node, why)| ((*node).to_owned(), vec![(*why).to_owned()]));
        let prepared = Prepared::new(Arc::new(plan), &Verdicts(refused.into_iter().collect()));
        let hold = TestHold {
            nodes: Arc::clone(&self.nodes),
            types: Arc::clone(&prepared.plan().node_types),
            variables: Mutex::new(prepared.plan().variables.clone()),
        };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        RunRequest {
            id: format!("run-{}", NEXT.fetch_add(1, Ordering::Relaxed))
                .parse()
                .unwrap(),
            prepared,
            tenant: "acme".parse().unwrap(),
            hold: Arc::new(hold),
            trigger: json(r#"{"name": "Ada"}"#),
            context: json("{}"),
            starts: None,
            given: Vec::new(),
            timeout: None,
            jitter: Jitter::Off,
            observer: None,
            children: None,
            parent: None,
            depth: 0,
            place: None,
        }
    }

    pub(super) fn begin(&self, request: RunRequest) -> Begun {
        let (sender, ended) = mpsc::channel();
        let run = self
            .executor
            .run(request, Box::new(move |finished| drop(sender.send(finished))));
        Begun { run, ended }
    }

    pub(super) fn run(&self, plan: Plan) -> Finished {
        self.begin(self.request(plan)).wait()
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        retry: Retry {
            tries: 1,
            backoff: Backoff::Exponential,
            initial: Duration::from_millis(100),
            most: Duration::from_secs(60),
            fixed: None,
            jitter: 0.0,
            codes: ["TIMEOUT".into(), "TEMPORARY_FAILURE".into()].into(),
            statuses: [503].into(),
        },
        recovery: None,
        on_error: OnError::Stop,
        timeout: None,
    }
}

/// A node of a plan under construction.
#[derive(Clone)]
pub(super) struct Draft {
    id: String,
    node_type: String,
    parameters: Value,
    policy: Policy,
    fallback: Option<Option<String>>,
    body: Option<(Arc<Plan>, u32)>,
    inline: Option<Arc<Plan>>,
    trigger: bool,
    disabled: bool,
    skip_on_fail: bool,
}

pub(super) fn draft(id: &str, node_type: &str) -> Draft {
    Draft {
        id: id.into(),
        node_type: node_type.into(),
        parameters: json("{}"),
        policy: policy(),
        fallback: None,
        body: None,
        inline: None,
        trigger: false,
        disabled: false,
        skip_on_fail: false,
    }
}

impl Draft {
    pub(super) fn given(mut self, parameters: &str) -> Self {
        self.parameters = json(parameters);
        self
    }

    pub(super) fn on_error(mut self, on_error: OnError) -> Self {
        self.policy.on_error = on_error;
        self
    }

    pub(super) fn tries(mut self, tries: u32) -> Self {
        self.policy.retry.tries = tries;
        self
    }

    pub(super) fn timeout(mut self, millis: u64) -> Self {
        self.policy.timeout = Some(Duration::from_millis(millis));
        self
    }

    pub(super) fn recovery(mut self, recovery: Recovery) -> Self {
        self.policy.recovery = Some(recovery);
        self
    }

    pub(super) fn fallback(mut self, node_type: Option<&str>) -> Self {
        self.fallback = Some(node_type.map(str::to_owned));
        self
    }

    pub(super) fn body(mut self, body: Plan, bound: u32) -> Self {
        self.body = Some((Arc::new(body), bound));
        self
    }

    pub(super) fn inline(mut self, plan: Plan) -> Self {
        self.inline = Some(Arc::new(plan));
        self
    }

    pub(super) fn trigger(mut self) -> Self {
        self.trigger = true;
        self
    }

    pub(super) fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    pub(super) fn skip_on_fail(mut self) -> Self {
        self.skip_on_fail = true;
        self
    }
}

struct NoNames;

impl patchbay_expression::Names for NoNames {
    fn node(&self, _: &str) -> Option<NodeRef> {
        None
    }
}

/// An edge by the places of its nodes.
pub(super) type Line = (u32, u32, Port, u16);

pub(super) const fn main(from: u32, to: u32) -> Line {
    (from, to, Port::Main, 0)
}

pub(super) fn plan(drafts: &[Draft], lines: &[Line]) -> Plan {
    // Bodies share the list of the whole workflow; here it is simply all names that tests use.
    let names = [
        "echo", "fail", "flaky", "choose", "up", "slow", "stuck", "later", "count", "big", "none", "meet",
    ];
    let types: Arc<[Box<str>]> = names.iter().map(|name| Box::from(*name)).collect();
    let index = |name: &str| {
        let at = names.iter().position(|known| *known == name);
        TypeIndex(at.unwrap_or_else(|| panic!("{name} is in the list")) as u32)
    };
    let mut edges = Vec::new();
    let mut nodes = Vec::new();
    let mut leaving: Vec<Vec<Line>> = vec![Vec::new(); drafts.len()];
    let mut incoming = vec![0_u32; drafts.len()];
    for line in lines {
        leaving[line.0 as usize].push(*line);
        incoming[line.1 as usize] += 1;
    }
    for (place, draft) in (0_u32..).zip(drafts) {
        let begin = edges.len() as u32;
        for (_, to, port, output) in &leaving[place as usize] {
            edges.push(Edge {
                to: *to,
                port: *port,
                output: *output,
                input: 0,
                condition: None,
            });
        }
        let mut policy = draft.policy.clone();
        if let Some(fallback) = &draft.fallback {
            policy.recovery = Some(Recovery::Fallback(fallback.as_deref().map(index)));
        }
        let work = if let Some((body, bound)) = &draft.body {
            Work::Loop(Box::new(Loop {
                body: Arc::clone(body),
                until: None,
                while_: None,
                bound: *bound,
            }))
        } else if draft.inline.is_some() {
            Work::SubWorkflow(Box::new(SubWorkflow {
                inline: draft.inline.clone(),
            }))
        } else if draft.trigger {
            Work::Trigger
        } else {
            Work::Call(index(&draft.node_type))
        };
        nodes.push(PlanNode {
            id: draft.id.parse().unwrap(),
            name: draft.id.as_str().into(),
            node_type: draft.node_type.as_str().into(),
            work,
            input: Template::compile(draft.parameters.as_ref(), &NoNames).unwrap(),
            edges: begin..edges.len() as u32,
            incoming: incoming[place as usize],
            policy: Arc::new(policy),
            disabled: draft.disabled,
            skip_on_fail: draft.skip_on_fail,
            always_output: false,
        });
    }
    let starts = (0_u32..).zip(&nodes).filter(|(_, node)| node.incoming == 0);
    let starts = starts.map(|(place, _)| place).collect();
    let names = (0_u32..)
        .zip(&nodes)
        .map(|(place, node)| (node.id.as_str().into(), place))
        .collect();
    Plan {
        id: "w".parse().unwrap(),
        name: "w".into(),
        tenant: None,
        about: json("{}"),
        active: true,
        nodes: nodes.into(),
        edges: edges.into(),
        starts,
        triggers: [].into(),
        node_types: types,
        ranges: [].into(),
        variables: json("{}"),
        required_variables: [].into(),
        limits: Limits::default(),
        rate: None,
        save: SavePolicy {
            success: true,
            failure: true,
            contents: true,
        },
        names,
    }
}

/// The nodes that most tests use.
pub(super) fn usual() -> Vec<(&'static str, Nature, Node)> {
    vec![
        ("echo", Nature::Pure, node(|input, _, _| Ok(input.to_value()))),
        (
            "fail",
            Nature::Pure,
            node(|input, _, _| {
                let mut failure = Failure::new(crate::Class::ExecutionError, "no luck");
                if let Some(code) = input.get("code").and_then(|code| code.as_str()) {
                    failure.code = code.to_owned().into();
                }
                Err(failure)
            }),
        ),
        (
            "choose",
            Nature::Pure,
            node(|input, callbacks, _| {
                callbacks.select_output(input.get("output").unwrap().as_i64().unwrap() as u32);
                Ok(input.to_value())
            }),
        ),
        (
            "later",
            Nature::Async,
            node(|input, callbacks, _| {
                if let Some(output) = input.get("output") {
                    callbacks.select_output(output.as_i64().unwrap() as u32);
                }
                Ok(input.to_value())
            }),
        ),
        (
            "none",
            Nature::Pure,
            node(|_, callbacks, _| Ok(callbacks.inputs(0).unwrap())),
        ),
    ]
}

/// A node that fails `failures` times with a code, then succeeds.
pub(super) fn flaky(failures: u32, code: &'static str) -> Node {
    let count = AtomicU32::new(0);
    node(move |_, _, _| {
        let count = count.fetch_add(1, Ordering::SeqCst) + 1;
        if count > failures {
            return Ok(json(&format!(r#"{{"attempts": {count}}}"#)));
        }
        let mut failure = Failure::new(crate::Class::ExecutionError, "flaky");
        failure.code = code.into();
        Err(failure)
    })
}

/// Statuses by node id; `-` for none.
pub(super) fn statuses(finished: &Finished, ids: &[&str]) -> Vec<&'static str> {
    ids.iter()
        .map(|id| finished.status_of(id).map_or("-", Status::as_str))
        .collect()
}

pub(super) fn order(finished: &Finished) -> Vec<String> {
    finished.order().map(|id| id.as_str().to_owned()).collect()
}

/// A gate that tests open.
#[derive(Default)]
pub(super) struct Latch {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Latch {
    pub(super) fn open(&self) {
        *self.open.lock() = true;
        self.changed.notify_all();
    }

    pub(super) fn wait(&self) {
        let mut open = self.open.lock();
        while !*open {
            self.changed.wait(&mut open);
        }
    }
}
