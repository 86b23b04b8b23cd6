//! R-SEC: which addresses may a customer's URL lead to?
//!
//! Whoever may set a webhook must not reach through us what stands behind our wall: this machine, the
//! private network, the metadata service of a cloud. So only what is public is allowed, and an operator
//! may allow the private network too, but never what no receiver can have. Sources: the IANA
//! registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890), July 2026.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Anybody's.
    Public,
    /// This machine's, or the network's behind the same wall.
    Private,
    /// Nobody's whom a letter could be for: link-local (metadata services are there), multicast,
    /// unspecified, reserved, for documentation.
    Nowhere,
}

/// The kind of this address.
pub const fn place_of(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(it) => place_of_v4(it),
        IpAddr::V6(it) => place_of_v6(it),
    }
}

const fn place_of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [127 | 10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => {
            Place::Private
        }
        // This network; link-local; protocol assignments; documentation; relays; benchmarks;
        // multicast, reserved and broadcast.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Nowhere,
        _ => Place::Public,
    }
}

const fn place_of_v6(address: Ipv6Addr) -> Place {
    if let Some(inner) = embedded(address) {
        return place_of_v4(inner);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Private,
        // A cloud's metadata service, in the midst of the private range.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Place::Nowhere,
        [0xfc00..=0xfdff, ..] => Place::Private,
        // Protocol assignments (Teredo among them), documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Nowhere,
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Nowhere,
    }
}

/// The IPv4 address that is meant: mapped and compatible forms, NAT64 and 6to4.
const fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        place_of(text.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert_eq!(place(public), Place::Public, "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fc00::1",
            "fdff:ffff::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::127.0.0.1",
            "::ffff:0:192.168.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
        ] {
            assert_eq!(place(private), Place::Private, "{private}");
        }
        for nowhere in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
        ] {
            assert_eq!(place(nowhere), Place::Nowhere, "{nowhere}");
        }
    }
}
