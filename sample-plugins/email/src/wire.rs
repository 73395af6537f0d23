//! A connection in lines. Invariant: what a server sends is read within bounds, and nothing that came before TLS began is
//! taken for something that came within.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Bytes of one line of a server.
const MAX_LINE: usize = 2_048;

/// Why a connection is of no more use.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It broke, or could not be made.
    Io(io::Error),
    /// The server closed it.
    Closed,
    /// The other side is not who it should be, or speaks TLS badly.
    Tls(String),
    /// What the server said is not SMTP.
    Garbage(&'static str),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        // TLS reports its errors through those of the stream.
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(tls) => Self::Tls(tls.to_string()),
            None => Self::Io(error),
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// A connection.
pub(crate) struct Wire {
    stream: Stream,
    /// What came and was not taken yet.
    pending: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(host: &str, port: u16) -> Result<Self, Lost> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: Stream::Plain(stream),
            pending: Vec::new(),
        })
    }

    pub(crate) const fn is_secure(&self) -> bool {
        matches!(self.stream, Stream::Secure(_))
    }

    /// The same connection under TLS, with a server that proves to be `host`.
    pub(crate) async fn secured(self, host: &str, config: Arc<ClientConfig>) -> Result<Self, Lost> {
        // Whoever sits between could have sent it.
        if !self.pending.is_empty() {
            return Err(Lost::Garbage("it said more before TLS began than it was asked"));
        }
        let Stream::Plain(stream) = self.stream else {
            return Ok(self);
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Lost::Tls(error.to_string()))?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        Ok(Self {
            stream: Stream::Secure(Box::new(stream)),
            pending: Vec::new(),
        })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await?,
            Stream::Secure(stream) => stream.write_all(bytes).await?,
        }
        Ok(())
    }

    pub(crate) async fn flush(&mut self) -> Result<(), Lost> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.flush().await?,
            Stream::Secure(stream) => stream.flush().await?,
        }
        Ok(())
    }

    /// The next line, without its end.
    pub(crate) async fn line(&mut self) -> Result<String, Lost> {
        let mut looked = 0;
        loop {
            let unseen = self.pending.get(looked..).unwrap_or_default();
            if let Some(at) = unseen.iter().position(|byte| *byte == b'\n') {
                if looked + at > MAX_LINE {
                    return Err(Lost::Garbage("a line of it is too long"));
                }
                let mut line: Vec<u8> = self.pending.drain(..=looked + at).collect();
                line.truncate(looked + at);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            looked = self.pending.len();
            if looked > MAX_LINE {
                return Err(Lost::Garbage("a line of it is too long"));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Lost> {
        let mut buffer = [0; MAX_LINE];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut buffer).await?,
            Stream::Secure(stream) => stream.read(&mut buffer).await?,
        };
        if count == 0 {
            return Err(Lost::Closed);
        }
        self.pending
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(())
    }
}
