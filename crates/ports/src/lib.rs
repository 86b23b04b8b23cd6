//! What the engine needs of the world, as small traits, and the in-memory model of the store.
//!
//! Reading order: [`clock`], [`store`] (operations, then queries), [`connector`].

pub mod clock;
pub mod connector;
pub mod store;
