//! A server that says what a test has it say, and hears what it hears.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// One end of a conversation.
pub(super) struct Line {
    reader: BufReader<TcpStream>,
}

impl Line {
    /// Says something, each line ended.
    pub(super) fn say(&mut self, text: &str) {
        let text = text.replace('\n', "\r\n");
        self.send(format!("{text}\r\n").as_bytes());
    }

    /// Sends bytes as they are. A client that hung up is told nothing.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let _ = self.reader.get_mut().write_all(bytes);
    }

    /// The next line; empty when there is none.
    pub(super) fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.reader.read_line(&mut line);
        line.trim_end().to_owned()
    }

    /// Hears a line that begins so, and answers it.
    pub(super) fn expect(&mut self, start: &str, answer: &str) {
        let line = self.hear();
        assert!(line.starts_with(start), "heard {line:?}, not {start:?}");
        self.say(answer);
    }

    /// Everything up to the line with a dot.
    pub(super) fn hear_message(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.hear();
            if line == "." || line.is_empty() && self.has_ended() {
                return lines;
            }
            lines.push(line);
        }
    }

    fn has_ended(&mut self) -> bool {
        self.reader.fill_buf().map_or(true, <[u8]>::is_empty)
    }

    /// Says nothing more until the client has hung up.
    pub(super) fn hang(&mut self) {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
    }

    /// Greets, and goes along up to the recipient.
    pub(super) fn up_to_data(&mut self) {
        self.say("220 test");
        self.expect("EHLO", "250 test");
        self.expect("MAIL", "250 ok");
        self.expect("RCPT", "250 ok");
    }
}

/// A server for one conversation, which ends with `script`.
pub(super) fn server<T: Send + 'static>(
    script: impl FnOnce(&mut Line) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        script(&mut Line {
            reader: BufReader::new(stream),
        })
    });
    (port, thread)
}
