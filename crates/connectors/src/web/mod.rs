//! Providers that are spoken to by HTTP: the two pure halves that each of them is ([`protocol`]), and
//! the one driver that carries them.

pub(crate) mod protocol;
