//! The nouns, with their legal states.

pub mod address;
pub mod alert;
pub mod attempt;
pub mod audit;
pub mod channel;
pub mod consent;
pub mod contact;
pub mod content;
pub mod control;
pub mod event;
pub mod failure;
pub mod ledger;
pub mod message;
pub mod money;
pub mod policy;
pub mod progress;
pub mod quota;
pub mod receipt;
pub mod rest;
pub mod route;
pub mod sender;
pub mod tally;
pub mod tariff;
pub mod template;
pub mod user;
pub mod webhook;
