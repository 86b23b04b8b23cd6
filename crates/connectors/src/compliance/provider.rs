//! What plays the provider, whatever is spoken with it: how it treats what it is given, what it tells, and
//! how it is answered. No wire in here; each protocol brings its own.

use std::sync::Arc;

use domain::model::address::Address;
use ports::connector::{Connector, Submission, SubmissionKey};
use ports::hooks::Pending;

/// Something that a provider has, or why it has not: a case is left out for such a reason only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Has<T> {
    /// It has this.
    It(T),
    /// It has not, because of this.
    Not(&'static str),
}

impl<T> Has<T> {
    /// What it has; a reason for having nothing must be given in words.
    pub(super) fn it(self) -> Option<T> {
        match self {
            Self::It(it) => Some(it),
            Self::Not(why) => {
                assert!(why.contains(' '), "no reason: {why}");
                None
            }
        }
    }
}

/// How a provider receives a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opening {
    /// It lets the route in.
    LetsIn,
    /// It refuses its login (its probe, its bind) the first time. Where it can tell something all the
    /// same, it does.
    RefusesLogin,
    /// Nobody listens at its address.
    NobodyListens,
}

/// How a provider treats a submission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Treatment {
    /// Takes it, under this reference where it gives one.
    Accept(&'static str),
    /// It will never work for this recipient or content.
    Reject,
    /// Says to slow down.
    Throttle,
    /// Says that the account does not work.
    AccountFault,
    /// Reads all of it and is gone without an answer.
    LoseAnswer,
    /// Answers what no document has.
    Undocumented,
}

/// Whom a provider is first spoken to with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FirstWord {
    /// A login, a bind or a probe: without it no submission is taken.
    OurOwn,
    /// The first submission.
    ASubmission,
    /// There is nobody to speak to, because of this.
    Never(&'static str),
}

/// What it means that the answer to a submission says that the account does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AccountFault {
    /// The route is down, and up again by itself (R-HEALTH).
    TakesTheRouteDown,
    /// No more than that this submission was not accepted, because of this.
    IsOfTheSubmission(&'static str),
    /// No provider of this kind says so, because of this.
    Never(&'static str),
}

/// By what the provider is known from somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strangers {
    /// Anybody may call; what a call shows proves whose it is.
    Forge,
    /// Nobody can call: the route dials, and believes nothing before it is let in.
    AreNotLetIn,
    /// Nothing comes in from outside, because of this.
    Never(&'static str),
}

/// How receipts come.
#[derive(Clone, Debug)]
pub(crate) enum Receipts {
    /// When they are told: these, one after the other, of the message that was accepted under
    /// [`REFERENCE`](super::REFERENCE).
    Told(Vec<Says>),
    /// By themselves, to submissions of each kind; in made-up time, since they take theirs.
    Follow(Box<Following>),
}

/// Submissions whose receipts come in different ways.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    /// After the answer.
    pub(crate) after: Submission,
    /// Before the answer.
    pub(crate) before: Submission,
    /// The final one twice.
    pub(crate) twice: Submission,
}

/// What a receipt must be understood as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Says {
    /// The word of its state: `in_transit`, `delivered`, `read` or `failed`.
    pub(crate) state: &'static str,
    /// Our own reference, where it gives that back.
    pub(crate) ours: Option<SubmissionKey>,
}

impl Says {
    /// This, without our own reference.
    pub(crate) const fn state(state: &'static str) -> Self {
        Self { state, ours: None }
    }
}

/// What an inbound message must be understood as, beside its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    /// Who wrote it.
    pub(crate) from: Address,
    /// To which address of ours.
    pub(crate) to: &'static str,
    /// By what it is known when it comes again.
    pub(crate) id: MessageName,
}

/// By what an inbound message is known when it comes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MessageName {
    /// By this id of the provider's.
    Is(&'static str),
    /// By nothing, because of this.
    Nothing(&'static str),
    /// It does not come again: each telling is a message of its own, with its own id, because of this.
    Another(&'static str),
}

/// Something that a provider tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// The receipt of this number, counted from 0.
    Receipt(usize),
    /// An inbound message of [`TEXT`](super::TEXT).
    Inbound,
}

/// Who tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Voice {
    /// The provider.
    Own,
    /// Somebody who would like to be believed to be the provider.
    Strange,
}

/// How a provider is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answered {
    /// It is kept.
    Kept,
    /// It is to come again.
    TryAgain,
    /// Not from you.
    Refused,
    /// Anything else.
    Otherwise(String),
}

/// A provider that was started, and the route to it.
pub(crate) struct Started {
    pub(crate) route: Arc<dyn Connector>,
    pub(crate) provider: Box<dyn Provider>,
}

/// A provider that plays its script: each submission by the next treatment.
pub(crate) trait Provider: Send + Sync {
    /// How often a submission was put to it.
    fn asked(&self) -> Has<usize>;

    /// Tells the route this, and waits for the answer.
    fn tell(&self, word: Word, voice: Voice) -> Pending<'_, Answered>;

    /// Waits until an answer that the route gave by now would have come.
    fn settle(&self) -> Pending<'_, ()>;
}
