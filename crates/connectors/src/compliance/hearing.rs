//! What providers tell: told as it comes, answered when it is kept, and nobody else's.

use domain::model::receipt::SubmitOutcome;
use ports::connector::{Heard, IncomingReceipt, Submission};

use super::provider::{
    Answered, FirstWord, Following, MessageName, Receipts, Says, Strangers, Treatment, Voice, Word,
};
use super::{Bench, REFERENCE, Stage, TEXT};
use crate::testing::Told;

impl Stage {
    /// Lets the provider tell this, acknowledges it in this way (`None` drops the acknowledgement), and
    /// gives what was told and how it was answered.
    async fn hear(&self, word: Word, voice: Voice, heard: Option<Heard>) -> (Vec<Told>, Answered) {
        let mut answer = self.provider.tell(word, voice);
        let mut told = Vec::new();
        let both = async {
            loop {
                tokio::select! {
                    biased;
                    it = self.record.wait(1) => {
                        told.extend(it);
                        while self.record.waiting_acks() > 0 {
                            self.record.answer(heard);
                        }
                    }
                    answer = &mut answer => return answer,
                }
            }
        };
        let answer = tokio::time::timeout(self.patience, both).await;
        let answer = answer.expect("there is no answer");
        told.extend(self.record.take());
        told.retain(|it| !matches!(it, Told::Billed(..)));
        (told, answer)
    }

    /// The next receipt.
    async fn receipt(&self) -> IncomingReceipt {
        let told = self.next().await;
        let Told::Receipt(receipt) = told else {
            panic!("no receipt: {told:?}");
        };
        receipt
    }

    /// All that is told of receipts until nothing more comes, each of them kept.
    async fn rest(&self) -> Vec<IncomingReceipt> {
        let mut seen = Vec::new();
        while let Some(told) = self.next_if_any().await {
            let Told::Receipt(receipt) = told else {
                panic!("no receipt: {told:?}");
            };
            self.record.answer(Some(Heard::Kept));
            seen.push(receipt);
        }
        seen
    }

    /// The references of a submission that is accepted.
    async fn references(&self) -> Vec<Box<str>> {
        let outcome = self.outcome().await.1;
        let SubmitOutcome::Accepted { references } = outcome else {
            panic!("an accepted submission is {outcome:?}");
        };
        references.into_iter().map(|it| it.reference).collect()
    }
}

/// The receipts that can be told when one likes.
fn receipts_to_tell(bench: &dyn Bench) -> Vec<Says> {
    match bench.receipts().it() {
        Some(Receipts::Told(says)) => {
            assert!(says.len() > 1, "one receipt has no order");
            for state in ["delivered", "failed"] {
                let is_told = says.iter().any(|it| it.state == state);
                assert!(is_told, "no receipt says {state}");
            }
            says
        }
        Some(Receipts::Follow(_)) | None => Vec::new(),
    }
}

/// Everything that the provider can be made to tell in this bench.
fn words(bench: &dyn Bench) -> Vec<Word> {
    let receipts = (0..receipts_to_tell(bench).len()).map(Word::Receipt);
    let inbound = bench.inbound().it().map(|_| Word::Inbound);
    receipts.chain(inbound).collect()
}

fn is_decent(receipt: &IncomingReceipt) {
    assert!(!receipt.raw.contains(TEXT), "message text in a receipt");
}

pub(super) async fn receipts_are_told_in_any_order_and_as_often_as_they_come(bench: &dyn Bench) {
    match bench.receipts().it() {
        Some(Receipts::Told(_)) => are_told(bench).await,
        Some(Receipts::Follow(following)) => follow(bench, *following).await,
        None => {}
    }
}

async fn are_told(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[]).await;
    let mut first = Vec::new();
    for (no, says) in receipts_to_tell(bench).into_iter().enumerate() {
        let word = Word::Receipt(no);
        let (told, answer) = stage.hear(word, Voice::Own, Some(Heard::Kept)).await;
        assert_eq!(answer, Answered::Kept);
        let [Told::Receipt(receipt)] = &told[..] else {
            panic!("a receipt is {told:?}");
        };
        assert_eq!(receipt.state.code(), says.state, "{receipt:?}");
        assert_eq!(receipt.ours, says.ours, "{receipt:?}");
        // Where both are told, both are about the same message.
        let names_it = receipt.references.iter().any(|it| &**it == REFERENCE);
        let by_ours = says.ours.is_some() && receipt.references.is_empty();
        assert!(names_it || by_ours, "{receipt:?}");
        is_decent(receipt);
        first.push((word, told));
    }
    for (word, expected) in first.into_iter().rev() {
        for _ in 0..2 {
            let (told, answer) = stage.hear(word, Voice::Own, Some(Heard::Kept)).await;
            assert_eq!((told, answer), (expected.clone(), Answered::Kept));
        }
    }
    stage.end().await;
}

