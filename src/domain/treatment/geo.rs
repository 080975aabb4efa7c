//! Places told coarsely: the beginning of a postal code, or the cell of a grid that a point lies in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

use super::super::Invalid;

/// How a place is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum GeoForm {
    /// The first characters of a postal code, in capitals. A code that is not longer than that is withheld, and so is one
    /// that begins with what is listed as `small`: areas with too few people.
    PostalPrefix {
        length: u8,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        small: BTreeSet<String>,
    },
    /// The geohash of a point written `lat,lon`, in that many characters.
    Geohash { length: u8 },
    /// The H3 cell of a point written `lat,lon`, at that resolution.
    H3 { resolution: u8 },
}

/// The most prefixes that a permit may list as too small.
const MOST_SMALL: usize = 2_000;

impl GeoForm {
    /// The wire name.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::PostalPrefix { .. } => "postal_prefix",
            Self::Geohash { .. } => "geohash",
            Self::H3 { .. } => "h3",
        }
    }

    /// A postal code as it is compared and cut: composed, in capitals, without the spaces around it.
    pub fn postal(text: &str) -> String {
        let capitals: String = text.trim().nfc().flat_map(char::to_uppercase).collect();
        capitals.nfc().collect()
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::PostalPrefix { length, small } => {
                if *length == 0 || *length > 10 {
                    return Err(Invalid::new("length", "must be 1 to 10"));
                }
                if small.len() > MOST_SMALL {
                    return Err(Invalid::new("small", "must name at most 2,000 prefixes"));
                }
                let fits = |prefix: &String| prefix.graphemes(true).count() == usize::from(*length) && *prefix == Self::postal(prefix);
                if small.iter().all(fits) {
                    Ok(())
                } else {
                    Err(Invalid::new("small", format!("must be prefixes of {length} characters each, in capitals")))
                }
            }
            Self::Geohash { length } if *length == 0 || *length > 12 => Err(Invalid::new("length", "must be 1 to 12")),
            Self::H3 { resolution } if *resolution > 15 => Err(Invalid::new("resolution", "must be 0 to 15")),
            Self::Geohash { .. } | Self::H3 { .. } => Ok(()),
        }
    }

    /// A shorter postal prefix tells of short codes that the longer one withheld, and cells of H3 do not nest.
    pub(super) fn at_least_as_strict_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PostalPrefix { length, small }, Self::PostalPrefix { length: other_length, small: other_small }) => {
                length == other_length && small.is_superset(other_small)
            }
            (Self::Geohash { length }, Self::Geohash { length: other }) => length <= other,
            (Self::H3 { .. }, Self::H3 { .. }) => self == other,
            (Self::PostalPrefix { .. } | Self::Geohash { .. } | Self::H3 { .. }, _) => false,
        }
    }
}
