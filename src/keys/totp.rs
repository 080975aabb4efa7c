//! Codes of an authenticator app (RFC 6238): six digits, 30 seconds, SHA-1, the one form that every app understands.

use totp_rs::{Algorithm, Builder, Totp};

use super::random;

/// Bytes of a key: what RFC 4226 §4 recommends.
pub const KEY_BYTES: usize = 20;

/// Makes a key.
pub fn generate() -> [u8; KEY_BYTES] {
    random()
}

fn totp(key: &[u8]) -> Totp {
    Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1).with_step_duration(30).with_secret(key).build_noncompliant()
}

/// The time step that a code belongs to, if it is one of the steps now, before or next; the caller takes each step
/// once (RFC 6238 §5.2).
pub fn check(key: &[u8], code: &str, unix_seconds: i64) -> Option<i64> {
    let digits: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let step = totp(key).check(&digits, u64::try_from(unix_seconds).ok()?)?;
    i64::try_from(step).ok()
}

/// The code at an instant, as an app would show it.
pub fn code(key: &[u8], unix_seconds: i64) -> String {
    totp(key).generate(u64::try_from(unix_seconds).unwrap_or(0)).to_string()
}

/// The key as people type it into an app.
pub fn base32(key: &[u8]) -> String {
    data_encoding::BASE32_NOPAD.encode(key)
}

/// What the QR code holds (Google Authenticator's Key URI format). An issuer and an account without colons.
pub fn uri(key: &[u8], issuer: &str, account: &str) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    format!("otpauth://totp/{0}:{1}?secret={2}&issuer={0}&algorithm=SHA1&digits=6&period=30", encode(issuer), encode(account), base32(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six digits of its SHA-1 column.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let key = b"12345678901234567890";
        for (at, expected) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert_eq!(code(key, at), expected);
            assert_eq!(check(key, expected, at), Some(at / 30));
        }
    }

    #[test]
    fn a_code_is_good_for_its_neighbours_and_no_longer() {
        let key = generate();
        let shown = code(&key, 3_000);
        for (at, good) in [(2_969, false), (2_970, true), (3_000, true), (3_059, true), (3_060, false)] {
            assert_eq!(check(&key, &shown, at).is_some(), good, "{at}");
        }
        let spaced = format!("{} {}", &shown[..3], &shown[3..]);
        assert!(check(&key, &spaced, 3_000).is_some(), "apps show a space in the middle");
        for odd in ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"] {
            assert_eq!(check(&key, odd, 3_000), None, "{odd}");
        }
    }

    #[test]
    fn the_uri_names_issuer_and_account() {
        let uri = uri(&[0; 20], "Tidegate", "ada@example.org");
        assert!(uri.starts_with("otpauth://totp/Tidegate:ada%40example.org?secret=AAAA"), "{uri}");
    }
}
