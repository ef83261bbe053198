//! Where this server may send something of its own accord: no address of the link and no metadata service of a cloud, which would
//! give away the host's own credentials (`access.md` §2). Pure.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names under which clouds serve metadata, beside their addresses.
const METADATA_NAMES: [&str; 4] =
    ["metadata.google.internal", "metadata.goog", "metadata", "instance-data.ec2.internal"];
/// Metadata services outside the link-local ranges: Alibaba Cloud, Azure, Oracle's former one; EC2 over IPv6.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Why nothing is sent to an address; `None` where it may be.
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| translated(v6)) {
            Some(v4) => refused_v4(v4),
            None if v6.segments()[0] & 0xffc0 == 0xfe80 => Some("it is a link-local address"),
            None if v6 == METADATA_V6 => Some("it is the metadata service of a cloud"),
            None if v6.is_unspecified() || v6.is_multicast() => Some("it is no address of a host"),
            None => None,
        },
    }
}

fn refused_v4(v4: Ipv4Addr) -> Option<&'static str> {
    match v4 {
        _ if v4.is_link_local() => Some("it is a link-local address"),
        _ if METADATA_V4.contains(&v4) => Some("it is the metadata service of a cloud"),
        _ if v4.octets()[0] == 0 || v4.is_broadcast() || v4.is_multicast() => Some("it is no address of a host"),
        _ => None,
    }
}

/// The address behind `64:ff9b::/96` (RFC 6052).
fn translated(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = v6.segments() else { return None };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

/// The same for a host as an URL writes it: a name, an address, or `[…]` around one of IPv6.
pub fn refused_host(host: &str) -> Option<&'static str> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    if METADATA_NAMES.contains(&bare.as_str()) {
        return Some("it is the metadata service of a cloud");
    }
    bare.parse().ok().and_then(refused)
}

/// Checks an `http(s)://host[:port][/path]`; the error says what is wrong with it.
pub fn check(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| "it does not begin with `https://` or `http://`".to_owned())?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it holds a password; give it as a header".to_owned());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            port.parse::<u16>().map_err(|_| format!("`{port}` is no port"))?;
            host
        }
        _ => authority,
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '%' | '"' | '<' | '>');
    if host.is_empty() || host.contains(odd) || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it names no host".to_owned());
    }
    // Other spellings of an IPv4 address (`0xa9fea9fe`, `169.254.43518`, `2852039166`) are read as one by resolvers.
    let numbers = |part: &str| part.starts_with("0x") || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !host.starts_with('[')
        && host.parse::<Ipv4Addr>().is_err()
        && host.trim_end_matches('.').rsplit('.').next().is_some_and(numbers)
    {
        return Err("write an address as four numbers".to_owned());
    }
    match refused_host(host) {
        Some(why) => Err(format!("nothing is sent to {host}: {why}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_the_link_are_refused_in_every_spelling() {
        for bad in [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.0.1:8080",
            "https://[fe80::1]/x",
            "https://[::ffff:169.254.169.254]:443/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://metadata.google.internal/",
            "http://METADATA.google.internal.:80",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://169.254.43518/",
            "http://0.0.0.0/",
            "http://user:secret@example.com/",
            "ftp://example.com",
            "https://",
            "https://exa mple.com",
            "https://example.com:99999/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in [
            "https://siem.example.com/in?x=1",
            "http://10.0.0.7:9000",
            "http://127.0.0.1:1/",
            "https://[2001:db8::1]:443/",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }
}
