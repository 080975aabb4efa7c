//! Small texts that are checked once and then known to be good.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Trims, counts characters and refuses control characters (line breaks allowed where `lines`).
fn checked(raw: &str, least: usize, most: usize, lines: bool) -> Result<String, Invalid> {
    let text = raw.trim();
    if text.chars().any(|c| c.is_control() && !(lines && (c == '\n' || c == '\r' || c == '\t'))) {
        return Err(Invalid::new("", "must not contain control characters"));
    }
    let count = text.chars().count();
    if count < least || count > most {
        return Err(Invalid::new("", format!("must have {least} to {most} characters")));
    }
    Ok(text.to_owned())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(raw: String) -> Result<Self, Invalid> {
                let check: fn(&str) -> Result<String, Invalid> = $check;
                check(&raw).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(raw: &str) -> Result<Self, Invalid> {
                Self::try_from(raw.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// A name of 1 to 120 characters on one line.
    Name = |raw| checked(raw, 1, 120, false);
    /// A line of 1 to 500 characters.
    Line = |raw| checked(raw, 1, 500, false);
    /// Free text of 1 to 20,000 characters; may hold line breaks.
    Prose = |raw| checked(raw, 1, 20_000, true);
    /// Why an act was done: 3 to 2,000 characters. Kept beside the history, never in a leaf.
    Reason = |raw| checked(raw, 3, 2_000, true);
    /// An e-mail address, lower-cased; RFC 5321 length limits, one `@`, a dotted domain.
    Email = email;
    /// ISO 3166-1 alpha-2 country code, upper case.
    Country = country;
    /// A stable key: lower-case letters, digits, `-` and `_`, starting with a letter, 1 to 63 characters.
    /// No dot, slash or space, so it can stand in a URL, an OAuth scope and a Delta Sharing name.
    Slug = slug;
    /// A column name of a source: 1 to 128 characters, no control characters. Kept as the source spells it.
    FieldName = field_name;
    /// SHA-256 of something, 64 lower-case hexadecimal digits.
    Digest = digest;
    /// The RFC 7638 thumbprint of a public key: SHA-256 as base64url, 43 characters.
    Thumbprint = thumbprint;
    /// The name of a signing key: the thumbprint of its public half.
    Kid = thumbprint;
    /// The name of a client's key (`kid`): 1 to 200 visible ASCII characters.
    KeyName = key_name;
}

fn email(raw: &str) -> Result<String, Invalid> {
    let bad = || Invalid::new("", "must be an e-mail address such as name@example.org");
    let text = raw.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    let domain_ok = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    let local_ok = (1..=64).contains(&local.len())
        && !local.contains('@')
        && !local.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c));
    if domain_ok && local_ok { Ok(text) } else { Err(bad()) }
}

/// The officially assigned ISO 3166-1 alpha-2 codes.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH \
GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB \
LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM \
PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

fn country(raw: &str) -> Result<String, Invalid> {
    let code = raw.trim().to_uppercase();
    if COUNTRIES.split_ascii_whitespace().any(|known| known == code) {
        Ok(code)
    } else {
        Err(Invalid::new("", "must be an ISO 3166-1 country code of two letters, such as DE"))
    }
}

fn slug(raw: &str) -> Result<String, Invalid> {
    let good = (1..=63).contains(&raw.len())
        && raw.starts_with(|c: char| c.is_ascii_lowercase())
        && raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if good {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::new("", "must have 1 to 63 lower-case letters, digits, '-' or '_' and begin with a letter"))
    }
}

fn field_name(raw: &str) -> Result<String, Invalid> {
    let count = raw.chars().count();
    if (1..=128).contains(&count) && !raw.chars().any(char::is_control) {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::new("", "must have 1 to 128 characters, none of them control characters"))
    }
}

fn digest(raw: &str) -> Result<String, Invalid> {
    if raw.len() == 64 && raw.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::new("", "must be a SHA-256 as 64 lower-case hexadecimal digits"))
    }
}

fn thumbprint(raw: &str) -> Result<String, Invalid> {
    let good = raw.len() == 43 && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if good { Ok(raw.to_owned()) } else { Err(Invalid::new("", "must be a SHA-256 as 43 characters of base64url")) }
}

fn key_name(raw: &str) -> Result<String, Invalid> {
    let good = (1..=200).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(raw.to_owned()) } else { Err(Invalid::new("", "must have 1 to 200 visible ASCII characters, no spaces")) }
}

impl From<Thumbprint> for KeyName {
    /// The name of a key that brings none of its own.
    fn from(thumbprint: Thumbprint) -> Self {
        Self(thumbprint.0)
    }
}

impl Country {
    /// Whether the country is in the European Economic Area (EU member states, Iceland, Liechtenstein, Norway).
    pub fn in_eea(&self) -> bool {
        const EEA: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK";
        EEA.split_ascii_whitespace().any(|code| code == self.as_str())
    }

    /// Whether the European Commission holds the country adequate without a sector limit
    /// (GDPR Art. 45 decisions; Canada and the United States hold only for some recipients and are left out).
    pub fn is_adequate(&self) -> bool {
        const ADEQUATE: &str = "AD AR CH FO GB GG IL IM JE JP KR NZ UY";
        ADEQUATE.split_ascii_whitespace().any(|code| code == self.as_str())
    }
}
