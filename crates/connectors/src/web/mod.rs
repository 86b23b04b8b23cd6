//! Providers that are spoken to by HTTP: the two pure halves that each of them is ([`protocol`]), the
//! one driver that carries them ([`driver`], with the [`client`] that asks and what it [`hear`]s), and
//! whether a call comes from the provider ([`signature`]).

pub(crate) mod protocol;
pub(crate) mod signature;

#[cfg(test)]
pub(crate) mod testing;
