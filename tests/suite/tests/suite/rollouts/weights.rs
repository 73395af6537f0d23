//! Who is taken along by a share, and how many.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_tests_support::patchbay::{Call, Output, PromoteHow, RunOrder, Value, Variables};
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

use super::{by_ada, canary, ran_on, rollout, run, start, two, version_for, workflow};

fn next_step(host: &TestHost) {
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::NextStep, by_ada())
        .unwrap();
}

#[test]
fn direct_calls_of_many_runs_are_shared_out_within_a_percent_and_a_run_stays_where_it_is() {
    const RUNS: usize = 20_000;
    let host = two();
    let node = host.host().resolve("fk.version").unwrap();
    let input = Value::from_json("{}").unwrap();
    let mut out = Output::with_limit(1 << 16);
    let mut call = Call::of("acme".parse().unwrap());
    let mut answers = |node: &patchbay_tests_support::patchbay::Node| -> Vec<bool> {
        let of = |run: usize| {
            call.run = format!("run-{run}");
            let (value, _) = node.call(input.as_ref(), &call, &mut out).unwrap();
            value.get("result").unwrap().as_str() == Some("1.1.0")
        };
        (0..RUNS).map(of).collect()
    };
    start(&host, &canary(json!({ "steps": [5, 25, 50] })));
    let mut before = vec![false; RUNS];
    for percent in [5, 25, 50] {
        let taken = answers(&node);
        let share = taken.iter().filter(|is_taken| **is_taken).count() as f64 / RUNS as f64 * 100.0;
        assert!(
            (share - f64::from(percent)).abs() < 1.0,
            "{share} % at {percent} %"
        );
        assert!(
            before.iter().zip(&taken).all(|(was, is)| !was || *is),
            "somebody was left behind at {percent} %"
        );
        assert_eq!(answers(&node), taken, "a run moved at {percent} %");
        before = taken;
        next_step(&host);
    }
    assert_eq!(host.live("fickle"), "1.1.0");
    assert!(answers(&node).iter().all(|is_taken| *is_taken));
}

#[test]
fn a_tenant_has_one_version_for_all_its_calls_and_runs_and_keeps_it_when_the_share_grows() {
    let host = two();
    start(&host, &canary(json!({ "steps": [20, 60], "sticky": "tenant" })));
    let tenants: Vec<String> = (0..200).map(|number| format!("tenant-{number}")).collect();
    let all = || -> BTreeMap<&str, String> {
        let of = |tenant: &String| version_for(&host, tenant);
        tenants
            .iter()
            .map(|tenant| (tenant.as_str(), of(tenant)))
            .collect()
    };
    let mut taken_before = Vec::new();
    for _ in 0..2 {
        let first = all();
        assert_eq!(all(), first);
        let taken: Vec<_> = first
            .iter()
            .filter(|(_, version)| *version == "1.1.0")
            .map(|(tenant, _)| *tenant)
            .collect();
        assert!(
            !taken.is_empty() && taken.len() < tenants.len(),
            "{}",
            taken.len()
        );
        assert!(taken_before.iter().all(|tenant| taken.contains(tenant)));
        let document = workflow("w", &[("fk.version", json!({})), ("fk.version", json!({}))]);
        for tenant in &tenants[..20] {
            let mut order = RunOrder::of(document.to_string());
            order.tenant = Some(tenant.parse().unwrap());
            let run = serde_json::to_value(host.host().run_workflow(order).unwrap()).unwrap();
            for node in ["n0", "n1"] {
                assert_eq!(ran_on(&run, node), first[tenant.as_str()], "{tenant} {run:#}");
            }
        }
        taken_before = taken;
        next_step(&host);
    }
    assert!(all().values().all(|version| version == "1.1.0"));
}

#[test]
fn a_value_of_a_variable_has_one_version_whoever_calls_and_keeps_it_when_the_share_grows() {
    let host = two();
    let node = host.host().resolve("fk.customer").unwrap();
    let input = Value::from_json("{}").unwrap();
    let of = |tenant: &str, customer: &str| {
        let mut call = Call::of(tenant.parse().unwrap());
        let variables = json!({ "customer": customer }).to_string();
        let variables = Variables::from_value(Value::from_json(&variables).unwrap().as_ref()).unwrap();
        call.variables = Arc::new(variables);
        let mut out = Output::with_limit(1 << 16);
        let (value, _) = node.call(input.as_ref(), &call, &mut out).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&value.to_json()).unwrap();
        assert_eq!(answer["result"][0], customer);
        answer["result"][1] == "1.1.0"
    };
    let policy = json!({ "steps": [30, 70], "sticky": "variable:customer" });
    start(&host, &canary(policy));
    let customers: Vec<String> = (0..100).map(|number| format!("customer {number}")).collect();
    let mut before = vec![false; customers.len()];
    for _ in 0..2 {
        let taken: Vec<bool> = customers.iter().map(|customer| of("acme", customer)).collect();
        let elsewhere: Vec<bool> = customers.iter().map(|customer| of("other", customer)).collect();
        assert_eq!(taken, elsewhere);
        assert!(taken.contains(&true) && taken.contains(&false));
        assert!(before.iter().zip(&taken).all(|(was, is)| !was || *is));
        before = taken;
        next_step(&host);
    }
}

#[test]
fn runs_of_workflows_are_dealt_out_exactly_and_each_sees_one_version() {
    let host = two();
    start(&host, &canary(json!({ "steps": [25] })));
    let document = workflow("w", &[("fk.version", json!({})), ("fk.do", json!({}))]);
    let mut taken = 0;
    for _ in 0..200 {
        let run = run(&host, &document);
        assert_eq!(ran_on(&run, "n0"), ran_on(&run, "n1"), "{run:#}");
        taken += usize::from(ran_on(&run, "n0") == "1.1.0");
    }
    assert!((49..=51).contains(&taken), "{taken} of 200 at 25 %");
    assert_eq!(rollout(&host).weight, 25.0);
}
