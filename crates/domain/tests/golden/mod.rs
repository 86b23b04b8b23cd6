//! The decision rules, tried on the specification's own examples, on whole small spaces, and
//! against slow restatements of themselves.

mod carry_space;
mod channel_space;
mod cost;
mod examples;
mod mms;
mod refusals;
mod route_order;
mod route_space;
mod too_large;
mod volume;
mod world;
