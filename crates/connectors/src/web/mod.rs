//! Providers that are spoken to by HTTP: the two pure halves that each of them is ([`protocol`]), the
//! one driver that carries them ([`driver`], with the [`client`] that asks, the [`recipients`] that
//! wait, the [`health`] of the route and what it [`hear`]s), and whether a call comes from the
//! provider ([`signature`]).

pub(crate) mod client;
pub(crate) mod driver;
mod health;
pub(crate) mod hear;
pub(crate) mod protocol;
mod recipients;
pub(crate) mod signature;

#[cfg(test)]
pub(crate) mod testing;
