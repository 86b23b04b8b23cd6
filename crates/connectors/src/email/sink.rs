//! A mail server for tests: speaks SMTP on any stream, keeps what it is given, and is unpleasant where
//! the script says so.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lettre::transport::smtp::client::AsyncTokioStream;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, duplex};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::dial::{ByLine, Dialer, Dialing};

/// What it does instead of what it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Says this line.
    Say(&'static str),
    /// Says these lines and goes on as if it were the usual.
    SayMore(&'static str),
    /// Says this line and ends the connection.
    SayAndClose(&'static str),
    /// Ends the connection.
    Close,
    /// Says nothing any more.
    Silence,
}

/// A message that it took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Taken {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// With the doubled dots undone.
    pub(super) octets: String,
    pub(super) is_secure: bool,
}

/// The server.
#[derive(Default)]
pub(super) struct Sink {
    /// Turns connections into TLS.
    tls: Option<TlsAcceptor>,
    /// What to do at the next moments of this name: a command, `CONNECT`, or `.` after a message.
    script: Mutex<Vec<(&'static str, VecDeque<Act>)>>,
    commands: Mutex<Vec<String>>,
    taken: Mutex<Vec<Taken>>,
    bell: Notify,
}

/// What it said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// What it should: the talk takes its course.
    Usual,
    /// Something else: the next command may come.
    Other,
    /// Its last word, or none.
    Nothing,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Sink {
    /// One that offers TLS.
    pub(super) fn with_tls(tls: TlsAcceptor) -> Self {
        Self {
            tls: Some(tls),
            ..Self::default()
        }
    }

    pub(super) fn will(&self, at: &'static str, acts: impl IntoIterator<Item = Act>) {
        self.script.lock().push((at, acts.into_iter().collect()));
    }

    /// Every command that it heard since the last call.
    pub(super) fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.commands.lock())
    }

    /// How often it heard a command that begins with this since [`commands`](Self::commands).
    pub(super) fn heard(&self, verb: &str) -> usize {
        let commands = self.commands.lock();
        commands.iter().filter(|it| it.starts_with(verb)).count()
    }

    /// Waits until it took so many messages, and gives them.
    pub(super) async fn taken(&self, count: usize) -> Vec<Taken> {
        while self.taken.lock().len() < count {
            self.bell.notified().await;
        }
        self.taken.lock().clone()
    }

    fn act(&self, at: &str) -> Option<Act> {
        let mut script = self.script.lock();
        let mut acts = script.iter_mut().filter(|it| it.0 == at);
        acts.find_map(|it| it.1.pop_front())
    }

    /// Serves one connection to its end.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) {
        drop(self.talk(Box::new(stream), false).await);
    }

    /// TLS from the first octet.
    pub(super) async fn serve_tls(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) {
        let tls = self.tls.clone().unwrap();
        if let Ok(stream) = tls.accept(stream).await {
            drop(self.talk(Box::new(stream), true).await);
        }
    }

    async fn talk(&self, stream: Box<dyn Stream>, is_secure: bool) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut secure = is_secure;
        if self.say(&mut stream, "CONNECT", "220 sink").await? == Said::Nothing {
            return Ok(());
        }
        let mut taken = Taken::default();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            self.commands.lock().push(line.to_owned());
            let verb = line.split([' ', ':']).next().unwrap_or_default();
            let argument = line.split(['<', '>']).nth(1).unwrap_or_default();
            let usual = match verb {
                "EHLO" if self.tls.is_some() && !secure => {
                    "250-sink\r\n250-STARTTLS\r\n250 8BITMIME"
                }
                "EHLO" => "250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
                "STARTTLS" => "220 go ahead",
                "AUTH" => "235 2.7.0 welcome",
                "DATA" => "354 go ahead",
                "QUIT" => "221 bye",
                _ => "250 2.0.0 fine",
            };
            match self.say(&mut stream, verb, usual).await? {
                Said::Usual => {}
                Said::Other => continue,
                Said::Nothing => return Ok(()),
            }
            match verb {
                "STARTTLS" => {
                    let tls = self.tls.clone().unwrap();
                    // The client waits for the answer, so nothing was read ahead.
                    let secured = tls.accept(stream.into_inner()).await?;
                    stream = BufReader::new(Box::new(secured) as Box<dyn Stream>);
                    secure = true;
                }
                "MAIL" => {
                    taken = Taken {
                        from: argument.to_owned(),
                        is_secure: secure,
                        ..Taken::default()
                    }
                }
                "RCPT" => taken.to.push(argument.to_owned()),
                "DATA" => {
                    taken.octets = message(&mut stream).await?;
                    match self.say(&mut stream, ".", "250 2.0.0 queued").await? {
                        Said::Usual => {}
                        Said::Other => continue,
                        Said::Nothing => return Ok(()),
                    }
                    self.taken.lock().push(std::mem::take(&mut taken));
                    self.bell.notify_one();
                }
                "QUIT" => return Ok(()),
                _ => {}
            }
        }
    }

    /// Says the usual, or does what the script has.
    async fn say(
        &self,
        stream: &mut BufReader<Box<dyn Stream>>,
        at: &str,
        usual: &str,
    ) -> std::io::Result<Said> {
        let (line, said) = match self.act(at) {
            None => (usual, Said::Usual),
            Some(Act::Say(line)) => (line, Said::Other),
            Some(Act::SayMore(lines)) => (lines, Said::Usual),
            Some(Act::SayAndClose(line)) => (line, Said::Nothing),
            Some(Act::Close) => return Ok(Said::Nothing),
            Some(Act::Silence) => std::future::pending().await,
        };
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.flush().await?;
        Ok(said)
    }
}

/// Connects to the sink; refuses while it is told to.
pub(super) struct Pipes {
    pub(super) sink: Arc<Sink>,
    pub(super) refusals: Arc<AtomicUsize>,
    pub(super) dialled: Arc<AtomicUsize>,
}

impl Dialer for Pipes {
    fn dial(&self) -> Dialing<'_> {
        self.dialled.fetch_add(1, Ordering::SeqCst);
        let left = self.refusals.load(Ordering::SeqCst);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(Arc::clone(&self.sink).serve(theirs));
        let peer = SocketAddr::from(([127, 0, 0, 1], 25));
        Box::pin(async move { Ok(Box::new(ByLine::new(ours, peer)) as Box<dyn AsyncTokioStream>) })
    }
}

/// Reads a message to its end.
async fn message(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut octets = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.strip_prefix('.') {
            Some("\r\n") => return Ok(octets),
            Some(rest) => octets.push_str(rest),
            None => octets.push_str(&line),
        }
    }
}
