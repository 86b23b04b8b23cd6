//! Providers by HTTP, for the suite: a machine on the loopback that answers as the provider would, and calls
//! that the provider would make. Each such provider brings a [`Bench`] of shapes and runs [`complies`].

use std::sync::Arc;

use ports::connector::{Connector, Submission};
use ports::hooks::{HookAnswer, HookCall, Pending};
use tokio::net::TcpListener;

use super::World;
use super::provider::{
    AccountFault, Answered, FirstWord, Has, Opening, Provider, Receipts, Says, Started, Strangers,
    Treatment, Voice, Word, Written,
};
use super::{REFERENCE, TEXT};
use crate::testing::submission;
use crate::web::protocol::Answer;
use crate::web::testing::{Play, Wire, answer};

pub(crate) use crate::web::testing::Aside;

/// What the suite has to know of a provider by HTTP.
pub(crate) trait Bench: Sync {
    /// Starts a route to the provider at this address (no slash at the end).
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector>;

    /// The `Debug` of its configuration.
    fn debug(&self) -> String;

    /// Every credential in its configuration, and the login of HTTP's Basic where it makes one.
    fn secrets(&self) -> Vec<String>;

    /// A submission of [`TEXT`] that the provider can carry, to another recipient for each number.
    fn submission(&self, no: i64) -> Submission {
        submission(no, &format!("+40712345{no:03}"), TEXT)
    }

    /// The answer to a submission that was accepted under this id.
    fn accepted(&self, reference: &str) -> Answer;

    /// Under which name such a submission is known.
    fn known_as(&self, reference: &str) -> String {
        reference.to_owned()
    }

    /// One that will never work for this recipient or content.
    fn rejected(&self) -> Answer;

    /// One that says to slow down.
    fn throttled(&self) -> Answer;

    /// One that says that the account does not work.
    fn account_fault(&self) -> Answer;

    /// Requests that are no submissions, where it makes any.
    fn aside(&self) -> Option<Aside> {
        None
    }

    /// The answer to one of them that says that the account does not work.
    fn refused_aside(&self) -> Answer {
        self.account_fault()
    }

    /// The receipts of one message, each in a call of its own, signed, and what each says.
    fn receipts(&self, reference: &str) -> Has<Vec<(HookCall, Says)>>;

    /// A call with an inbound message of [`TEXT`], signed, and who wrote what.
    fn inbound(&self) -> Has<(HookCall, Written)>;

    /// The same call as somebody else would make it: with a signature of the right form that is wrong.
    fn forged(&self, call: HookCall) -> HookCall;
}

/// Runs every case on a provider by HTTP.
pub(crate) async fn complies(bench: &dyn Bench) {
    super::complies(&ByHttp(bench)).await;
}

struct ByHttp<'a>(&'a dyn Bench);

impl ByHttp<'_> {
    fn play(&self, treatment: Treatment) -> Play {
        Play::Answer(match treatment {
            Treatment::Accept(reference) => self.0.accepted(reference),
            Treatment::Reject => self.0.rejected(),
            Treatment::Throttle => self.0.throttled(),
            Treatment::AccountFault => self.0.account_fault(),
            Treatment::Undocumented => answer(200, "<html>Hello</html>"),
            Treatment::LoseAnswer => return Play::HangUp,
        })
    }
}

