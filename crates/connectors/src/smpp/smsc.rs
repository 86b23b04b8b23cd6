//! An SMSC for tests: one end of a connection that a test moves by hand, and one on a loopback socket that
//! plays a script.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::codes::status;
use super::pdu::{self, RESPONSE, Writer, command};

/// A `deliver_sm` with these fields.
pub(super) fn delivery(said: &pdu::Submit<'_>, sequence: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    said.begin(&mut octets, sequence).finish();
    // The two differ in nothing else that we write.
    octets[4..8].copy_from_slice(&command::DELIVER_SM.to_be_bytes());
    octets
}

/// The SMSC's end of one connection.
pub(super) struct Peer<S> {
    pub(super) stream: S,
    input: Vec<u8>,
    pub(super) began: Instant,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Heading {
    pub(super) command: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: Vec::new(),
            began: Instant::now(),
        }
    }

    /// The next PDU; `None` at the end of the connection.
    pub(super) async fn read(&mut self) -> Option<Heading> {
        loop {
            if let Some(frame) = pdu::first(&self.input).unwrap() {
                let heading = Heading {
                    command: frame.command,
                    status: frame.status,
                    sequence: frame.sequence,
                };
                let length = frame.length();
                self.input.drain(..length);
                return Some(heading);
            }
            if self.stream.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub(super) async fn write(&mut self, command: u32, status: u32, sequence: u32, body: &[u8]) {
        let mut octets = Vec::new();
        Writer::begin(&mut octets, command, status, sequence)
            .octets(body)
            .finish();
        self.stream.write_all(&octets).await.unwrap();
    }

    pub(super) async fn answer_bind(&mut self, status: u32) -> u32 {
        let bind = self.read().await.unwrap();
        self.write(bind.command | RESPONSE, status, bind.sequence, b"SMSC\0")
            .await;
        bind.command
    }

    pub(super) async fn submission(&mut self) -> u32 {
        let heading = self.read().await.unwrap();
        assert_eq!(heading.command, command::SUBMIT_SM);
        heading.sequence
    }
}

/// What an [`Smsc`] does with a submission.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Takes it, under this id.
    Accept(&'static str),
    /// Refuses it with this status.
    Refuse(u32),
    /// Answers with this command, which is none.
    Answer(u32),
    /// Ends the connection.
    Close,
}

/// Something to be said on the bind, and where the answer goes.
enum Said {
    Delivery(Vec<u8>, oneshot::Sender<Heading>),
    /// A link test: its answer comes behind every answer that was given before.
    Test(oneshot::Sender<Heading>),
}

/// One on a loopback socket, for one bind at a time.
pub(super) struct Smsc {
    port: u16,
    stage: Arc<Stage>,
    say: mpsc::UnboundedSender<Said>,
    _accepts: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Stage {
    acts: Mutex<VecDeque<Act>>,
    /// What is said on the first connection, whose bind is refused.
    refuses_with: Mutex<Option<Vec<Vec<u8>>>>,
    asked: Mutex<usize>,
}

impl Smsc {
    /// One that plays this. With `refuses_with` it refuses the first bind, and says this before the
    /// refusal and behind it.
    pub(super) async fn new(
        acts: impl IntoIterator<Item = Act>,
        refuses_with: Option<Vec<Vec<u8>>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stage = Arc::new(Stage {
            acts: Mutex::new(acts.into_iter().collect()),
            refuses_with: Mutex::new(refuses_with),
            asked: Mutex::default(),
        });
        let (say, mut said) = mpsc::unbounded_channel();
        let for_task = Arc::clone(&stage);
        let accepts = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                for_task.serve(Peer::new(stream), &mut said).await;
            }
        });
        Self {
            port,
            stage,
            say,
            _accepts: AbortOnDropHandle::new(accepts),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// How many submissions it got.
    pub(super) fn asked(&self) -> usize {
        *self.stage.asked.lock()
    }

    /// Delivers this and gives the status of the answer.
    pub(super) async fn deliver(&self, octets: Vec<u8>) -> u32 {
        let (answer, answered) = oneshot::channel();
        self.say.send(Said::Delivery(octets, answer)).ok().unwrap();
        let heading = answered.await.unwrap();
        assert_eq!(heading.command, command::DELIVER_SM | RESPONSE);
        heading.status
    }

    /// Waits until an answer that was given by now would have come.
    pub(super) async fn test_link(&self) {
        let (answer, answered) = oneshot::channel();
        self.say.send(Said::Test(answer)).ok().unwrap();
        answered.await.unwrap();
    }
}

/// The sequence number of link tests; deliveries have others.
const TEST: u32 = 0x0FFF_FFFF;

impl Stage {
    async fn serve(
        &self,
        mut peer: Peer<TcpStream>,
        said: &mut mpsc::UnboundedReceiver<Said>,
    ) -> Option<()> {
        let refuses_with = self.refuses_with.lock().take();
        if let Some(deliveries) = refuses_with {
            let bind = peer.read().await?;
            let mut octets = deliveries.concat();
            let refused = bind.command | RESPONSE;
            pdu::bare(
                &mut octets,
                refused,
                status::INVALID_PASSWORD,
                bind.sequence,
            );
            octets.extend(deliveries.concat());
            peer.stream.write_all(&octets).await.ok()?;
            while let Some(heading) = peer.read().await {
                self.count(&heading);
            }
            return None;
        }
        peer.answer_bind(status::OK).await;
        let mut waiting: Vec<(u32, oneshot::Sender<Heading>)> = Vec::new();
        loop {
            tokio::select! {
                heading = peer.read() => {
                    let heading = heading?;
                    let waits = waiting.iter().position(|it| it.0 == heading.sequence);
                    match (heading.command, waits) {
                        (command::SUBMIT_SM, _) => self.act(&mut peer, &heading).await?,
                        (command::UNBIND | command::ENQUIRE_LINK, _) => {
                            let answer = heading.command | RESPONSE;
                            peer.write(answer, 0, heading.sequence, b"").await;
                        }
                        // Who waited for it may have gone.
                        (_, Some(waits)) => drop(waiting.swap_remove(waits).1.send(heading)),
                        (_, None) => panic!("nobody asked for {heading:?}"),
                    }
                }
                it = said.recv() => match it? {
                    Said::Delivery(octets, answer) => {
                        let frame = pdu::first(&octets).unwrap().unwrap();
                        waiting.push((frame.sequence, answer));
                        peer.stream.write_all(&octets).await.ok()?;
                    }
                    Said::Test(answer) => {
                        waiting.push((TEST, answer));
                        peer.write(command::ENQUIRE_LINK, 0, TEST, b"").await;
                    }
                }
            }
        }
    }

    fn count(&self, heading: &Heading) {
        *self.asked.lock() += usize::from(heading.command == command::SUBMIT_SM);
    }

    /// Plays the next act; `None` ends the connection.
    async fn act(&self, peer: &mut Peer<TcpStream>, heading: &Heading) -> Option<()> {
        self.count(heading);
        let act = self.acts.lock().pop_front();
        let submitted = command::SUBMIT_SM | RESPONSE;
        let (command, status, body) = match act? {
            Act::Accept(id) => (submitted, status::OK, [id.as_bytes(), b"\0"].concat()),
            Act::Refuse(status) => (submitted, status, Vec::new()),
            Act::Answer(command) => (command, status::OK, b"1\0".to_vec()),
            Act::Close => return None,
        };
        peer.write(command, status, heading.sequence, &body).await;
        Some(())
    }
}
