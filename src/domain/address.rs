//! Ranges of internet addresses: from where a client may ask, and whose word on an address is believed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;

/// One address, or all that begin with the same bits, such as `203.0.113.0/24` (RFC 4632) or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "203.0.113.0/24")]
pub struct AddressRange(IpNet);

/// The most ranges of one list.
pub const MOST_RANGES: usize = 100;

impl AddressRange {
    /// Whether an address lies in it. One of IPv4 that came in the form of IPv6 (RFC 4291 §2.5.5.2) is the one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let range = match one {
            Ok(one) => one,
            Err(_) => text.parse::<IpNet>().map_err(|_| Invalid::new("", "must be an address, or a range such as 203.0.113.0/24"))?,
        };
        if range.trunc() != range {
            return Err(Invalid::new("", format!("has bits set beyond its length: write {}", range.trunc())));
        }
        Ok(Self(range))
    }
}

impl TryFrom<String> for AddressRange {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(out) } else { self.0.fmt(out) }
    }
}

/// Checks a list: not too many, each once.
pub fn check(ranges: &[AddressRange]) -> Result<(), Invalid> {
    if ranges.len() > MOST_RANGES {
        return Err(Invalid::new("addresses", format!("must be at most {MOST_RANGES}")));
    }
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() == ranges.len() { Ok(()) } else { Err(Invalid::new("addresses", "must be named once each")) }
}

/// Whether an address is in a list; an empty list admits every one.
pub fn admits(ranges: &[AddressRange], address: IpAddr) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| range.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly_and_written_shortly() {
        for (text, written) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), written, "{text}");
        }
        for (text, said) in [
            ("203.0.113.7/24", "write 203.0.113.0/24"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("203.0.113.0/33", "must be an address"),
            ("0x7f.1", "must be an address"),
            ("3405803776", "must be an address"),
            ("localhost", "must be an address"),
            (" 203.0.113.7", "must be an address"),
            ("", "must be an address"),
        ] {
            let error = text.parse::<AddressRange>().unwrap_err();
            assert!(error.reason.contains(said), "{text}: {}", error.reason);
        }
    }

    #[test]
    fn an_address_is_in_its_ranges_in_every_spelling() {
        let ranges = ["203.0.113.0/24", "2001:db8::/32"].map(|text| text.parse::<AddressRange>().unwrap());
        for (address, inside) in
            [("203.0.113.255", true), ("::ffff:203.0.113.1", true), ("203.0.114.0", false), ("2001:db8:1::", true), ("2001:db9::", false)]
        {
            assert_eq!(admits(&ranges, address.parse().unwrap()), inside, "{address}");
        }
        assert!(admits(&[], "::1".parse().unwrap()));
        assert!(check(&[ranges[0], ranges[1]]).is_ok() && check(&[ranges[0], ranges[0]]).is_err());
        assert!(check(&vec![ranges[0]; MOST_RANGES + 1]).is_err());
    }
}
