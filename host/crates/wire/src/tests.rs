use patchbay_vocab::{Code, Digest, RevisionNumber, RevisionState, UnixMillis};
use serde_json::json;

use super::*;

#[test]
fn an_empty_call_has_an_empty_object_as_input() {
    let call: CallRequest = serde_json::from_str("{}").unwrap();
    assert_eq!(call, CallRequest::of(json!({})));
}

#[test]
fn a_request_with_an_unknown_field_is_refused() {
    let call = serde_json::from_value::<CallRequest>(json!({"input": {}, "timeout": 1})).unwrap_err();
    assert!(call.to_string().contains("unknown field `timeout`"), "{call}");
    let change = serde_json::from_value::<ChangeRequest>(json!({"version": "1.0.0"})).unwrap_err();
    assert!(change.to_string().contains("unknown field `version`"), "{change}");
}

#[test]
fn a_request_with_a_bad_tenant_is_refused() {
    assert!(serde_json::from_value::<CallRequest>(json!({"tenant": "../etc"})).is_err());
}

#[test]
fn a_plugin_view_keeps_its_names_and_shows_what_is_missing_as_null() {
    let digest = Digest::of(b"artifact");
    let view = PluginView {
        name: "string".parse().unwrap(),
        description: "texts".into(),
        author: "core".into(),
        live: None,
        live_revision: None,
        desired: None,
        canary: Some(ShareView {
            to: RevisionRef {
                revision: RevisionNumber(1),
                version: "1.2.0-rc.1".parse().unwrap(),
            },
            weight: 2.5,
        }),
        generation: None,
        revisions: vec![RevisionView {
            revision: RevisionNumber(1),
            version: "1.2.0-rc.1".parse().unwrap(),
            digest,
            state: RevisionState::Draining,
            asleep: false,
            calls_in_flight: 2,
            calls_total: 9,
            pinned_by: vec!["2 running call(s)".into()],
            memory_bytes: None,
            threads: 0,
            origin: "/plugins/libstring.so".into(),
            signed_by: Some(SignerView {
                team: Some("core".parse().unwrap()),
                key: "E7620F1842B4E81F".parse().unwrap(),
                signed_at: None,
            }),
            admitted_at: UnixMillis(5),
            blocked_by: Some(ProblemView::new(Code("PB-X-001"), "no", "do so")),
        }],
        nodes: vec!["string.upper".parse().unwrap()],
        dependencies: vec![DependencyView {
            plugin: "list".parse().unwrap(),
            range: "^1".parse().unwrap(),
        }],
    };
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(
        json,
        json!({
            "name": "string", "description": "texts", "author": "core",
            "live": null, "liveRevision": null, "generation": null, "desired": null,
            "canary": {"to": {"revision": 1, "version": "1.2.0-rc.1"}, "weight": 2.5},
            "revisions": [{
                "revision": 1, "version": "1.2.0-rc.1", "digest": digest.to_string(), "state": "draining",
                "asleep": false,
                "callsInFlight": 2, "callsTotal": 9, "pinnedBy": ["2 running call(s)"], "memoryBytes": null,
                "threads": 0, "origin": "/plugins/libstring.so", "admittedAt": 5,
                "signedBy": {"team": "core", "key": "E7620F1842B4E81F", "signedAt": null},
                "blockedBy": {"code": "PB-X-001", "message": "no", "hint": "do so", "requestId": null},
            }],
            "nodes": ["string.upper"],
            "dependencies": [{"plugin": "list", "range": "^1"}],
        })
    );
    assert_eq!(serde_json::from_value::<PluginView>(json).unwrap(), view);
}

#[test]
fn the_unload_mode_is_spelled_with_a_dash() {
    assert_eq!(
        serde_json::to_value(UnloadMode::KeepMapped).unwrap(),
        json!("keep-mapped")
    );
    assert_eq!(serde_json::to_value(UnloadMode::Unmap).unwrap(), json!("unmap"));
}

#[test]
fn a_cache_nobody_asked_has_no_hit_rate() {
    let view = CachesView {
        caches: vec![
            CacheView::new("plans", 0, 0, 0),
            CacheView::new("results", 2, 3, 1).evicting(4).of_bytes(99),
        ],
        instances: InstancesView::default(),
        plugins: MappedPluginsView::default(),
    };
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(
        json["caches"],
        json!([
            {"name": "plans", "entries": 0, "bytes": null, "hits": 0, "misses": 0, "evictions": 0, "hitRate": null},
            {"name": "results", "entries": 2, "bytes": 99, "hits": 3, "misses": 1, "evictions": 4, "hitRate": 0.75},
        ])
    );
    assert_eq!(json["plugins"]["lastWakeMicros"], serde_json::Value::Null);
    assert_eq!(serde_json::from_value::<CachesView>(json).unwrap(), view);
}

#[test]
fn a_policy_is_cleared_by_null_and_by_nothing_else() {
    let cleared: PolicyRequest = serde_json::from_value(json!({"policy": null})).unwrap();
    assert_eq!(cleared.policy, None);
    let set: PolicyRequest = serde_json::from_value(json!({"policy": "manual", "reason": "why"})).unwrap();
    assert_eq!(set.policy, Some(json!("manual")));
    let error = serde_json::from_str::<PolicyRequest>("{}").unwrap_err();
    assert!(error.to_string().contains("missing field `policy`"), "{error}");
}
