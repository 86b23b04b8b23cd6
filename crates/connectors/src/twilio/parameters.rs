//! The parameters of a callback by name, and which kind of callback they make it.

use super::signature::Parameters;

/// The parameters of a callback.
pub(super) struct Fields(Parameters);

/// What a callback is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A message of ours.
    Status,
    /// A message of theirs.
    Inbound,
    /// Neither.
    Other,
}

impl From<Parameters> for Fields {
    fn from(parameters: Parameters) -> Self {
        Self(parameters)
    }
}

impl Fields {
    /// The first value with this name, where it is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|it| it.0 == name && !it.1.is_empty());
        found.map(|it| &*it.1)
    }

    /// Whether there is a parameter with this name, be it empty.
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it.0 == name)
    }

    /// What the callback is about.
    ///
    /// Both kinds come to the same URL and share most of their parameters, and new ones appear at any
    /// time. The status tells them apart, since messages of theirs are `received` only; where there
    /// is none, an inbound message always has a count of media, and a status callback never.
    pub(super) fn kind(&self) -> Kind {
        match self.get("MessageStatus").or(self.get("SmsStatus")) {
            Some("received" | "receiving") => Kind::Inbound,
            Some(_) => Kind::Status,
            None if self.get("EventType") == Some("READ") => Kind::Status,
            None if self.has("NumMedia") && self.has("From") => Kind::Inbound,
            None => Kind::Other,
        }
    }
}
