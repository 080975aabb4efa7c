//! From where a request comes. What it says of that itself is believed of the operator's own proxies only.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::domain::address::AddressRange;

/// What a proxy writes the address into that it was asked from, the nearest last (RFC 7239 §1 calls it the de-facto header).
const FORWARDED: &str = "x-forwarded-for";

/// The address of the client: the connection's own, and behind trusted proxies the last one that is none of theirs.
pub fn address(request: &HttpRequest, proxies: &[AddressRange]) -> IpAddr {
    let connected = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    // Also a line that is no text: dropping it would drop what a trusted proxy wrote at its end.
    let lines: Vec<_> = request.headers().get_all(FORWARDED).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    told(connected, &lines, proxies)
}

fn told(connected: IpAddr, lines: &[impl AsRef<str>], proxies: &[AddressRange]) -> IpAddr {
    let mut nearest = connected.to_canonical();
    let hops = lines.iter().rev().flat_map(|line| line.as_ref().rsplit(','));
    for hop in hops {
        if !proxies.iter().any(|proxy| proxy.contains(nearest)) {
            break;
        }
        // What can't be read was written by nobody we trust: the proxy itself is then who asks.
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        nearest = before.to_canonical();
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed_and_only_as_far_as_they_reach() {
        let proxies = ["10.0.0.0/8", "2001:db8::1"].map(|range| range.parse::<AddressRange>().unwrap());
        for (connected, lines, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1:443"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("2001:db8::1", &["2001:db8::2"], "2001:db8::2"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            let found = told(connected.parse().unwrap(), lines, &proxies);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{connected} {lines:?}");
        }
        assert_eq!(told("10.0.0.1".parse().unwrap(), &["198.51.100.1"], &[]), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
