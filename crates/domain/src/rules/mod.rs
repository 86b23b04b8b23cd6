//! The rules of the specification, one family a file. Each file opens with its rule's number.

pub mod bill;
pub mod bulk_detection;
pub mod channel;
pub mod class;
pub mod consent;
pub mod cost;
pub mod due;
pub mod fallback;
pub mod health;
pub mod keyword;
mod keyword_words;
pub mod metrics;
pub mod order;
pub mod outcome;
pub mod password;
pub mod plan;
pub mod publish;
pub mod reach;
pub mod receipt_order;
pub mod route;
pub mod template;
pub mod unknown;
pub mod validity;
pub mod viable;
pub mod window;
