//! Identifiers: UUIDs (version 7, so they sort by time) with a type for each noun.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The canonical lower-case text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                if is_uuid(&text) { Ok(Self(text)) } else { Err(Invalid::new("id", "must be a lower-case UUID")) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A person of the staff.
    PersonId;
    /// A staff API key.
    ApiKeyId;
    /// A signed-in browser.
    SessionId;
    /// A vendor.
    VendorId;
    /// One due-diligence round.
    AssessmentId;
    /// One piece of evidence.
    EvidenceId;
    /// An agreement across its versions.
    AgreementId;
    /// A place where rows live.
    SourceId;
    /// A dataset of the catalogue.
    DatasetId;
    /// A vendor's machine identity; the OAuth `client_id`.
    ClientId;
    /// One token; its JWT `jti`.
    TokenId;
    /// One release.
    ReleaseId;
}
