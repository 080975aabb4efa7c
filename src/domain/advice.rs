//! What a steward advises for a field when a permit is written on it. Advice is offered there, and releases nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dataset::LogicalType;
use super::detect::DataKind;
use super::treatment::{DateUnit, GeoForm, GridForm, PseudonymFormat, Treatment};

/// Advice in one word; what it stands for is a treatment with parameters to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    Withhold,
    Clear,
    Pseudonym,
    Mask,
    /// The year of a date.
    Year,
    /// The month of a date.
    Month,
    /// The beginning of a postal code.
    PostalPrefix,
    /// Free text without addresses and numbers of persons.
    Redact,
    /// A number to the nearest ten.
    Round,
    /// A number as a band of ten.
    Band,
}

impl Advice {
    /// Every advice.
    pub const ALL: [Self; 10] = [
        Self::Withhold,
        Self::Clear,
        Self::Pseudonym,
        Self::Mask,
        Self::Year,
        Self::Month,
        Self::PostalPrefix,
        Self::Redact,
        Self::Round,
        Self::Band,
    ];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Withhold => "withhold",
            Self::Clear => "clear",
            Self::Pseudonym => "pseudonym",
            Self::Mask => "mask",
            Self::Year => "year",
            Self::Month => "month",
            Self::PostalPrefix => "postal_prefix",
            Self::Redact => "redact",
            Self::Round => "round",
            Self::Band => "band",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|advice| advice.key() == key)
    }

    /// The treatment that it stands for.
    pub fn treatment(self) -> Treatment {
        match self {
            Self::Withhold => Treatment::Withhold,
            Self::Clear => Treatment::Clear,
            Self::Pseudonym => Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 },
            Self::Mask => Treatment::Mask { prefix: 2, suffix: 0, pad: 4, email_domain: false },
            Self::Year => Treatment::GeneraliseDate { unit: DateUnit::Year },
            Self::Month => Treatment::GeneraliseDate { unit: DateUnit::Month },
            Self::PostalPrefix => Treatment::Geo { form: GeoForm::PostalPrefix { length: 2, small: BTreeSet::new() } },
            Self::Redact => Treatment::RedactText { kinds: DataKind::ALL.into() },
            Self::Round => Treatment::Round { step: 10.0 },
            Self::Band => Treatment::GeneraliseNumber { width: 10.0, origin: 0.0, form: GridForm::Range },
        }
    }

    /// Whether what it stands for fits a type.
    pub fn fits(self, logical: LogicalType) -> bool {
        self.treatment().released_type(logical).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_advice_fits_some_type_and_reads_back() {
        for advice in Advice::ALL {
            assert!(LogicalType::ALL.into_iter().any(|logical| advice.fits(logical)), "{advice:?}");
            assert_eq!(Advice::from_key(advice.key()), Some(advice));
            assert_eq!(serde_json::to_value(advice).unwrap(), advice.key());
        }
        assert!(!Advice::Year.fits(LogicalType::Text) && Advice::Withhold.fits(LogicalType::Other));
    }
}
