//! Providers for tests: calls that they make, a machine on the loopback that answers as it is told, and
//! a tiny protocol that has a bit of everything.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::model::attempt::PartSet;
use domain::model::content::Content;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::connector::{Bill, IncomingMessage, IncomingReceipt, Submission};
use ports::hooks::{HookAnswer, HookCall};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::protocol::{Answer, Answered, Body, Callback, Method, Protocol, Request, Telling};
use super::signature::shared_header;

/// A call to `url`, without headers.
pub(crate) fn hook(method: &str, url: &str, body: &str) -> HookCall {
    HookCall {
        method: method.into(),
        url: url.into(),
        query: url.split_once('?').map_or("", |it| it.1).into(),
        headers: Vec::new(),
        body: body.into(),
    }
}

/// An answer with this JSON body.
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.into(),
    }
}

/// Requests that are no submissions (probes), and how they are answered.
pub(crate) type Aside = (fn(&Asked) -> bool, Answer);

/// What a [`Wire`] does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// Answers.
    Answer(Answer),
    /// Closes the connection.
    HangUp,
    /// Does nothing, and keeps the connection.
    Silence,
}

/// A request as a [`Wire`] read it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|it| it.0 == name);
        found.map(|it| &*it.1)
    }
}

/// A provider's machine: answers each request by the next play, without one by the last.
pub(crate) struct Wire {
    url: String,
    stage: Arc<Stage>,
    _accepts: AbortOnDropHandle<()>,
}

struct Stage {
    plays: Mutex<VecDeque<Play>>,
    asked: Mutex<Vec<Asked>>,
    /// Which requests are no submissions, and how they are answered.
    aside: Option<Aside>,
    /// How the first of them are answered instead.
    aside_first: Mutex<VecDeque<Answer>>,
}

impl Wire {
    pub(crate) async fn new(plays: impl IntoIterator<Item = Play>) -> Self {
        Self::with_aside(plays, None).await
    }

    /// As [`new`](Self::new); requests of which `aside` speaks are neither recorded nor played.
    pub(crate) async fn with_aside(
        plays: impl IntoIterator<Item = Play>,
        aside: Option<Aside>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stage = Arc::new(Stage {
            plays: Mutex::new(plays.into_iter().collect()),
            asked: Mutex::default(),
            aside,
            aside_first: Mutex::default(),
        });
        let for_task = Arc::clone(&stage);
        let accepts = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&for_task).serve(stream));
            }
        });
        Self {
            url,
            stage,
            _accepts: AbortOnDropHandle::new(accepts),
        }
    }

    /// Its address, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next request that is no submission like this.
    pub(crate) fn refuse_aside(&self, answer: Answer) {
        self.stage.aside_first.lock().push_back(answer);
    }

    /// What it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.stage.asked.lock().clone()
    }
}

