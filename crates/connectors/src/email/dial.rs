//! Connections to the mail server.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;

pub(super) type Dialing<'a> =
    Pin<Box<dyn Future<Output = io::Result<Box<dyn AsyncTokioStream>>> + Send + 'a>>;

/// Opens connections to the mail server.
pub(super) trait Dialer: Send + Sync + 'static {
    fn dial(&self) -> Dialing<'_>;
}

/// TCP.
pub(super) struct Tcp {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Dialer for Tcp {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async move {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr()?;
            Ok(Box::new(ByLine::new(stream, peer)) as Box<dyn AsyncTokioStream>)
        })
    }
}

/// A stream that gives no octet behind the end of a line before it is asked again.
///
/// The SMTP client reads ahead and keeps what it read when the connection becomes TLS. So what
/// somebody in between wrote behind the answer to `STARTTLS`, in the clear, would count as said under
/// TLS. Here it reaches the TLS handshake instead, and fails it.
pub(super) struct ByLine<S> {
    inner: BufReader<S>,
    peer: SocketAddr,
}

impl<S: AsyncRead> ByLine<S> {
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self {
            inner: BufReader::new(stream),
            peer,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ByLine<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = Pin::new(&mut self.inner);
        let ahead = ready!(inner.as_mut().poll_fill_buf(cx))?;
        let line_end = ahead.iter().position(|it| *it == b'\n');
        let line = line_end.map_or(ahead.len(), |it| it + 1);
        let count = line.min(into.remaining());
        into.put_slice(&ahead[..count]);
        inner.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByLine<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for ByLine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByLine").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for ByLine<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
