//! Addresses of networks: what a pattern found is looked at again by the rules of the address.

use std::net::Ipv6Addr;
use std::ops::Range;

/// Where a URL ends: signs that close a sentence are not its own.
pub(super) fn end_of_url(text: &str, at: Range<usize>) -> usize {
    let found = text.get(at.clone()).unwrap_or_default();
    let mut kept = found;
    loop {
        let shorter = kept.strip_suffix(['.', ',', ';', ':', '!', '?', '\'', '…']);
        let bracket = kept
            .strip_suffix(')')
            .filter(|rest| rest.matches('(').count() <= rest.matches(')').count())
            .or_else(|| kept.strip_suffix([']', '}']));
        match shorter.or(bracket) {
            Some(shorter) => kept = shorter,
            None => return at.start.saturating_add(kept.len()),
        }
    }
}

/// Whether four numbers are octets, and no part of a longer row of numbers.
pub(super) fn is_ipv4(text: &str, at: Range<usize>) -> bool {
    let octets = text.get(at.clone()).is_some_and(|found| found.split('.').all(|octet| octet.parse::<u8>().is_ok()));
    let before = text.get(..at.start).unwrap_or_default();
    let mut after = text.get(at.end..).unwrap_or_default().chars();
    let longer = match (after.next(), after.next()) {
        (Some('.'), Some(next)) => next.is_ascii_digit(),
        (Some(next), _) => next.is_ascii_digit(),
        (None, _) => false,
    };
    octets && !longer && !before.ends_with(|sign: char| sign.is_ascii_digit() || sign == '.')
}

/// The address at the beginning of what was found; no part of a word.
pub(super) fn ipv6(text: &str, at: Range<usize>) -> Option<Range<usize>> {
    if text.get(..at.start)?.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
        return None;
    }
    let mut found = text.get(at.clone())?;
    loop {
        let whole = found.contains(|sign: char| sign.is_ascii_hexdigit()) && found.parse::<Ipv6Addr>().is_ok();
        let after = text.get(at.start.saturating_add(found.len())..)?;
        if whole && !after.starts_with(char::is_alphanumeric) {
            return Some(at.start..at.start.saturating_add(found.len()));
        }
        found = found.strip_suffix(['.', ':'])?;
    }
}
