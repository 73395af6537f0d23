//! What documents reach over the network, on loopback: an HTTP server that answers everything, and one that takes mail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest body that is read.
const LONGEST: usize = 16 << 20;

/// Both servers; their threads end with the program.
pub(super) struct Servers {
    pub(super) http: SocketAddr,
    pub(super) smtp: SocketAddr,
    pub(super) requests: Arc<AtomicU64>,
    pub(super) mails: Arc<AtomicU64>,
}

impl Servers {
    pub(super) fn start() -> Result<Self> {
        let (requests, mails) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (counted, taken) = (Arc::clone(&requests), Arc::clone(&mails));
        Ok(Self {
            http: serve("http", move |stream| answer(stream, &counted))?,
            smtp: serve("smtp", move |stream| take_mail(stream, &taken))?,
            requests,
            mails,
        })
    }
}

fn serve(name: &str, each: impl Fn(&TcpStream) -> Result<()> + Send + Sync + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let each = Arc::new(each);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            let each = Arc::clone(&each);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                // A client that goes away in the middle is its own affair.
                drop(each(&stream));
            });
        }
    })?;
    Ok(address)
}

/// Answers requests of one connection with JSON: what was asked, and some rows.
fn answer(stream: &TcpStream, requests: &AtomicU64) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let (mut length, mut chunked) = (0_usize, false);
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or_default();
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse()?,
                "transfer-encoding" => chunked = value.to_lowercase().contains("chunked"),
                _ => {}
            }
        }
        let body = match chunked {
            true => read_chunks(&mut reader)?,
            false => {
                let mut body = vec![0; length.min(LONGEST)];
                reader.read_exact(&mut body)?;
                body
            }
        };
        requests.fetch_add(1, Ordering::Relaxed);
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
        let answer = said(method, target, &String::from_utf8_lossy(&body)).to_string();
        let mut stream = stream;
        let body = if method == "HEAD" { "" } else { &answer };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            answer.len()
        )?;
    }
}

fn read_chunks(reader: &mut BufReader<&TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim().split(';').next().unwrap_or("0"), 16)?;
        let mut chunk = vec![0; size.min(LONGEST) + 2];
        reader.read_exact(&mut chunk)?;
        chunk.truncate(size);
        if size == 0 || body.len() + size > LONGEST {
            return Ok(body);
        }
        body.extend(chunk);
    }
}

fn said(method: &str, target: &str, body: &str) -> serde_json::Value {
    if target.ends_with("/chat/completions") {
        return json!({
            "id": "chat-1", "object": "chat.completion", "created": 1_768_471_200, "model": "a-model",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "All is done; nothing is left to do."}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19},
        });
    }
    let sent = serde_json::from_str::<serde_json::Value>(body).unwrap_or_else(|_| json!(body));
    json!({
        "ok": true, "success": true, "status": "ok", "id": "r-1", "method": method, "path": target, "received": sent,
        "digest": "sha256:0", "score": 0, "approved": true, "total": 1,
        "data": [{"id": "r-1", "name": "a row", "createdAt": "2026-01-15T10:00:00.000Z"}],
    })
}

/// Takes the mail of one connection, and keeps none.
fn take_mail(stream: &TcpStream, mails: &AtomicU64) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    write!(out, "220 loopback\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.to_uppercase();
        if command.starts_with("EHLO") {
            write!(
                out,
                "250-loopback\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN\r\n"
            )?;
        } else if command.starts_with("DATA") {
            write!(out, "354 go on\r\n")?;
            loop {
                line.clear();
                if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
                    break;
                }
            }
            mails.fetch_add(1, Ordering::Relaxed);
            write!(out, "250 taken\r\n")?;
        } else if command.starts_with("AUTH") {
            write!(out, "235 welcome\r\n")?;
        } else if command.starts_with("QUIT") {
            write!(out, "221 bye\r\n")?;
            return Ok(());
        } else {
            write!(out, "250 ok\r\n")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn every_request_is_answered_and_every_mail_taken() {
        let servers = Servers::start().unwrap();
        let chunked = "POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n";
        let sized = "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
        let answers = exchange(servers.http, &format!("{chunked}{sized}"));
        assert!(answers.contains(r#""received":{"a":1}"#), "{answers}");
        assert!(answers.contains(r#""role":"assistant""#), "{answers}");
        assert_eq!(servers.requests.load(Ordering::Relaxed), 2);
        let mail = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n";
        assert!(exchange(servers.smtp, mail).ends_with("221 bye\r\n"));
        assert_eq!(servers.mails.load(Ordering::Relaxed), 1);
    }
}
