//! A Telegram bot, by the Bot API.
//!
//! Telegram says whether it took a message and nothing after that: a route of this kind is configured
//! with `receipts = false`. A bot cannot write first: a person's chat is known once they pressed Start.
//!
//! Reading order: [`config`], `submit` (submission to request), `codes` (what answers mean), `inbound`
//! (what updates tell).

mod codes;
pub mod config;
mod inbound;
mod submit;

pub use config::{TelegramConfig, Updates};
