//! Callbacks: told as they come, answered when they are kept, and nobody else's.

use ports::connector::Heard;
use ports::hooks::{HookAnswer, HookCall};

use super::{Bench, PATIENCE, Stage, TEXT};
use crate::testing::Told;

const REFERENCE: &str = "SM0123456789";

impl Stage {
    /// Makes a call, acknowledges all that it tells in this way (`None` drops the acknowledgements),
    /// and gives what it told and how it was answered.
    async fn call(&self, call: HookCall, heard: Option<Heard>) -> (Vec<Told>, HookAnswer) {
        let hooks = self.route.hooks().expect("a connector that is called");
        let mut answer = hooks.call(call);
        let mut told = Vec::new();
        let both = async {
            loop {
                tokio::select! {
                    biased;
                    it = self.record.wait(1) => {
                        told.extend(it);
                        match heard {
                            Some(heard) => while self.record.waiting_acks() > 0 {
                                self.record.ack(heard);
                            }
                            None => self.record.drop_acks(),
                        }
                    }
                    answer = &mut answer => return answer,
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, both).await;
        let answer = answer.expect("a call has no answer");
        told.extend(self.record.take());
        told.retain(|it| !matches!(it, Told::Billed(..)));
        (told, answer)
    }
}

fn is_success(answer: &HookAnswer) -> bool {
    (200..300).contains(&answer.status)
}

/// Every call that the provider makes in this bench.
fn calls(bench: &dyn Bench) -> Vec<HookCall> {
    let receipts = bench.receipts(REFERENCE).into_iter();
    receipts.chain(bench.inbound()).collect()
}

pub(super) async fn receipts_are_told_in_any_order_and_as_often_as_they_come(bench: &dyn Bench) {
    let stage = Stage::new(bench, []).await;
    let mut calls = bench.receipts(REFERENCE);
    let mut first = Vec::new();
    for call in &calls {
        let (told, answer) = stage.call(call.clone(), Some(Heard::Kept)).await;
        assert!(is_success(&answer), "{answer:?}");
        let [Told::Receipt(receipt)] = &told[..] else {
            panic!("a receipt is {told:?}");
        };
        let names_it = receipt.references.iter().any(|it| &**it == REFERENCE);
        assert!(names_it || receipt.ours.is_some(), "{receipt:?}");
        assert!(!receipt.raw.contains(TEXT), "message text in a receipt");
        first.push(told);
    }
    calls.reverse();
    first.reverse();
    for (call, expected) in calls.into_iter().zip(first) {
        for _ in 0..2 {
            let (told, _) = stage.call(call.clone(), Some(Heard::Kept)).await;
            assert_eq!(told, expected);
        }
    }
    stage.end().await;
}

pub(super) async fn inbound_messages_are_told(bench: &dyn Bench) {
    let Some(call) = bench.inbound() else {
        return;
    };
    let stage = Stage::new(bench, []).await;
    let (told, answer) = stage.call(call, Some(Heard::Kept)).await;
    assert!(is_success(&answer), "{answer:?}");
    let [Told::Inbound(message)] = &told[..] else {
        panic!("an inbound message is {told:?}");
    };
    assert_eq!(message.content.text.as_deref(), Some(TEXT));
    stage.end().await;
}

pub(super) async fn answers_wait_for_the_ack(bench: &dyn Bench) {
    let stage = Stage::new(bench, []).await;
    for call in calls(bench) {
        let hooks = stage.route.hooks().expect("a connector that is called");
        let mut answer = hooks.call(call.clone());
        tokio::select! {
            biased;
            early = &mut answer => panic!("answered before it was kept: {early:?}"),
            told = stage.record.wait(1) => assert!(!told.is_empty()),
        }
        // Asked once more, now that all was told.
        tokio::select! {
            biased;
            early = &mut answer => panic!("answered before it was kept: {early:?}"),
            () = tokio::task::yield_now() => {}
        }
        while stage.record.waiting_acks() > 0 {
            stage.record.ack(Heard::Kept);
        }
        assert!(is_success(&answer.await));
        for heard in [Some(Heard::TryAgain), None] {
            let (told, answer) = stage.call(call.clone(), heard).await;
            assert!(!told.is_empty());
            assert_eq!(answer.status, 503, "{heard:?}");
        }
    }
    stage.end().await;
}

pub(super) async fn strangers_are_refused(bench: &dyn Bench) {
    let stage = Stage::new(bench, []).await;
    for call in calls(bench) {
        let Some(forged) = bench.forged(call) else {
            continue;
        };
        let (told, answer) = stage.call(forged, Some(Heard::Kept)).await;
        assert_eq!(told, [], "a stranger was believed");
        assert!(matches!(answer.status, 401 | 403), "{answer:?}");
    }
    stage.end().await;
}
