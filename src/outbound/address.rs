//! Which addresses are of the public internet, and which hosts the operator allows beside them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::domain::Invalid;

/// Whether an address is one of the public internet: none of the IANA special-purpose registries
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and the same for IPv6), no multicast.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// First address and length of the prefix.
    const SPECIAL: [([u8; 4], u32); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let bits = address.to_bits();
    !SPECIAL.iter().any(|(first, length)| (bits ^ u32::from_be_bytes(*first)) >> 32_u32.saturating_sub(*length) == 0)
}

/// Only global unicast addresses (2000::/3) are, without those that stand for others (Teredo, 6to4) or for nothing. An
/// IPv4 address in another's clothes (mapped, translated) lies outside of them.
fn is_public_v6(address: Ipv6Addr) -> bool {
    const SPECIAL: [(u128, u32); 4] = [
        // 2001::/23 protocols, with Teredo; 2001:db8::/32 and 3fff::/20 documentation; 2002::/16 6to4.
        (0x2001_0000 << 96, 23),
        (0x2001_0db8 << 96, 32),
        (0x2002_0000 << 96, 16),
        (0x3fff_0000 << 96, 20),
    ];
    let bits = address.to_bits();
    let within = |first: u128, length: u32| (bits ^ first) >> 128_u32.saturating_sub(length) == 0;
    within(0x2000 << 112, 3) && !SPECIAL.iter().any(|(first, length)| within(*first, *length))
}

/// A host that the operator allows: a name or address, perhaps with the one port that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl AllowedHost {
    /// Whether a host, as an address names it, is the one. Without a port every port's is.
    pub fn covers(&self, host: &str, port: Option<u16>) -> bool {
        let ports = match (self.port, port) {
            (Some(allowed), Some(asked)) => allowed == asked,
            (None, _) | (_, None) => true,
        };
        ports && plain(host) == self.host
    }
}

/// In lower case, without the closing dot of a whole name and without the brackets of an address.
fn plain(host: &str) -> String {
    host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

impl FromStr for AllowedHost {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::new("", "must be a host or host:port, such as minio.internal:9000 or [fd00::1]:9000");
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address has colons of its own.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().map_err(|_| bad())?)),
            Some(_) | None => (text, None),
        };
        let host = plain(host);
        let named = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(named) { Err(bad()) } else { Ok(Self { host, port }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_ports() {
        for (text, host, port) in [
            ("minio.internal", "minio.internal", None),
            ("MinIO.internal.:9000", "minio.internal", Some(9000)),
            ("10.0.0.5:80", "10.0.0.5", Some(80)),
            ("[fd00::1]:9000", "fd00::1", Some(9000)),
            ("fd00::1", "fd00::1", None),
        ] {
            assert_eq!(text.parse(), Ok(AllowedHost { host: host.to_owned(), port }), "{text}");
        }
        for text in ["", "a b", "http://a", "a:x", "a:70000", "*"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn edges_of_the_ranges() {
        for (address, public) in [
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("100.63.255.255", true),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("172.15.255.255", true),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("198.19.255.255", false),
            ("223.255.255.255", true),
            ("1fff::", false),
            ("2001:200::", true),
            ("2001:1ff::", false),
            ("2003::", true),
            ("3fff:1000::", true),
            ("4000::", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
