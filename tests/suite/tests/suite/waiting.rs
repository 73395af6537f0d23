//! A plugin that waits for sockets and disks on threads of its own is unmapped like any other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use patchbay_tests_support::patchbay::Call;
use patchbay_tests_support::{TestHost, fds, mappings, threads};
use serde_json::json;

/// Answers each connection with what it said; one that said `hold` is held until the other side goes away, which is
/// told.
fn echo() -> (SocketAddr, Receiver<&'static str>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut said = String::new();
            let _ = stream.read_to_string(&mut said);
            if said != "hold" {
                let _ = stream.write_all(said.as_bytes());
                continue;
            }
            let _ = tell.send("held");
            // The other side has closed when what is written to it is refused.
            while stream.write_all(b"still there").is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = tell.send("gone");
        }
    });
    (address, told)
}

/// Calls all nodes from several threads of the host.
fn use_it(host: &TestHost, address: SocketAddr) {
    let file = host.scratch("file");
    std::fs::write(&file, "content").unwrap();
    std::thread::scope(|scope| {
        for line in ["a", "b", "c"] {
            let file = &file;
            scope.spawn(move || {
                for _ in 0..5 {
                    let said = host.call("waits.talk", json!({"address": address, "line": line}));
                    assert_eq!(said, json!(line));
                    let read = host.call("waits.read", json!({"path": file}));
                    assert_eq!(read, json!("content"));
                }
            });
        }
    });
}

#[test]
fn a_plugin_that_waits_on_threads_of_its_own_leaves_nothing_behind() {
    let host = TestHost::holding(&["waits-1-0"], |config| config.history_limit = 0);
    let (address, _told) = echo();
    // An order that is answered says that what came before it is on the disk: no artifact is open for that any more.
    host.promote("waits", "1.0.0").unwrap();
    let before = (fds(), threads());
    use_it(&host, address);
    assert!(
        threads().len() > before.1.len(),
        "the work ran on threads of the plugin's own"
    );
    for round in 0..4 {
        let (fixture, old, new) = match round % 2 {
            0 => ("waits-1-1", "1.0.0", "1.1.0"),
            _ => ("waits-1-0", "1.1.0", "1.0.0"),
        };
        let from = host.tape().position();
        if round == 0 {
            host.drop_in(fixture);
        } else {
            host.promote("waits", new).unwrap();
        }
        host.wait_after(from, "the old version to be retired", |event| {
            event.kind == "revision.retired"
                && event
                    .version
                    .as_ref()
                    .is_some_and(|version| version.to_string() == old)
        });
        let left: Vec<_> = mappings(&host.maps())
            .into_iter()
            .filter(|line| line.contains(&format!("waits-{old}")))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        host.until("descriptors and threads to be as before", || {
            (fds(), threads()) == before
        });
        use_it(&host, address);
    }
}

#[test]
fn a_call_that_is_out_of_time_closes_its_connection() {
    let host = TestHost::holding(&["waits-1-0"], |_| {});
    let (address, told) = echo();
    let mut call = Call::of("default".parse().unwrap());
    call.timeout = Some(Duration::from_millis(100));
    let input = json!({"address": address, "line": "hold"});
    let error = host.host().call_as("waits.talk", &input, &call).unwrap_err();
    assert!(error.to_string().contains("did not answer within"), "{error}");
    assert_eq!(told.recv(), Ok("held"));
    assert_eq!(told.recv(), Ok("gone"));
    use_it(&host, address);
}
