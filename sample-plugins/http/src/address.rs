//! Invariant: an address that reaches the host's own networks is never taken for a public one, in whatever form of IPv6
//! its IPv4 address is wrapped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whom an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Anybody on the internet.
    Public,
    /// This machine, or its neighbours.
    Private,
    /// What a cloud tells its machines of themselves, credentials included.
    Metadata,
}

/// Services that give a machine its credentials, by the addresses that clouds use for them.
const METADATA_V4: [Ipv4Addr; 7] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 0, 23),
    Ipv4Addr::new(169, 254, 42, 42),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 6] = [
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Ranges of IPv4 that are not the internet's: this network, private use, shared, loopback, link-local, protocol
/// assignments, documentation, the old 6to4 relays, benchmarks, multicast, reserved and broadcast.
const PRIVATE_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of the global unicast addresses of IPv6 those that are not the internet's: protocol assignments (Teredo among them)
/// and documentation.
const PRIVATE_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Global unicast.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whom an address reaches; of the addresses it stands for the most delicate one counts.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => match inner(address) {
            Some(inner) => reach_v4(inner),
            None => reach_v6(address),
        },
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Metadata;
    }
    let private =
        |(net, length): &(Ipv4Addr, u8)| Range::new(IpAddr::V4(*net), *length).holds(IpAddr::V4(address));
    if PRIVATE_V4.iter().any(private) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if METADATA_V6.contains(&address) {
        return Reach::Metadata;
    }
    let within =
        |(net, length): &(Ipv6Addr, u8)| Range::new(IpAddr::V6(*net), *length).holds(IpAddr::V6(address));
    if within(&GLOBAL_V6) && !PRIVATE_V6.iter().any(within) {
        Reach::Public
    } else {
        Reach::Private
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, translated, through NAT64 or 6to4.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = |a: u16, b: u16| Ipv4Addr::from((u32::from(a) << 16) | u32::from(b));
    match address.segments() {
        // The unspecified address and loopback have the form of compatible ones, and are none.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, a, b] | [0, 0, 0, 0, 0xffff, 0, a, b] => Some(low(a, b)),
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => Some(low(a, b)),
        _ => None,
    }
}

/// The address itself, and the one that it leads to.
pub(crate) fn faces(address: IpAddr) -> [Option<IpAddr>; 2] {
    let inner = match address {
        IpAddr::V6(address) => inner(address).map(IpAddr::V4),
        IpAddr::V4(_) => None,
    };
    [Some(address), inner]
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    net: IpAddr,
    length: u8,
}

impl Range {
    /// A network; a length that is too long counts as the longest.
    const fn new(net: IpAddr, length: u8) -> Self {
        Self { net, length }
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or a single address, which may be in brackets.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let net: IpAddr = bare.unwrap_or(address).parse().ok()?;
        let most = if net.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= most)?,
            None => most,
        };
        Some(Self::new(net, length))
    }

    /// Whether an address is in it.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        match (self.net, address) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let drop = 32 - u32::from(self.length).min(32);
                let cut = |address: Ipv4Addr| u32::from(address).checked_shr(drop).unwrap_or(0);
                cut(net) == cut(address)
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let drop = 128 - u32::from(self.length).min(128);
                let cut = |address: Ipv6Addr| u128::from(address).checked_shr(drop).unwrap_or(0);
                cut(net) == cut(address)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn no_form_of_an_address_of_the_hosts_own_networks_is_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "64:ff9b:1::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::ffff:0:192.168.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
        ] {
            assert_eq!(reach(ip(text)), Reach::Private, "{text}");
        }
    }

    #[test]
    fn what_a_cloud_tells_its_machines_is_told_apart() {
        for text in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "169.254.170.2",
            "168.63.129.16",
            "100.100.100.200",
            "169.254.0.23",
            "169.254.42.42",
            "fe80::a9fe:a9fe",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:ec2::254",
            "fd20:ce::254",
        ] {
            assert_eq!(reach(ip(text)), Reach::Metadata, "{text}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(reach(ip(text)), Reach::Public, "{text}");
        }
    }

    #[test]
    fn a_range_is_an_address_or_a_network_and_nothing_else() {
        assert!(Range::read("10.0.0.0/8").unwrap().holds(ip("10.255.0.1")));
        assert!(!Range::read("10.0.0.0/8").unwrap().holds(ip("11.0.0.1")));
        assert!(Range::read("[fd00::1]").unwrap().holds(ip("fd00::1")));
        assert!(Range::read("0.0.0.0/0").unwrap().holds(ip("255.1.1.1")));
        assert!(Range::read("::/0").unwrap().holds(ip("fd00::1")));
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0/8",
            "host",
            "10.0.0.0/-1",
            "[::1",
        ] {
            assert_eq!(Range::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_wrapped_address_reaches_whom_the_bare_one_reaches(bits: u32) {
            let bare = Ipv4Addr::from(bits);
            let [a, b, c, d] = bare.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let bare = IpAddr::V4(bare);
            for wrapped in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 1, 2, 3, 4, 5),
            ] {
                prop_assert_eq!(reach(IpAddr::V6(wrapped)), reach(bare));
                prop_assert_eq!(faces(IpAddr::V6(wrapped))[1], Some(bare));
            }
        }
    }
}
