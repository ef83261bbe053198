//! Networks in CIDR notation, and the one rule of where a request comes from when proxies stand in between.

use std::net::{IpAddr, SocketAddr};

/// A network; an IPv4 address in IPv6 clothes is that IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if let (IpAddr::V4(mapped), 96..) = (address.to_canonical(), bits)
            && address.is_ipv6()
        {
            return (bits <= most).then_some(Self { address: mapped.into(), bits: bits - 96 });
        }
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether an address lies in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - self.bits;
                u64::from(net.to_bits()) >> shift == u64::from(ip.to_bits()) >> shift
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - self.bits;
                shift == 128 || net.to_bits() >> shift == ip.to_bits() >> shift
            }
            _ => false,
        }
    }
}

/// A network of the configuration, whose text comes back as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenNetwork {
    text: String,
    network: Network,
}

impl WrittenNetwork {
    /// Reads what [`Network::parse`] reads.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned(), network: Network::parse(text)? })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an address lies in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.network.contains(ip)
    }
}

/// The address of the client: the peer, or, while the hop that we know is a trusted proxy, whom it says it spoke to.
///
/// `forwarded` are the values of `X-Forwarded-For` in the order of the request. Each proxy adds its peer at the right end, so the
/// walk goes from there, and ends at the first address that no trusted proxy vouches for: what stands to its left, a client may have
/// written. What is no address ends the walk, too, at the proxy that handed it on.
pub fn client<'h>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'h [u8]>,
    trusted: &[WrittenNetwork],
) -> IpAddr {
    let mut client = peer.to_canonical();
    let mut hops = forwarded.rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    while is_trusted(client, trusted) {
        match hops.next().and_then(hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// Whether the client spoke TLS, by what a trusted peer says of it in `X-Forwarded-Proto`; `None` where it says nothing that counts.
pub fn client_is_secure<'h>(
    peer: IpAddr,
    mut protocols: impl DoubleEndedIterator<Item = &'h [u8]>,
    trusted: &[WrittenNetwork],
) -> Option<bool> {
    let last = is_trusted(peer.to_canonical(), trusted).then(|| protocols.next_back()).flatten()?;
    match last.rsplit(|byte| *byte == b',').next().unwrap_or(last).trim_ascii() {
        word if word.eq_ignore_ascii_case(b"https") => Some(true),
        word if word.eq_ignore_ascii_case(b"http") => Some(false),
        _ => None,
    }
}

/// Whether a request came through a trusted proxy.
pub fn is_proxied(peer: Option<SocketAddr>, trusted: &[WrittenNetwork]) -> bool {
    peer.is_some_and(|peer| is_trusted(peer.ip().to_canonical(), trusted))
}

fn is_trusted(address: IpAddr, trusted: &[WrittenNetwork]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// An address with or without a port, an IPv6 one with or without brackets.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(networks: &[&str]) -> Vec<WrittenNetwork> {
        networks.iter().map(|text| WrittenNetwork::parse(text).unwrap()).collect()
    }

    fn from(peer: &str, forwarded: &[&str]) -> String {
        let trusted = trusted(&["10.0.0.0/8", "2001:db8:1::/48"]);
        client(peer.parse().unwrap(), forwarded.iter().map(|line| line.as_bytes()), &trusted).to_string()
    }

    #[test]
    fn a_header_counts_for_nothing_unless_a_trusted_proxy_sent_it() {
        assert_eq!(from("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(from("2001:db8:2::1", &["203.0.113.9"]), "2001:db8:2::1");
        let peer = "10.1.1.1".parse().unwrap();
        assert_eq!(client(peer, [b"203.0.113.9".as_slice()].into_iter(), &[]), peer, "nobody is trusted by default");
    }

    #[test]
    fn the_walk_goes_from_the_right_through_trusted_hops_only() {
        for (forwarded, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9, 10.2.2.2"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9", "10.2.2.2,10.3.3.3"], "203.0.113.9"),
            (&["10.9.9.9, 203.0.113.9 , 10.2.2.2"], "203.0.113.9"),
            (&["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
            (&["2001:db8:9::1, 2001:db8:1::5"], "2001:db8:9::1"),
            (&[], "10.1.1.1"),
        ] {
            assert_eq!(from("10.1.1.1", forwarded), expected, "{forwarded:?}");
        }
        assert_eq!(from("::ffff:10.1.1.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        for (hop, expected) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8:9::1]:443", "2001:db8:9::1"),
            ("[2001:db8:9::1]", "2001:db8:9::1"),
            ("\"[2001:db8:9::1]:443\"", "2001:db8:9::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("\t203.0.113.9 ", "203.0.113.9"),
        ] {
            assert_eq!(from("10.1.1.1", &[hop]), expected, "{hop}");
        }
    }

    #[test]
    fn garbage_ends_the_walk_at_the_proxy_that_handed_it_on() {
        for garbage in [
            "",
            ",",
            "unknown",
            "_hidden",
            "203.0.113.9.1",
            "203.0.113.9:99999",
            "[::1",
            "fe80::1%eth0",
            "for=1.2.3.4",
            "\u{0}",
            "1.2.3.4;5",
            "999.1.1.1",
        ] {
            assert_eq!(from("10.1.1.1", &[garbage]), "10.1.1.1", "{garbage:?}");
            let before = format!("{garbage}, 203.0.113.9");
            assert_eq!(from("10.1.1.1", &[&before]), "203.0.113.9", "what a client wrote first is never looked at");
            let after = format!("1.1.1.1, {garbage}, 10.2.2.2");
            assert_eq!(from("10.1.1.1", &[&after]), "10.2.2.2", "{garbage:?}");
        }
        let long = b"10.0.0.1,".repeat(10_000);
        let end =
            client("10.1.1.1".parse().unwrap(), [long.as_slice(), b"\xff\xfe"].into_iter(), &trusted(&["10.0.0.0/8"]));
        assert_eq!(end.to_string(), "10.1.1.1");
    }

    #[test]
    fn a_trusted_peer_says_whether_the_client_spoke_tls() {
        let says = |peer: &str, lines: &[&str]| {
            let lines = lines.iter().map(|line| line.as_bytes());
            client_is_secure(peer.parse().unwrap(), lines, &trusted(&["10.0.0.0/8"]))
        };
        assert_eq!(says("10.1.1.1", &["https"]), Some(true));
        assert_eq!(says("10.1.1.1", &["https, http"]), Some(false));
        assert_eq!(says("10.1.1.1", &["http", "HTTPS "]), Some(true));
        for nothing in [&["wss"][..], &[""], &[], &["https,"]] {
            assert_eq!(says("10.1.1.1", nothing), None, "{nothing:?}");
        }
        assert_eq!(says("198.51.100.7", &["https"]), None);
    }

    #[test]
    fn an_address_is_in_its_network_in_either_clothes() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.1", "11.0.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
        for bad in ["", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0", "host"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
