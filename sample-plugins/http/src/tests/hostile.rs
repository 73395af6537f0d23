//! Servers that do not behave, callers that give up, and many at once.

use std::io::Write;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::server::{Answer, Server, head, raw, until_closed};
use super::{harness, number, text};
use crate::attempts::perform;
use crate::order::{Order, Wish};
use crate::request::http_request;
use crate::settings::Settings;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

const GET: &str = r#"{"url": "http://api.example/"}"#;

/// A server that answers each request with these bytes, and closes.
fn saying(answer: &'static [u8]) -> Server {
    raw(move |_, mut stream| {
        head(&mut stream);
        // A client that has enough closes early.
        let _ = stream.get_mut().write_all(answer);
    })
}

#[test]
fn an_answer_that_is_no_whole_one_is_a_passing_failure() {
    for answer in [
        &b""[..],
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nplain",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 9 \r\n\r\n",
    ] {
        let error = harness(&saying(answer)).call::<http_request>(GET).unwrap_err();
        assert_eq!(
            error.code,
            "TEMPORARY_FAILURE",
            "{}: {error}",
            String::from_utf8_lossy(answer)
        );
        assert!(error.message.starts_with("http://api.example "), "{error}");
    }
}

#[test]
fn whole_answers_of_all_forms_are_read() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ] {
        let output = harness(&saying(answer)).call::<http_request>(GET).unwrap();
        assert_eq!(text(&output, "/body"), "hello");
    }
}

#[test]
fn no_more_of_an_answer_is_read_than_the_limit_says() {
    let limited =
        r#"{"url": "http://api.example/", "maxResponseBytes": 1000, "retries": 3, "retryDelay": 0}"#;
    let too_large = |server: &Server| {
        let error = harness(server).call::<http_request>(limited).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.retryable),
            ("LIMIT_EXCEEDED", Some(false))
        );
        assert!(error.message.contains("maxResponseBytes"), "{error}");
    };
    // One that says so is not read at all.
    too_large(&raw(|_, mut stream| {
        head(&mut stream);
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n")
            .unwrap();
        until_closed(&mut stream);
    }));
    // One that never ends is read up to there: the connection is closed, or this server would write for ever.
    let (sender, ended) = channel();
    too_large(&raw(move |_, mut stream| {
        head(&mut stream);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.get_mut().write_all(&[b'x'; 100]).is_ok() {}
        let _ = sender.send(());
    }));
    assert_eq!(ended.recv(), Ok(()));
    let exact = Server::start(|_| Answer::of(200, "text/plain", &"x".repeat(1_000)));
    let output = harness(&exact).call::<http_request>(limited).unwrap();
    assert_eq!(text(&output, "/body").len(), 1_000);
}

#[test]
fn what_is_packed_is_counted_unpacked() {
    // 1,000,000 zeros in 1,003 bytes and less: `head -c 1000000 /dev/zero | gzip -9n`.
    let bomb =
        Server::start(|_| Answer::bytes("text/plain", packed_zeros()).with("content-encoding", "gzip"));
    let request = r#"{"url": "http://api.example/", "maxResponseBytes": 100000}"#;
    let error = harness(&bomb).call::<http_request>(request).unwrap_err();
    assert_eq!(error.code, "LIMIT_EXCEEDED");
}

