//! A host that keeps dying begins with what was last known to be good, and names the culprit.

use std::fs;

use patchbay_tests_support::{Answer, DEADLINE, Life, Site, Up, deploy, fixture};
use serde_json::{Value as Json, json};

const WELL_AT_ONCE: &str =
    "[rollout]\nstable_after_ms = 1\ntick_ms = 10\n\n[lifecycle]\nstable_for_ms = 50\n";
const NEVER_WELL: &str =
    "[rollout]\nstable_after_ms = 3600000\ntick_ms = 10\n\n[lifecycle]\nstable_for_ms = 50\n";

/// Asks a host until the answer is as wanted.
fn until(site: &Site, life: &Life, path: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    let end = std::time::Instant::now() + DEADLINE;
    loop {
        let answer = life.client().get(path);
        let answer = answer.unwrap_or_else(|| panic!("the host died:\n{}", site.log()));
        if wanted(&answer) {
            return answer;
        }
        assert!(
            std::time::Instant::now() < end,
            "{path} never was as wanted: {answer:#}\n{}",
            site.log()
        );
    }
}

fn boot(site: &Site) -> Life {
    match site.boot(None) {
        Ok(Some(life)) => life,
        other => panic!("{other:?}\n{}", site.log()),
    }
}

fn live(life: &Life, plugin: &str) -> Json {
    life.client().get(&format!("plugins/{plugin}")).unwrap()["live"].clone()
}

fn drop_in(site: &Site, of: &str) {
    deploy(&fixture(of), &site.plugins().join(format!("{of}.so")));
}

/// 1.0.0 and `echo` have served well.
fn well() -> Site {
    let site = Site::new(WELL_AT_ONCE);
    drop_in(&site, "fickle-1-0");
    drop_in(&site, "echo-1-0");
    let life = boot(&site);
    assert_eq!(live(&life, "fickle"), "1.0.0");
    let end = std::time::Instant::now() + DEADLINE;
    while !site.log().contains("host.stable") {
        assert!(std::time::Instant::now() < end, "{}", site.log());
        std::thread::yield_now();
    }
    assert!(life.end().success());
    fs::write(site.path("up.toml"), NEVER_WELL).unwrap();
    site
}

/// A host on which 1.1.0 has gone live, which is remembered.
fn with_1_1(site: &Site) -> Life {
    let life = boot(site);
    drop_in(site, "fickle-1-1");
    until(site, &life, "plugins/fickle", |plugin| plugin["live"] == "1.1.0");
    // It is live before it is on the disk; an order that is answered is there with everything before it.
    let order = json!({ "to": "1.1.0" });
    let answer = life
        .client()
        .send("POST", "plugins/fickle/promote", Some(&order), None);
    assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    life
}

/// Ends a host by a call of 1.1.0, as a bad plugin would.
fn die(life: Life) {
    let input = json!({ "input": { "in": ["1.1.0"], "how": "abort" } });
    let answer = life.client().send("POST", "call/fk.do", Some(&input), None);
    assert_eq!(answer, Answer::Lost);
    assert!(!life.gone().success());
}