impl Stage {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(asked) = read(&mut stream).await {
            let aside = self.aside.as_ref().filter(|it| it.0(&asked));
            let play = if let Some((_, answer)) = aside {
                let first = self.aside_first.lock().pop_front();
                Play::Answer(first.unwrap_or_else(|| answer.clone()))
            } else {
                self.asked.lock().push(asked);
                self.next()
            };
            match play {
                Play::Answer(answer) => write(&mut stream, &answer).await,
                Play::HangUp => return,
                Play::Silence => std::future::pending().await,
            }
        }
    }

    fn next(&self) -> Play {
        let mut plays = self.plays.lock();
        if plays.len() > 1 {
            return plays.pop_front().unwrap();
        }
        plays.front().cloned().unwrap_or(Play::HangUp)
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|it| it.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|it| it.0 == "content-length");
    let mut body = vec![0; length.map_or(0, |it| it.1.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let mut first = lines[0].split(' ').map(str::to_owned);
    Some(Asked {
        method: first.next()?,
        target: first.next()?,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

async fn write(stream: &mut BufReader<TcpStream>, answer: &Answer) {
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = answer.body.len().to_string();
    head.extend(["content-length: ", &length, "\r\n\r\n"]);
    let bytes = [head.as_bytes(), &answer.body].concat();
    // Who asked may be gone.
    drop(stream.write_all(&bytes).await);
}

/// A provider for the tests of what all providers share.
pub(crate) struct Tiny {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) has_probe: bool,
}

impl std::fmt::Debug for Tiny {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tiny").finish_non_exhaustive()
    }
}

impl Tiny {
    pub(crate) fn at(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            token: "t0ken".to_owned(),
            has_probe: false,
        }
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Request {
        Request {
            method,
            url: format!("{}/{path}", self.base_url),
            headers: vec![("authorization".to_owned(), format!("Bearer {}", self.token))],
            body,
        }
    }
}

fn receipt(id: &str, state: ReceiptState) -> Telling {
    Telling::Receipt(IncomingReceipt {
        references: vec![id.into()],
        ours: None,
        recipient: None,
        whole: true,
        raw: state.code().into(),
        state,
    })
}

fn refused(class: FailureClass, code: u16) -> SubmitOutcome {
    SubmitOutcome::NotAccepted(Failure::new(class, code.to_string(), "Not now."))
}

impl Protocol for Tiny {
    fn submit(&self, submission: &Submission, _: Timestamp) -> Result<Request, SubmitOutcome> {
        let Some(text) = submission.content.text.as_deref() else {
            let failure = Failure::new(FailureClass::InvalidRequest, "no_text", "Only texts.");
            return Err(SubmitOutcome::Rejected(failure));
        };
        let form = vec![
            ("to".to_owned(), submission.to.to_string()),
            ("text".to_owned(), text.to_owned()),
        ];
        Ok(self.request(Method::Post, "send", Body::Form(form)))
    }

    fn answer(&self, _: &Submission, answer: &Answer) -> Answered {
        let id = String::from_utf8_lossy(&answer.body);
        assert_ne!(id, "panic");
        let outcome = match answer.status {
            200 if !id.starts_with('<') => SubmitOutcome::Accepted {
                references: vec![PartReference {
                    part: PartSet::WHOLE,
                    reference: id.into(),
                }],
            },
            400 => SubmitOutcome::Rejected(Failure::new(
                FailureClass::RecipientInvalid,
                "400",
                "There is no such number.",
            )),
            401 => refused(FailureClass::AccountFault, 401),
            429 => refused(FailureClass::Throttled, 429),
            _ => SubmitOutcome::Unknown {
                references: Vec::new(),
            },
        };
        let seconds = answer.header("retry-after").and_then(|it| it.parse().ok());
        Answered {
            outcome,
            bill: answer.header("x-parts").map(|it| Bill {
                segments: it.parse().ok(),
                amount: None,
            }),
            retry_after: seconds.map(Millis::seconds),
            recipient_only: answer.header("x-recipient").is_some(),
        }
    }

    fn callback(&self, call: &HookCall, _: Timestamp) -> Callback {
        if let Err(distrust) = shared_header(&self.token, "x-token", call) {
            return Callback::Answer(distrust.answer());
        }
        let text = String::from_utf8_lossy(&call.body).into_owned();
        let tellings = text
            .lines()
            .map(|line| match line.split_once(' ').unwrap() {
                ("sent", id) => receipt(id, ReceiptState::InTransit),
                ("delivered", id) => receipt(id, ReceiptState::Delivered),
                ("failed", id) => {
                    let failure = Failure::new(FailureClass::RecipientInvalid, "failed", "");
                    receipt(id, ReceiptState::Failed(failure))
                }
                (from, text) => Telling::Inbound(Box::new(IncomingMessage::new(
                    PhoneNumber::parse(from).unwrap().into(),
                    "ACME",
                    Content::text(text),
                ))),
            });
        Callback::Tells(
            tellings.collect(),
            HookAnswer::with(200, "text/plain", "ok"),
        )
    }

    fn probe(&self) -> Option<Request> {
        self.has_probe
            .then(|| self.request(Method::Get, "account", Body::None))
    }
}