impl super::Bench for ByHttp<'_> {
    fn start<'a>(
        &'a self,
        opening: Opening,
        script: &'a [Treatment],
        world: World,
    ) -> Pending<'a, Started> {
        Box::pin(async move {
            let plays: Vec<_> = script.iter().map(|it| self.play(*it)).collect();
            let wire = Wire::with_aside(plays, self.0.aside()).await;
            let route = match opening {
                Opening::LetsIn => self.0.start(wire.url(), world),
                Opening::RefusesLogin => {
                    wire.refuse_aside(self.0.refused_aside());
                    self.0.start(wire.url(), world)
                }
                Opening::NobodyListens => self.0.start(&closed().await, world),
            };
            let receipts = self.0.receipts(REFERENCE).it().unwrap_or_default();
            let provider = Machine {
                wire,
                route: Arc::clone(&route),
                receipts: receipts.into_iter().map(|it| it.0).collect(),
                inbound: self.0.inbound().it().map(|it| it.0),
                forged: Vec::new(),
            };
            Started {
                route,
                provider: Box::new(provider.with_forgeries(self.0)),
            }
        })
    }

    fn debug(&self) -> String {
        self.0.debug()
    }

    fn secrets(&self) -> Has<Vec<String>> {
        Has::It(self.0.secrets())
    }

    fn submission(&self, no: i64, _: Treatment) -> Submission {
        self.0.submission(no)
    }

    fn known_as(&self, _: &Submission, reference: &str) -> Has<String> {
        Has::It(self.0.known_as(reference))
    }

    fn first_word(&self) -> FirstWord {
        if self.0.aside().is_some() {
            FirstWord::OurOwn
        } else {
            FirstWord::ASubmission
        }
    }

    fn account_fault(&self) -> AccountFault {
        AccountFault::TakesTheRouteDown
    }

    fn undocumented(&self) -> Has<()> {
        Has::It(())
    }

    fn receipts(&self) -> Has<Receipts> {
        match self.0.receipts(REFERENCE) {
            Has::It(calls) => {
                let says = calls.into_iter().map(|it| it.1).collect();
                Has::It(Receipts::Told(says))
            }
            Has::Not(why) => Has::Not(why),
        }
    }

    fn inbound(&self) -> Has<Written> {
        match self.0.inbound() {
            Has::It((_, written)) => Has::It(written),
            Has::Not(why) => Has::Not(why),
        }
    }

    fn strangers(&self) -> Strangers {
        Strangers::Forge
    }
}

/// The address of a port on which nobody listens.
async fn closed() -> String {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", closed.local_addr().unwrap())
}

/// The provider's machine, and the calls that it makes.
struct Machine {
    wire: Wire,
    route: Arc<dyn Connector>,
    receipts: Vec<HookCall>,
    inbound: Option<HookCall>,
    /// The same calls as somebody else would make them.
    forged: Vec<(Word, HookCall)>,
}

impl Machine {
    fn with_forgeries(mut self, bench: &dyn Bench) -> Self {
        let receipts = (0..self.receipts.len()).map(Word::Receipt);
        let words = receipts.chain(self.inbound.is_some().then_some(Word::Inbound));
        self.forged = words
            .map(|word| {
                let own = self.call(word, Voice::Own);
                let forged = bench.forged(own.clone());
                assert_ne!(forged, own, "nothing is forged");
                (word, forged)
            })
            .collect();
        self
    }

    fn call(&self, word: Word, voice: Voice) -> HookCall {
        match (voice, word) {
            (Voice::Own, Word::Receipt(no)) => self.receipts[no].clone(),
            (Voice::Own, Word::Inbound) => self.inbound.clone().unwrap(),
            (Voice::Strange, word) => {
                let forged = self.forged.iter().find(|it| it.0 == word);
                forged.unwrap().1.clone()
            }
        }
    }
}

impl Provider for Machine {
    fn asked(&self) -> Has<usize> {
        Has::It(self.wire.asked().len())
    }

    fn tell(&self, word: Word, voice: Voice) -> Pending<'_, Answered> {
        let call = self.call(word, voice);
        Box::pin(async move {
            let hooks = self.route.hooks().expect("a connector that is called");
            answered(&hooks.call(call).await)
        })
    }

    fn settle(&self) -> Pending<'_, ()> {
        // A call is a future of ours: it needs no more than another turn.
        Box::pin(tokio::task::yield_now())
    }
}

fn answered(answer: &HookAnswer) -> Answered {
    match answer.status {
        200..300 => Answered::Kept,
        401 | 403 => Answered::Refused,
        503 => Answered::TryAgain,
        _ => Answered::Otherwise(format!("{answer:?}")),
    }
}
