//! The simulator is held to what every connector is held to. It plays itself: what the suite wants of a
//! provider it asks for by the recipient's number.

use domain::model::channel::Channel;
use domain::model::content::Content;
use domain::phone::PhoneNumber;
use ports::connector::{Connector, Heard, IncomingMessage, Submission};
use ports::hooks::Pending;
use tokio::sync::oneshot;

use super::*;
use crate::compliance::provider::{
    AccountFault, Answered, FirstWord, Following, Has, MessageName, Opening, Provider, Receipts,
    Started, Strangers, Treatment, Voice, Word, Written,
};
use crate::compliance::{Bench, TEXT, World, complies};
use crate::testing::submission;

struct Simulated {
    channel: Channel,
}

impl Simulated {
    fn config(&self) -> SimulatorConfig {
        SimulatorConfig {
            // Who writes first is a matter of the simulator's own tests.
            enforce_window: false,
            ..SimulatorConfig::new(self.channel)
        }
    }
}

/// The simulated provider, at the only end that it shows.
struct Itself(Arc<dyn Connector>);

impl Bench for Simulated {
    fn start<'a>(
        &'a self,
        opening: Opening,
        _: &'a [Treatment],
        world: World,
    ) -> Pending<'a, Started> {
        assert_eq!(opening, Opening::LetsIn, "there is nobody to refuse it");
        let route = start(self.config(), world.source, world.events, world.clock);
        let provider = Box::new(Itself(Arc::clone(&route)));
        Box::pin(std::future::ready(Started { route, provider }))
    }

    fn debug(&self) -> String {
        format!("{:?}", self.config())
    }

    fn secrets(&self) -> Has<Vec<String>> {
        Has::Not("a simulated provider has no accounts")
    }

    fn submission(&self, no: i64, treatment: Treatment) -> Submission {
        let to = match treatment {
            Treatment::Accept(_) => format!("+40712345{no:03}"),
            Treatment::Reject => "+40700000002".to_owned(),
            Treatment::Throttle => "+40700000007".to_owned(),
            Treatment::LoseAnswer => "+40700000008".to_owned(),
            Treatment::AccountFault | Treatment::Undocumented => {
                panic!("no number plays {treatment:?}")
            }
        };
        submission(no, &to, TEXT)
    }

    fn known_as(&self, _: &Submission, _: &str) -> Has<String> {
        Has::Not("it makes references of its own, unlike any before")
    }

    fn first_word(&self) -> FirstWord {
        FirstWord::Never("the provider is in the same process")
    }

    fn account_fault(&self) -> AccountFault {
        AccountFault::Never("a simulated provider has no accounts")
    }

    fn undocumented(&self) -> Has<()> {
        Has::Not("its answers are values of our own, all of them known")
    }

    fn receipts(&self) -> Has<Receipts> {
        Has::It(Receipts::Follow(Box::new(Following {
            after: submission(1, "+40700000001", TEXT),
            before: submission(1, "+40700000006", TEXT),
            twice: submission(1, "+40700000005", TEXT),
        })))
    }

    fn inbound(&self) -> Has<Written> {
        Has::It(Written {
            from: PhoneNumber::parse("+40712345001").unwrap().into(),
            to: "ACME",
            id: MessageName::Another("whoever plays a person twice has written twice"),
        })
    }

    fn strangers(&self) -> Strangers {
        Strangers::Never("who may play a person is checked by the API, with its keys")
    }
}

impl Provider for Itself {
    fn asked(&self) -> Has<usize> {
        Has::Not("nothing travels that could be counted")
    }

    fn tell(&self, word: Word, _: Voice) -> Pending<'_, Answered> {
        assert_eq!(word, Word::Inbound, "receipts come by themselves");
        let from = PhoneNumber::parse("+40712345001").unwrap();
        let message = IncomingMessage::new(from.into(), "ACME", Content::text(TEXT));
        Box::pin(async move {
            let (told, kept) = oneshot::channel();
            let ack = Box::new(move |heard| told.send(heard).unwrap());
            self.0.simulator().unwrap().inject_inbound(message, ack);
            match kept.await {
                Ok(Heard::Kept) => Answered::Kept,
                // Dropped is not kept.
                Ok(Heard::TryAgain) | Err(_) => Answered::TryAgain,
            }
        })
    }

    fn settle(&self) -> Pending<'_, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulator_of_text_messages_complies() {
    let channel = Channel::Sms;
    complies(&Simulated { channel }).await;
}

#[tokio::test(start_paused = true)]
async fn the_simulator_of_whatsapp_complies() {
    let channel = Channel::WhatsApp;
    complies(&Simulated { channel }).await;
}
