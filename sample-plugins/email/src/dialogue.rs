//! Handing a message to a server.
//!
//! Invariant: until its [`Progress`] says `Ended`, the server has not taken the message, whatever became of the
//! connection.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lettre::Address;
use rustls::ClientConfig;

use crate::extensions::Extensions;
use crate::progress::{Progress, Step};
use crate::reply::Reply;
use crate::server::{Login, Mechanism, Security, Server};
use crate::stuffing::stuffed;
use crate::wire::{Lost, Wire};

/// Recipients that are told of at once to a server that takes commands in advance: few enough that neither side waits for
/// the other to read.
const AT_ONCE: usize = 50;
/// Bytes of a message that are written at once.
const CHUNK: usize = 64 << 10;

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The connection is of no use.
    Lost(Lost),
    /// The server said no.
    Refused(Reply),
    /// The server said no to everybody, or to somebody who has to get it.
    Recipients(Vec<Refusal>),
    /// The server cannot do what is needed.
    Unfit(String),
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// A recipient that the server does not take.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) address: String,
    pub(crate) reply: Reply,
}

/// Whether a message goes out when somebody does not get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partly {
    /// It goes to the others.
    Allowed,
    /// It goes to nobody.
    Refused,
}

/// A message and its way.
pub(crate) struct Envelope {
    pub(crate) from: Address,
    pub(crate) to: Vec<Address>,
    pub(crate) partly: Partly,
    pub(crate) message: Vec<u8>,
}

/// What became of a message that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) accepted: Vec<String>,
    pub(crate) rejected: Vec<Refusal>,
    pub(crate) reply: Reply,
}

/// Sends a message. The connection says goodbye by itself, after this.
pub(crate) async fn send(
    server: &Server,
    tls: Arc<ClientConfig>,
    envelope: Envelope,
    progress: &Progress,
) -> Result<Sent, Trouble> {
    let mut dialogue = Dialogue::open(server, tls, progress).await?;
    if let Some(login) = &server.login {
        progress.reach(Step::LoggingIn);
        dialogue.log_in(login, server.security).await?;
    }
    let Envelope {
        from,
        to,
        partly,
        message,
    } = envelope;
    let mail = dialogue.mail(&from, &to, &message)?;
    progress.reach(Step::Sender);
    let rejected = dialogue.recipients(&mail, &to, progress).await?;
    if rejected.len() == to.len() || (partly == Partly::Refused && !rejected.is_empty()) {
        dialogue.leave();
        return Err(Trouble::Recipients(rejected));
    }
    progress.reach(Step::Content);
    dialogue.ask("DATA", Wanted::More).await?;
    let reply = dialogue.content(&message, progress).await?;
    dialogue.leave();
    let is_rejected = |address: &str| rejected.iter().any(|refusal| refusal.address == address);
    let accepted = to.iter().map(ToString::to_string);
    Ok(Sent {
        accepted: accepted.filter(|address| !is_rejected(address)).collect(),
        rejected,
        reply,
    })
}

struct Dialogue {
    wire: Wire,
    extensions: Extensions,
}

impl Dialogue {
    /// Connects, greets, and begins TLS if the server is one for that.
    async fn open(server: &Server, tls: Arc<ClientConfig>, progress: &Progress) -> Result<Self, Trouble> {
        let mut wire = Wire::connect(&server.host, server.port).await?;
        if server.security == Security::Wrapped {
            progress.reach(Step::Securing);
            wire = wire.secured(&server.host, Arc::clone(&tls)).await?;
        }
        progress.reach(Step::Greeting);
        let mut dialogue = Self {
            wire,
            extensions: Extensions::default(),
        };
        wanted(Reply::read(&mut dialogue.wire).await?, Wanted::Done)?;
        dialogue.greet(server).await?;
        let wanted = matches!(server.security, Security::Required | Security::Opportunistic);
        if wanted && dialogue.extensions.start_tls {
            progress.reach(Step::Securing);
            dialogue.ask("STARTTLS", Wanted::Done).await?;
            dialogue.wire = dialogue.wire.secured(&server.host, tls).await?;
            // What was said before does not count.
            dialogue.extensions = Extensions::default();
            dialogue.greet(server).await?;
        } else if server.security == Security::Required {
            return Err(Trouble::Unfit(
                "it offers no TLS (`STARTTLS`), and its URL does not say `tls=none` or `tls=opportunistic`"
                    .into(),
            ));
        }
        Ok(dialogue)
    }

    async fn greet(&mut self, server: &Server) -> Result<(), Trouble> {
        match self.ask(&format!("EHLO {}", server.hello), Wanted::Done).await {
            Ok(reply) => {
                self.extensions = Extensions::read(&reply);
                Ok(())
            }
            // A server that knows no extensions can do without TLS and log-in alone.
            Err(Trouble::Refused(reply)) if matches!(reply.code, 500 | 502) => self
                .ask(&format!("HELO {}", server.hello), Wanted::Done)
                .await
                .map(drop),
            Err(error) => Err(error),
        }
    }

