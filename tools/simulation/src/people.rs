//! What do people of the team do with messages that wait for them (R-PHONE-2)?

use domain::ids::{MessageId, UserId};
use domain::time::Millis;
use engine::Engine;
use engine::people::Act;
use std::sync::Arc;

use crate::agenda::Event;
use crate::chronicle::ByPerson;
use crate::scenery::PROJECT;
use crate::stage::Stage;

/// What somebody is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PersonsWork {
    /// Looks whether something waits, and takes one.
    Looks(i64),
    /// Gives back what they have.
    GivesBack(i64, MessageId),
    /// Says that they have sent it.
    HasSent(i64, MessageId),
}

pub(crate) async fn work(stage: Arc<Stage>, engine: Engine, work: PersonsWork) {
    match work {
        PersonsWork::Looks(who) => looks(&stage, &engine, who).await,
        PersonsWork::GivesBack(who, id) => {
            acts(&stage, &engine, who, id, Act::GiveBack, ByPerson::GivesBack).await;
        }
        PersonsWork::HasSent(who, id) => {
            let name = format!("person{who}");
            let act = Act::Sent { name: &name };
            acts(&stage, &engine, who, id, act, ByPerson::Sent).await;
        }
    }
}

async fn looks(stage: &Stage, engine: &Engine, who: i64) {
    let Ok(offered) = engine.offered(PROJECT).await else {
        return;
    };
    let free: Vec<_> = offered.iter().filter(|it| it.claim.is_none()).collect();
    if free.is_empty() {
        return;
    }
    let id = stage.dice.lock().pick(&free).message.id;
    if !acts(stage, engine, who, id, Act::Take, ByPerson::Takes).await {
        return;
    }
    let (next, after) = {
        let mut dice = stage.dice.lock();
        let next = match dice.below(3) {
            0 => None,
            1 => Some(PersonsWork::GivesBack(who, id)),
            _ => Some(PersonsWork::HasSent(who, id)),
        };
        // The claim may be over by then.
        (next, dice.pick(&[2_000, 30_000, 120_000, 660_000]))
    };
    if let Some(next) = next {
        stage.note_in(Millis::new(after), Event::Team(next));
    }
}

async fn acts(
    stage: &Stage,
    engine: &Engine,
    who: i64,
    id: MessageId,
    act: Act<'_>,
    by: ByPerson,
) -> bool {
    let done = engine.person(PROJECT, id, UserId::from_key(who), act).await;
    let mut chronicle = stage.chronicle.lock();
    let words = match &done {
        Ok(_) => format!("person{who}: {by:?}"),
        Err(error) => format!("person{who}: {by:?}: {error}"),
    };
    let seq = chronicle.line(Some(id), words);
    if done.is_ok() {
        chronicle.people.push((seq, id, by));
    }
    done.is_ok()
}