/// A gzip stream of many stored blocks of zeros, made by hand: its header, blocks that repeat one byte, no check sum
/// since nobody gets that far.
fn packed_zeros() -> Vec<u8> {
    // A block with fixed codes: the literal 0, then copies of 258 bytes from one byte before. Each copy is `11000101` and
    // the distance `00000`, written from the lowest bit on.
    let mut bits: Vec<bool> = vec![true, true, false];
    bits.extend([false, false, true, true, false, false, false, false]);
    for _ in 0..4_000 {
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    bits.extend([false; 7]);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for chunk in bits.chunks(8) {
        let byte = chunk
            .iter()
            .enumerate()
            .fold(0, |byte, (at, bit)| byte | (u8::from(*bit) << at));
        bytes.push(byte);
    }
    bytes
}

#[test]
fn a_header_that_has_no_end_is_no_answer() {
    let server = raw(|_, mut stream| {
        head(&mut stream);
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nx-a: ");
        while stream.get_mut().write_all(&[b'x'; 10_000]).is_ok() {}
    });
    let error = harness(&server).call::<http_request>(GET).unwrap_err();
    assert_eq!(error.code, "TEMPORARY_FAILURE", "{error}");
    let many = raw(|_, mut stream| {
        head(&mut stream);
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.get_mut().write_all(b"x-a: 1\r\n").is_ok() {}
    });
    let error = harness(&many).call::<http_request>(GET).unwrap_err();
    assert_eq!(error.code, "TEMPORARY_FAILURE", "{error}");
}

#[test]
fn an_attempt_ends_with_its_timeout_and_closes_its_connection() {
    let (sender, closed) = channel();
    let server = raw(move |_, mut stream| {
        head(&mut stream);
        // A drop now and then does not count as an answer.
        let _ = stream
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx");
        until_closed(&mut stream);
        let _ = sender.send(());
    });
    let request = r#"{"url": "http://api.example/", "timeout": 30, "retries": 1, "retryDelay": 0}"#;
    let error = harness(&server).call::<http_request>(request).unwrap_err();
    assert_eq!(error.code, "TEMPORARY_FAILURE");
    assert!(
        error.message.contains("within 30 ms") && error.message.contains("after 2 attempts"),
        "{error}"
    );
    assert_eq!((closed.recv(), closed.recv()), (Ok(()), Ok(())));
}

#[test]
fn a_call_ends_with_its_deadline_and_closes_its_connection() {
    let (sender, closed) = channel();
    let server = raw(move |_, mut stream| {
        head(&mut stream);
        until_closed(&mut stream);
        let _ = sender.send(());
    });
    let harness = harness(&server).deadline(Duration::from_millis(30));
    let error = harness.call::<http_request>(GET).unwrap_err();
    assert_eq!(error.code, "TIMEOUT");
    assert_eq!(closed.recv(), Ok(()));
}

#[test]
fn a_call_that_is_given_up_closes_its_connection() {
    let (arrived_sender, arrived) = channel();
    let (closed_sender, closed) = channel();
    let server = raw(move |_, mut stream| {
        let _ = arrived_sender.send(head(&mut stream));
        until_closed(&mut stream);
        let _ = closed_sender.send(());
    });
    let (order, settings) = prepared(&harness(&server));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let work = tokio::spawn(perform(order, settings, None));
        // The server's word comes from another thread, which this one must not wait for: it drives the request.
        while arrived.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        work.abort();
        while closed.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
    });
}

/// What a call makes of [`GET`], kept before it is carried out.
fn prepared(harness: &Harness) -> (Order, Settings) {
    static KEPT: std::sync::Mutex<Option<(Order, Settings)>> = std::sync::Mutex::new(None);

    /// Keeps what it was asked to do.
    #[node(id = "test.keep")]
    async fn keep(ctx: Ctx<'_>) -> NodeResult<bool> {
        let settings = Settings::read(ctx).await?;
        let wish = Wish {
            url: Some("http://api.example/"),
            ..Wish::default()
        };
        let order = Order::of(&wish, reqwest::Method::GET, &settings, ctx)?;
        *KEPT.lock().unwrap() = Some((order, settings));
        Ok(true)
    }

    harness.call::<keep>("{}").unwrap();
    KEPT.lock().unwrap().take().unwrap()
}

#[test]
fn a_hundred_calls_wait_at_the_same_time() {
    const CALLS: usize = 100;
    let all = Arc::new(Barrier::new(CALLS));
    let server = raw(move |_, mut stream| {
        head(&mut stream);
        // Nobody is answered before everybody has asked.
        all.wait();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        stream.get_mut().write_all(answer).unwrap();
    });
    let harness = harness(&server);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| scope.spawn(|| harness.call::<http_request>(GET)))
            .collect();
        for call in calls {
            assert_eq!(number(&call.join().unwrap().unwrap(), "/statusCode"), 200);
        }
    });
}

#[test]
fn a_cancelled_call_makes_no_request() {
    let server = Server::start(|_| Answer::bare(200));
    let error = harness(&server)
        .cancelled()
        .call::<http_request>(GET)
        .unwrap_err();
    assert_eq!(error.code, "CANCELLED");
    assert!(server.seen().is_empty());
}
