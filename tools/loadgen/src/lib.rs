//! How fast is the line, and does it keep its promises when it is killed?
//!
//! A load generator, an SMSC and the bookkeeping in one process with one clock. Each message carries its
//! own number in its text and has a recipient of its own, so that every point of its way is counted by
//! reference: accepted, submitted (and how often), receipt sent, receipt acknowledged. A message ends when
//! the server acknowledges its receipt, since it does so only after the receipt is durable.

pub mod bench;
pub mod commands;
pub mod http_client;
pub mod load;
pub mod pdu;
pub mod procfs;
pub mod report;
pub mod script;
pub mod server;
pub mod settle;
pub mod smsc;
mod smsc_link;
pub mod standin;
pub mod tally;
pub mod traffic;
pub mod verify;
