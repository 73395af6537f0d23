//! Bodies that are written piece by piece while they are sent.
//!
//! Invariant: what is on its way is bounded; a client that does not read holds a thread for a bounded time; and a body that
//! cannot be written to its end breaks off, so that no client takes a part for the whole.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use patchbay_control::{ControlError, Patchbay};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::error::{HttpError, Refusal};

/// Bytes of one piece.
const PIECE: usize = 64 << 10;
/// Pieces that are on their way to one client.
const ON_THE_WAY: usize = 4;
/// How long a client may take to read a piece.
const SLOWEST_PIECE: Duration = Duration::from_secs(30);

type Piece = Result<Bytes, ControlError>;

/// A body that `work` writes. An error before the first piece is a refusal like any other.
pub(crate) async fn written<T>(
    app: &App,
    work: impl FnOnce(&Patchbay, &mut dyn Write) -> Result<T, ControlError> + Send + 'static,
) -> Result<Body, Refusal> {
    let (mut pieces, arriving) = Pieces::new();
    app.begin(move |patchbay| {
        let done = work(patchbay, &mut pieces);
        pieces.end(done.map(drop));
    })
    .await?;
    body(arriving).await
}

/// The body of the pieces that arrive.
async fn body(mut arriving: mpsc::Receiver<Piece>) -> Result<Body, Refusal> {
    let first = match arriving.recv().await {
        Some(piece) => piece?,
        // The work ended without a word: it panicked.
        None => return Err(HttpError::Failed.into()),
    };
    let rest = ReceiverStream::new(arriving).map(|piece| piece.map_err(io::Error::other));
    let all = futures_util::stream::iter([Ok(first)]).chain(rest);
    Ok(Body::from_stream(all))
}

/// Takes what is written, and sends it in pieces.
struct Pieces {
    sender: mpsc::Sender<Piece>,
    /// Waits for the client, from a thread that may block.
    handle: Handle,
    piece: Vec<u8>,
}

impl Pieces {
    fn new() -> (Self, mpsc::Receiver<Piece>) {
        let (sender, arriving) = mpsc::channel(ON_THE_WAY);
        let pieces = Self {
            sender,
            handle: Handle::current(),
            piece: Vec::new(),
        };
        (pieces, arriving)
    }

    /// Sends what is left, even when it is nothing, or why there is no more.
    fn end(mut self, done: Result<(), ControlError>) {
        let last = done.map(|()| Bytes::from(std::mem::take(&mut self.piece)));
        if let Err(error) = &last {
            tracing::warn!(%error, "a body breaks off");
        }
        // Nobody can be told that the client has gone.
        let _ = self.send(last);
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        let sent = async { tokio::time::timeout(SLOWEST_PIECE, self.sender.send(piece)).await };
        match self.handle.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.send(Ok(piece.into()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;

    /// What a client reads of what is written; the flag says whether the body came to its end.
    fn read(
        work: impl FnOnce(&mut Pieces) -> Result<(), ControlError> + Send + 'static,
    ) -> Option<(Vec<u8>, bool)> {
        Runtime::new().unwrap().block_on(async {
            let (mut pieces, arriving) = Pieces::new();
            tokio::task::spawn_blocking(move || {
                let done = work(&mut pieces);
                pieces.end(done);
            });
            let mut stream = body(arriving).await.ok()?.into_data_stream();
            let mut all = Vec::new();
            while let Some(piece) = stream.next().await {
                match piece {
                    Ok(piece) => all.extend_from_slice(&piece),
                    Err(_) => return Some((all, false)),
                }
            }
            Some((all, true))
        })
    }

    fn error() -> ControlError {
        ControlError::Input("it is none".to_owned())
    }

    #[test]
    fn a_body_longer_than_what_may_be_on_its_way_arrives_whole() {
        let line = vec![b'a'; 1_000];
        let lines = PIECE * (ON_THE_WAY + 3) / line.len();
        let (all, whole) = read(move |out| {
            (0..lines).for_each(|_| out.write_all(&line).unwrap());
            Ok(())
        })
        .unwrap();
        assert_eq!((all.len(), whole), (lines * 1_000, true));
        assert_eq!(read(|_| Ok(())), Some((Vec::new(), true)));
    }

    #[test]
    fn an_error_before_the_first_piece_is_a_refusal_and_a_later_one_breaks_the_body_off() {
        assert_eq!(read(|_| Err(error())), None);
        let (some, whole) = read(|out| {
            out.write_all(&[b'a'; PIECE]).unwrap();
            Err(error())
        })
        .unwrap();
        assert_eq!((some.len(), whole), (PIECE, false));
    }

    #[test]
    fn a_client_that_goes_away_ends_the_work() {
        let ended = Runtime::new().unwrap().block_on(async {
            let (mut pieces, arriving) = Pieces::new();
            drop(arriving);
            let work = move || pieces.write_all(&[b'a'; PIECE]).map_err(|error| error.kind());
            tokio::task::spawn_blocking(work).await.unwrap()
        });
        assert_eq!(ended, Err(io::ErrorKind::BrokenPipe));
    }
}
