//! Places told coarsely, text that is redacted and hierarchies, as they are typed: a choice first, then the settings of what
//! is chosen.

use std::collections::BTreeSet;

use super::Row;
use crate::domain::Invalid;
use crate::domain::detect::DataKind;
use crate::domain::hierarchy::{MOST_LEVELS, key_of};
use crate::domain::treatment::{GeoForm, Treatment};

impl Row<'_> {
    /// The kinds whose boxes are ticked.
    pub(super) fn redacted(&self) -> Result<BTreeSet<DataKind>, Invalid> {
        let kinds: BTreeSet<DataKind> = DataKind::ALL.into_iter().filter(|kind| self.value(kind.key()) == "yes").collect();
        if kinds.is_empty() { Err(self.wrong("email", "tick at least one kind to find")) } else { Ok(kinds) }
    }

    pub(super) fn nested(&self) -> Result<Treatment, Invalid> {
        let key = key_of(&self.value("hierarchy"));
        let (hierarchy, version) = key.ok_or_else(|| self.wrong("hierarchy", "must be one of those shown; stewards upload them"))?;
        let level = self.number("level", &format!("must be a whole number from 1 to {MOST_LEVELS}"))?;
        Ok(Treatment::GeneraliseHierarchy { hierarchy, version, level })
    }

    pub(super) fn place(&self) -> Result<GeoForm, Invalid> {
        Ok(match self.value("as").as_str() {
            "postal_prefix" => GeoForm::PostalPrefix {
                length: self.number("length", "must be a whole number from 1 to 10")?,
                small: prefixes(&self.value("small")),
            },
            "geohash" => GeoForm::Geohash { length: self.number("length", "must be a whole number from 1 to 12")? },
            "h3" => GeoForm::H3 { resolution: self.number("resolution", "must be a whole number from 0 to 15")? },
            _ => return Err(self.wrong("as", "must be one of those shown")),
        })
    }
}

/// Prefixes with commas or spaces between, in capitals as codes are compared.
fn prefixes(typed: &str) -> BTreeSet<String> {
    typed.split([',', ';', ' ', '\n']).map(GeoForm::postal).filter(|prefix| !prefix.is_empty()).collect()
}

/// The settings of a place as they are typed.
pub(super) fn pairs(form: &GeoForm) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("as", form.key().to_owned())];
    match form {
        GeoForm::PostalPrefix { length, small } => {
            let small: Vec<&str> = small.iter().map(String::as_str).collect();
            pairs.extend([("length", length.to_string()), ("small", small.join(", "))]);
        }
        GeoForm::Geohash { length } => pairs.push(("length", length.to_string())),
        GeoForm::H3 { resolution } => pairs.push(("resolution", resolution.to_string())),
    }
    pairs
}
