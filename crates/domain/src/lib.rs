//! What is true: the nouns of Tandem, and every rule of the specification as a pure function.
//!
//! Nothing here does I/O, reads a clock, draws a random number or is asynchronous: time and
//! randomness are arguments. Reading order: [`time`], [`ids`], [`model`], [`text`] and [`phone`],
//! [`decision`], [`rules`], [`explain`].

pub mod decision;
pub mod explain;
pub mod ids;
pub mod model;
pub mod phone;
pub mod rules;
pub mod text;
pub mod time;
