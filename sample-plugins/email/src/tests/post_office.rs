//! An SMTP server: the states and the language of `mailin`, on a socket, with and without TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A message that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) content: Vec<u8>,
    /// Who logged in to send it.
    pub(super) user: Option<String>,
    pub(super) secure: bool,
}

impl Letter {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.content.clone()).unwrap()
    }
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Plain,
    StartTls,
    Wrapped,
}

/// What a server is like.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) door: Door,
    /// The ways of logging in, which is then needed: as `user`, with `secret`.
    pub(super) auth: Vec<AuthMechanism>,
    /// The name in its certificate.
    pub(super) name: &'static str,
    pub(super) pipelining: bool,
    /// What it says to a sender, a recipient, and a message.
    pub(super) on_mail: fn(&str) -> Response,
    pub(super) on_rcpt: fn(&str) -> Response,
    pub(super) on_data: fn() -> Response,
    pub(super) on_end: fn() -> Response,
    pub(super) on_password: fn(&str) -> Response,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            door: Door::Plain,
            auth: Vec::new(),
            name: "localhost",
            pipelining: false,
            on_mail: |_| mailin::response::OK,
            on_rcpt: |_| mailin::response::OK,
            on_data: || mailin::response::OK,
            on_end: || mailin::response::OK,
            on_password: |password| {
                if password == "secret" {
                    mailin::response::AUTH_OK
                } else {
                    mailin::response::INVALID_CREDENTIALS
                }
            },
        }
    }
}

/// A server that runs for as long as the test does.
pub(super) struct PostOffice {
    pub(super) port: u16,
    /// The certificate of the authority that its own is from, as PEM.
    pub(super) authority: String,
    letters: Arc<Mutex<Vec<Letter>>>,
}

impl PostOffice {
    pub(super) fn open(rules: Rules) -> Self {
        let (authority, tls) = certificates(rules.name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let clerk = Clerk {
            rules,
            letters: Arc::clone(&letters),
            letter: Letter::default(),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (clerk, tls) = (clerk.clone(), Arc::clone(&tls));
                // A client that hangs up is no failure of the test.
                thread::spawn(move || serve(stream.unwrap(), clerk, &tls).is_ok());
            }
        });
        Self {
            port,
            authority,
            letters,
        }
    }

    pub(super) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    /// The one letter that arrived.
    pub(super) fn letter(&self) -> Letter {
        let mut letters = self.letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }
}

/// An authority that nobody knows, and a server's certificate from it.
fn certificates(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (authority.pem(), Arc::new(config))
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

fn secured(stream: TcpStream, tls: &Arc<ServerConfig>) -> Box<dyn Stream> {
    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
    Box::new(StreamOwned::new(connection, stream))
}

fn serve(stream: TcpStream, mut clerk: Clerk, tls: &Arc<ServerConfig>) -> io::Result<()> {
    let mut builder = SessionBuilder::new("test");
    let rules = clerk.rules.clone();
    if rules.door == Door::StartTls {
        builder.enable_start_tls();
    }
    if rules.door == Door::Plain {
        builder.insecure_enable_plaintext_auth();
    }
    for mechanism in &rules.auth {
        builder.enable_auth(mechanism.clone());
    }
    let plain = stream.try_clone()?;
    clerk.letter.secure = rules.door == Door::Wrapped;
    let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(match rules.door {
        Door::Wrapped => secured(stream, tls),
        Door::Plain | Door::StartTls => Box::new(stream),
    });
    let mut session: Session<Clerk> = builder.build(IpAddr::from([127, 0, 0, 1]), clerk);
    if rules.door == Door::Wrapped {
        session.tls_active();
    }
    write(&mut stream, &session.greeting(), false)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply = session.process(&line);
        match reply.action {
            Action::NoReply => continue,
            Action::Reply | Action::Close | Action::UpgradeTls => {
                write(&mut stream, &reply, rules.pipelining)?;
            }
        }
        match reply.action {
            Action::Close => return Ok(()),
            Action::UpgradeTls => {
                assert!(stream.buffer().is_empty(), "the client spoke before TLS began");
                stream = BufReader::new(secured(plain.try_clone()?, tls));
                session.tls_active();
            }
            Action::NoReply | Action::Reply => {}
        }
    }
}

fn write(stream: &mut BufReader<Box<dyn Stream>>, reply: &Response, pipelining: bool) -> io::Result<()> {
    let mut bytes = Vec::new();
    reply.write_to(&mut bytes)?;
    if pipelining && bytes.starts_with(b"250-server offers") {
        bytes.splice(..0, b"250-test\r\n250-PIPELINING\r\n".iter().copied());
    }
    let stream = stream.get_mut();
    stream.write_all(&bytes)?;
    stream.flush()
}

#[derive(Clone)]
struct Clerk {
    rules: Rules,
    letters: Arc<Mutex<Vec<Letter>>>,
    letter: Letter,
}

impl Handler for Clerk {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.letter.to.clear();
        self.letter.content.clear();
        from.clone_into(&mut self.letter.from);
        (self.rules.on_mail)(from)
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let reply = (self.rules.on_rcpt)(to);
        if !reply.is_error {
            self.letter.to.push(to.to_owned());
        }
        reply
    }

    fn data_start(&mut self, _: &str, _: &str, _: bool, _: &[String]) -> Response {
        (self.rules.on_data)()
    }

    fn data(&mut self, buf: &[u8]) -> io::Result<()> {
        self.letter.content.extend_from_slice(buf);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let reply = (self.rules.on_end)();
        if !reply.is_error {
            self.letters.lock().unwrap().push(self.letter.clone());
        }
        reply
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.letter.secure = self.rules.door != Door::Plain;
        self.letter.user = Some(user.to_owned());
        (self.rules.on_password)(password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.auth_plain("", user, password)
    }
}