    async fn log_in(&mut self, login: &Login, security: Security) -> Result<(), Trouble> {
        if !self.wire.is_secure() && security != Security::None {
            return Err(Trouble::Unfit(
                "it offers no TLS, and a password is not sent without unless its URL says `tls=none`".into(),
            ));
        }
        let offered = &self.extensions.mechanisms;
        let known = |mechanism: &Mechanism| {
            offered
                .iter()
                .any(|name| name.eq_ignore_ascii_case(mechanism.name()))
        };
        let mechanism = match login.mechanism {
            Some(mechanism) => Some(mechanism).filter(known),
            None => [Mechanism::Plain, Mechanism::Login].into_iter().find(known),
        };
        let Some(mechanism) = mechanism else {
            return Err(Trouble::Unfit(
                "it offers no way of logging in that is known here".into(),
            ));
        };
        let encoded = |text: &str| BASE64_STANDARD.encode(text);
        let (user, password) = (&login.user, &login.password);
        match mechanism {
            Mechanism::Plain => {
                let word = encoded(&format!("\0{user}\0{password}"));
                self.ask(&format!("AUTH PLAIN {word}"), Wanted::Done).await?;
            }
            Mechanism::Login => {
                self.ask("AUTH LOGIN", Wanted::More).await?;
                self.ask(&encoded(user), Wanted::More).await?;
                self.ask(&encoded(password), Wanted::Done).await?;
            }
            Mechanism::XOauth2 => {
                let word = encoded(&format!("user={user}\x01auth=Bearer {password}\x01\x01"));
                let reply = self.ask(&format!("AUTH XOAUTH2 {word}"), Wanted::Either).await?;
                // The reason of a refusal comes as a question, which is answered by nothing.
                if Wanted::More.is(reply.code) {
                    self.ask("", Wanted::Done).await?;
                }
            }
        }
        Ok(())
    }

    /// The command that names the sender, if the server can take such a message.
    fn mail(&self, from: &Address, to: &[Address], message: &[u8]) -> Result<String, Trouble> {
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let international = !message.is_ascii() || !is_ascii(from) || !to.iter().all(is_ascii);
        let mut mail = format!("MAIL FROM:<{from}>");
        if let Some(most) = self.extensions.size {
            if most > 0 && message.len() as u64 > most {
                let size = message.len();
                return Err(Trouble::Unfit(format!(
                    "it takes messages of at most {most} bytes, and this one has {size}"
                )));
            }
            mail.push_str(&format!(" SIZE={}", message.len()));
        }
        if international {
            if !self.extensions.utf8 {
                return Err(Trouble::Unfit(
                    "it does not take addresses with letters beyond ASCII (`SMTPUTF8`)".into(),
                ));
            }
            mail.push_str(" BODY=8BITMIME SMTPUTF8");
        }
        Ok(mail)
    }

    /// Names the sender and everybody; gives those who were refused.
    async fn recipients(
        &mut self,
        mail: &str,
        to: &[Address],
        progress: &Progress,
    ) -> Result<Vec<Refusal>, Trouble> {
        let at_once = if self.extensions.pipelining { AT_ONCE } else { 1 };
        let mut rejected = Vec::new();
        if !self.extensions.pipelining {
            self.ask(mail, Wanted::Done).await?;
        }
        for (index, batch) in to.chunks(at_once).enumerate() {
            let with_sender = self.extensions.pipelining && index == 0;
            let mut commands = String::new();
            if with_sender {
                commands.push_str(mail);
                commands.push_str("\r\n");
            }
            for address in batch {
                commands.push_str(&format!("RCPT TO:<{address}>\r\n"));
            }
            self.wire.write(commands.as_bytes()).await?;
            self.wire.flush().await?;
            if with_sender {
                wanted(Reply::read(&mut self.wire).await?, Wanted::Done)?;
            }
            progress.reach(Step::Recipients);
            for address in batch {
                let reply = Reply::read(&mut self.wire).await?;
                // The server is about to close: nobody is refused, everything is.
                if reply.code == 421 {
                    return Err(Trouble::Refused(reply));
                }
                match wanted(reply, Wanted::Done) {
                    Ok(_) => {}
                    Err(Trouble::Refused(reply)) => rejected.push(Refusal {
                        address: address.to_string(),
                        reply,
                    }),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(rejected)
    }

    async fn content(&mut self, message: &[u8], progress: &Progress) -> Result<Reply, Trouble> {
        let stuffed = stuffed(message);
        for chunk in stuffed.chunks(CHUNK) {
            self.wire.write(chunk).await?;
        }
        self.wire.flush().await?;
        progress.reach(Step::Ended);
        self.ask(".", Wanted::Done).await
    }

    /// Says a line and waits for the answer that it wants.
    async fn ask(&mut self, line: &str, answer: Wanted) -> Result<Reply, Trouble> {
        self.wire.write(format!("{line}\r\n").as_bytes()).await?;
        self.wire.flush().await?;
        wanted(Reply::read(&mut self.wire).await?, answer)
    }

    /// Says goodbye without having anybody wait for it.
    fn leave(mut self) {
        tokio::spawn(async move {
            let goodbye = self.ask("QUIT", Wanted::Done);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), goodbye).await;
        });
    }
}

/// What a server says to what was done: that it is done, or that more is to come. A message that was sent to a server that
/// wants no more would be read as commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Done,
    More,
    Either,
}

impl Wanted {
    const fn is(self, code: u16) -> bool {
        match self {
            Self::Done => matches!(code, 200..=299),
            Self::More => matches!(code, 300..=399),
            Self::Either => matches!(code, 200..=399),
        }
    }
}

fn wanted(reply: Reply, answer: Wanted) -> Result<Reply, Trouble> {
    if answer.is(reply.code) {
        Ok(reply)
    } else if Wanted::Either.is(reply.code) {
        Err(Lost::Garbage("it answers something else than it was asked").into())
    } else {
        Err(Trouble::Refused(reply))
    }
}
