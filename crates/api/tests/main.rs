//! The API on the real engine, with a store in memory and providers that do as they are told.

#![expect(
    clippy::unwrap_used,
    reason = "tests; the lint sees only their functions as such"
)]

#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/bad_input.rs"]
mod bad_input;
#[path = "suite/callbacks.rs"]
mod callbacks;
#[path = "suite/consent.rs"]
mod consent;
#[path = "suite/contacts.rs"]
mod contacts;
#[path = "suite/conversations.rs"]
mod conversations;
#[path = "suite/events.rs"]
mod events;
#[path = "suite/golden.rs"]
mod golden;
#[path = "suite/house.rs"]
mod house;
#[path = "suite/keys.rs"]
mod keys;
#[path = "suite/messages.rs"]
mod messages;
#[path = "suite/money.rs"]
mod money;
#[path = "suite/operations.rs"]
mod operations;
#[path = "suite/outside.rs"]
mod outside;
#[path = "suite/pages.rs"]
mod pages;
#[path = "suite/phones.rs"]
mod phones;
#[path = "suite/quoting.rs"]
mod quoting;
#[path = "suite/senders.rs"]
mod senders;
#[path = "suite/templates.rs"]
mod templates;
#[path = "suite/users.rs"]
mod users;
#[path = "suite/waiting.rs"]
mod waiting;
#[path = "suite/webhooks.rs"]
mod webhooks;
