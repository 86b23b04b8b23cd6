//! What the engine needs of the world, as small traits, and the in-memory model of the store.
//!
//! Reading order: [`clock`], [`store`] (operations, then queries), [`connector`], [`hooks`],
//! [`phones`], [`provider`], [`courier`] and [`mail`]; then [`memory`] and [`conformance`].

pub mod clock;
pub mod conformance;
pub mod connector;
pub mod courier;
pub mod hooks;
pub mod mail;
pub mod memory;
pub mod phones;
pub mod provider;
pub mod store;