/// Receipts that come by themselves: before the answer and after it, twice, and again and again until
/// they are kept.
async fn follow(bench: &dyn Bench, following: Following) {
    let Following {
        after,
        before,
        twice,
    } = following;
    let begin = async |submission: Submission| {
        let stage = Stage::new(bench, &[Treatment::Accept(REFERENCE)]).await;
        stage.lanes.put([submission]);
        stage
    };

    let stage = begin(after).await;
    let references = stage.references().await;
    let first = stage.receipt().await;
    is_decent(&first);
    assert!(first.references.iter().all(|it| references.contains(it)));
    stage.record.answer(Some(Heard::TryAgain));
    let mut refusals = vec![None];
    let mut seen = 0;
    while let Some(told) = stage.next_if_any().await {
        let Told::Receipt(receipt) = told else {
            panic!("no receipt: {told:?}");
        };
        let is_first = receipt == first;
        seen += usize::from(is_first);
        let refused = if is_first { refusals.pop() } else { None };
        stage.record.answer(refused.unwrap_or(Some(Heard::Kept)));
    }
    assert_eq!(seen, 2, "comes again until it is kept, and then no more");
    stage.end().await;

    let stage = begin(before).await;
    let receipt = stage.receipt().await;
    assert_eq!(receipt.state.code(), "delivered");
    stage.record.answer(Some(Heard::Kept));
    let references = stage.references().await;
    assert!(receipt.references.iter().all(|it| references.contains(it)));
    assert_eq!(stage.rest().await, [], "nothing comes after a final one");
    stage.end().await;

    let stage = begin(twice).await;
    stage.references().await;
    let receipts = stage.rest().await;
    let [.., one, other] = &receipts[..] else {
        panic!("not two receipts: {receipts:?}");
    };
    assert_eq!(one, other);
    assert_eq!(one.state.code(), "delivered");
    stage.end().await;
}

pub(super) async fn inbound_messages_are_told(bench: &dyn Bench) {
    let Some(written) = bench.inbound().it() else {
        let stage = Stage::new(bench, &[]).await;
        let is_called = stage.route.hooks().is_some() && bench.receipts().it().is_none();
        assert!(!is_called, "a connector that hears nothing has a hook");
        assert!(stage.route.simulator().is_none());
        stage.end().await;
        return;
    };
    let stage = Stage::new(bench, &[]).await;
    let mut messages = Vec::new();
    for _ in 0..2 {
        let heard = stage.hear(Word::Inbound, Voice::Own, Some(Heard::Kept));
        let (told, answer) = heard.await;
        assert_eq!(answer, Answered::Kept);
        let [Told::Inbound(message)] = &told[..] else {
            panic!("an inbound message is {told:?}");
        };
        assert_eq!(message.content.text.as_deref(), Some(TEXT));
        assert_eq!((&message.from, &*message.to), (&written.from, written.to));
        messages.push(message.clone());
    }
    let ids = messages.iter().map(|it| it.provider_id.as_deref());
    let ids: Vec<_> = ids.collect();
    match written.id {
        // The same message again: who keeps it knows it by its id (R-IN-3).
        MessageName::Is(id) => assert_eq!(ids, [Some(id); 2]),
        MessageName::Nothing(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            assert_eq!(ids, [None; 2]);
        }
        MessageName::Another(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            assert!(ids[0].is_some() && ids[0] != ids[1], "{ids:?}");
        }
    }
    stage.end().await;
}

pub(super) async fn answers_wait_for_the_ack(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[]).await;
    for word in words(bench) {
        let mut answer = stage.provider.tell(word, Voice::Own);
        tokio::select! {
            biased;
            early = &mut answer => panic!("answered before it was kept: {early:?}"),
            told = stage.record.wait(1) => assert!(!told.is_empty()),
        }
        // Asked once more, now that all was told.
        tokio::select! {
            biased;
            early = &mut answer => panic!("answered before it was kept: {early:?}"),
            () = stage.provider.settle() => {}
        }
        while stage.record.waiting_acks() > 0 {
            stage.record.answer(Some(Heard::Kept));
        }
        assert_eq!(answer.await, Answered::Kept);
        for heard in [Some(Heard::TryAgain), None] {
            let (told, answer) = stage.hear(word, Voice::Own, heard).await;
            assert!(!told.is_empty());
            assert_eq!(answer, Answered::TryAgain, "{heard:?}");
        }
    }
    stage.end().await;
}

pub(super) async fn strangers_are_refused(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[]).await;
    match bench.strangers() {
        Strangers::Forge => {
            for word in words(bench) {
                let heard = stage.hear(word, Voice::Strange, Some(Heard::Kept));
                let (told, answer) = heard.await;
                assert_eq!(told, [], "a stranger was believed");
                assert_eq!(answer, Answered::Refused);
            }
        }
        // What was told before the login was refused would have been told before the link was down.
        Strangers::AreNotLetIn => {
            assert_eq!(bench.first_word(), FirstWord::OurOwn);
            assert!(stage.route.hooks().is_none(), "anybody can call");
        }
        Strangers::Never(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            assert!(stage.route.hooks().is_none(), "anybody can call");
        }
    }
    stage.end().await;
}