#[test]
fn after_three_deaths_in_a_row_the_last_good_set_serves_and_what_came_since_is_out_of_service() {
    let site = well();
    die(with_1_1(&site));
    // Twice it comes back as it was.
    for _ in 0..2 {
        let life = boot(&site);
        assert_eq!(live(&life, "fickle"), "1.1.0");
        assert_eq!(life.client().get("status").unwrap()["mode"], "normal");
        die(life);
    }
    let life = boot(&site);
    assert_eq!(life.client().get("status").unwrap()["mode"], "recovered");
    let plugin = life.client().get("plugins/fickle").unwrap();
    assert_eq!(plugin["live"], "1.0.0");
    let states: Vec<_> = plugin["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|known| {
            (
                known["version"].as_str().unwrap(),
                known["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(states, [("1.0.0", "live"), ("1.1.0", "quarantined")]);
    assert_eq!(
        live(&life, "echo"),
        "1.0.0",
        "who has not changed is not suspected"
    );
    let history = life.client().get("plugins/fickle/history").unwrap();
    let line = history
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .find(|line| line["action"] == "quarantined");
    let line = line.unwrap();
    assert_eq!(line["actor"], "host");
    assert!(
        line["reason"].as_str().unwrap().contains("3 times in a row"),
        "{line}"
    );
    let log = site.log();
    assert!(
        log.contains("host.recovered") && log.contains("fickle 1.1.0"),
        "{log}"
    );
    let input = json!({ "input": { "in": ["1.1.0"], "how": "abort", "value": 7 } });
    match life.client().send("POST", "call/fk.do", Some(&input), None) {
        Answer::Done(reply) => assert_eq!(reply["output"]["result"], 7),
        other => panic!("{other:?}"),
    }
    assert!(life.end().success());
    // From then on it is a host like any other.
    let life = boot(&site);
    assert_eq!(life.client().get("status").unwrap()["mode"], "normal");
    assert_eq!(live(&life, "fickle"), "1.0.0");
}

#[test]
fn a_candidate_that_ends_the_host_is_taken_out_of_service_and_its_rollout_fails() {
    let site = well();
    let policy = "\n[plugin.fickle.policy.canary]\nsteps = [50]\npause = \"promote\"\nbake_ms = 0\nanalysis = \"off\"\n";
    fs::write(site.path("up.toml"), format!("{NEVER_WELL}{policy}")).unwrap();
    let mut life = boot(&site);
    drop_in(&site, "fickle-1-1");
    let is_there = |all: &Json| {
        all.as_array()
            .is_some_and(|all| all.iter().any(|one| one["phase"] == "paused"))
    };
    until(&site, &life, "rollouts", is_there);
    let settled = life.client().send(
        "POST",
        "plugins/fickle/promote",
        Some(&json!({ "to": "1.0.0" })),
        None,
    );
    assert!(matches!(settled, Answer::Done(_)), "{settled:?}");
    for death in 1..=3 {
        // Half of the runs go to the candidate.
        let input = json!({ "input": { "in": ["1.1.0"], "how": "abort" } });
        let lost =
            (0..1_000).any(|_| life.client().send("POST", "call/fk.do", Some(&input), None) == Answer::Lost);
        assert!(lost && !life.gone().success());
        life = boot(&site);
        let mode = if death < 3 { "normal" } else { "recovered" };
        assert_eq!(life.client().get("status").unwrap()["mode"], mode);
    }
    let plugin = life.client().get("plugins/fickle").unwrap();
    assert_eq!(
        (&plugin["live"], &plugin["canary"]),
        (&json!("1.0.0"), &json!(null))
    );
    assert_eq!(plugin["revisions"][1]["state"], "quarantined");
    until(&site, &life, "rollouts/fickle", |rollout| {
        rollout["phase"] == "failed"
    });
    for _ in 0..50 {
        let input = json!({ "input": { "in": ["1.1.0"], "how": "abort" } });
        let answer = life.client().send("POST", "call/fk.do", Some(&input), None);
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    }
}

#[test]
fn two_deaths_or_a_clean_end_between_them_are_no_reason_to_go_back() {
    let site = well();
    die(with_1_1(&site));
    die(boot(&site));
    assert!(boot(&site).end().success());
    die(boot(&site));
    die(boot(&site));
    let life = boot(&site);
    assert_eq!(life.client().get("status").unwrap()["mode"], "normal");
    assert_eq!(live(&life, "fickle"), "1.1.0");
}

#[test]
fn a_file_that_ends_the_host_when_it_is_loaded_is_named_and_left_alone() {
    let site = well();
    drop_in(&site, "lethal");
    for _ in 0..3 {
        assert!(matches!(site.boot(None), Ok(None)), "{}", site.log());
    }
    let life = boot(&site);
    assert_eq!(life.client().get("status").unwrap()["mode"], "recovered");
    assert_eq!(
        (live(&life, "fickle"), live(&life, "echo")),
        (json!("1.0.0"), json!("1.0.0"))
    );
    let log = site.log();
    assert!(log.contains("a new file of lethal"), "{log}");
    let plugins = life.client().get("plugins").unwrap();
    assert!(
        plugins
            .as_array()
            .unwrap()
            .iter()
            .all(|plugin| plugin["name"] != "lethal")
    );
}

#[test]
fn without_a_set_that_was_known_to_be_good_nothing_is_suspected() {
    let site = Site::new(NEVER_WELL);
    drop_in(&site, "fickle-1-1");
    for _ in 0..3 {
        die(boot(&site));
    }
    let life = boot(&site);
    assert_eq!(life.client().get("status").unwrap()["mode"], "recovered");
    assert_eq!(live(&life, "fickle"), "1.1.0");
}

#[test]
fn safe_mode_can_be_ordered_from_the_command_line() {
    let prepare = |plugins: &std::path::Path| {
        deploy(&fixture("echo-1-0"), &plugins.join("echo-1-0.so"));
    };
    let host = Up::start(prepare, &["--safe-mode"]);
    let status = host.run(&["status", "--json"]).json();
    assert_eq!(status["mode"], "safe");
    assert_eq!(host.run(&["plugins", "--json"]).json(), json!([]));
}
