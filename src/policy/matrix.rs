//! What a permit's matrix offers for a field and warns of: by the rules that check a permit, none of its own.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::dataset::Field;
use crate::domain::detect::DataKind;
use crate::domain::hierarchy::HierarchyVersion;
use crate::domain::permit::shows_identity;
use crate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GeoForm, GridForm, PseudonymFormat, Treatment};

use super::words;

/// What every permit's approver is told while rows leave in the order of their source.
pub const LINKABLE: &str = "Linkable by order: two vendors who compare their rows could join them by position.";

/// What is said of a direct identifier that goes out as it is.
pub const CLEAR_IDENTIFIER: &str = "A direct identifier would go out as it is, or most of it: a privacy officer must confirm it by name.";

/// A treatment that fits a field, with parameters to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Choice {
    pub treatment: Treatment,
    pub words: String,
    /// What the kind does and what it leaves.
    pub help: &'static str,
    /// Whether the steward who catalogued the field advises it. It is withheld until it is chosen all the same.
    pub advised: bool,
}

/// One of each kind, with parameters to begin with.
fn beginnings() -> Vec<Treatment> {
    // Which hierarchy it is, is chosen by whoever writes the permit: there is none to begin with.
    let hierarchy = "hierarchy".parse().ok().map(|hierarchy| Treatment::GeneraliseHierarchy { hierarchy, version: 1, level: 1 });
    let kinds = [
        Treatment::Withhold,
        Treatment::Clear,
        Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 },
        Treatment::Mask { prefix: 2, suffix: 0, pad: 4, email_domain: false },
        Treatment::Truncate { length: 3 },
        Treatment::GeneraliseNumber { width: 10.0, origin: 0.0, form: GridForm::Range },
        Treatment::GeneraliseDate { unit: DateUnit::Year },
        Treatment::Round { step: 10.0 },
        Treatment::TopBottomCode { bottom: None, top: Some(100.0), form: CodeForm::Label },
        Treatment::DateShift { days: 30 },
        Treatment::RedactText { kinds: DataKind::ALL.into() },
        Treatment::Noise { scale: 10.0 },
        Treatment::Geo { form: GeoForm::PostalPrefix { length: 2, small: BTreeSet::new() } },
        Treatment::ReversibleToken { domain: None },
        Treatment::Constant { value: ConstantValue::Text("-".to_owned()) },
    ];
    kinds.into_iter().chain(hierarchy).collect()
}

/// The treatments that fit a field's type: those that a permit's own check would take. What the steward advises stands
/// first after withholding, with the parameters that are advised.
pub fn choices(field: &Field) -> Vec<Choice> {
    let advised = field.advice.map(|advice| advice.treatment());
    let is_advised = |treatment: &Treatment| advised.as_ref().is_some_and(|advised| advised.key() == treatment.key());
    let fitting = beginnings().into_iter().filter(|treatment| treatment.released_type(field.logical).is_ok());
    let choice = |treatment: Treatment| {
        let is_advised = is_advised(&treatment);
        let treatment = advised.clone().filter(|_| is_advised).unwrap_or(treatment);
        Choice { words: words::treatment(&treatment), help: words::help(&treatment), advised: is_advised, treatment }
    };
    let mut choices: Vec<Choice> = fitting.map(choice).collect();
    choices.sort_by_key(|choice| (choice.treatment != Treatment::Withhold, !choice.advised));
    choices
}

/// The choices of a field where these hierarchies are to be had: of the first of them, or of none.
pub fn with_hierarchies(choices: Vec<Choice>, known: &[HierarchyVersion]) -> Vec<Choice> {
    let chosen = |choice: Choice| {
        if choice.treatment.hierarchy().is_none() {
            return Some(choice);
        }
        let first = known.first()?;
        let treatment = Treatment::GeneraliseHierarchy { hierarchy: first.name.clone(), version: first.version, level: 1 };
        Some(Choice { words: words::treatment(&treatment), treatment, ..choice })
    };
    choices.into_iter().filter_map(chosen).collect()
}

/// What deserves a second look where a field is treated so.
pub fn warnings(field: &Field, treatment: &Treatment) -> Vec<&'static str> {
    shows_identity(field, treatment).then_some(CLEAR_IDENTIFIER).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataset::LogicalType;

    fn of(logical: LogicalType, advice: Option<&str>) -> Field {
        let json = serde_json::json!({"name": "x", "type": logical, "class": "plain", "category": "contact", "advice": advice});
        serde_json::from_value::<Field>(json).unwrap()
    }

    #[test]
    fn what_is_advised_is_offered_first_and_chosen_by_nobody() {
        let choices = choices(&of(LogicalType::Date, Some("month")));
        assert_eq!(choices[0].treatment, Treatment::Withhold);
        assert_eq!(choices[1].treatment, Treatment::GeneraliseDate { unit: DateUnit::Month }, "with what is advised of it");
        assert_eq!(choices.iter().filter(|choice| choice.advised).count(), 1);
    }

    #[test]
    fn every_kind_has_a_beginning_and_is_offered_where_it_fits() {
        let kinds: BTreeSet<&str> = beginnings().iter().map(Treatment::key).collect();
        assert_eq!(kinds.len(), 16, "each kind once; a new kind of treatment needs a beginning");
        let offered = |logical| choices(&of(logical, None)).iter().map(|choice| choice.treatment.key()).collect::<Vec<_>>();
        assert_eq!(offered(LogicalType::Other), ["withhold"]);
        assert_eq!(
            offered(LogicalType::Text),
            [
                "withhold",
                "clear",
                "pseudonym",
                "mask",
                "truncate",
                "redact_text",
                "geo",
                "reversible_token",
                "constant",
                "generalise_hierarchy"
            ]
        );
        let numbers = [
            "withhold",
            "clear",
            "pseudonym",
            "generalise_number",
            "round",
            "top_bottom_code",
            "noise",
            "reversible_token",
            "constant",
            "generalise_hierarchy",
        ];
        assert_eq!(offered(LogicalType::Integer), numbers);
        assert_eq!(offered(LogicalType::Decimal), numbers);
        assert_eq!(
            offered(LogicalType::Date),
            ["withhold", "clear", "pseudonym", "generalise_date", "date_shift", "reversible_token", "constant"]
        );
        assert_eq!(offered(LogicalType::Boolean), ["withhold", "clear", "pseudonym", "reversible_token", "constant"]);
    }

    #[test]
    fn a_hierarchy_is_offered_where_there_is_one() {
        let offered = |known: &[HierarchyVersion]| with_hierarchies(choices(&of(LogicalType::Text, None)), known).pop().unwrap().treatment;
        assert_eq!(offered(&[]).key(), "constant");
        let towns = HierarchyVersion {
            name: "towns".parse().unwrap(),
            version: 3,
            digest: "0".repeat(64).parse().unwrap(),
            values: 1,
            texts: vec![1],
            bytes: 1,
            created_at: crate::domain::Instant::from_micros(0),
        };
        assert_eq!(offered(&[towns]).hierarchy(), Some((("towns".parse().unwrap(), 3), 1)));
    }

    #[test]
    fn a_direct_identifier_that_shows_is_warned_of() {
        let field = |class: &str| {
            let json = serde_json::json!({"name": "email", "type": "text", "class": class, "category": "contact"});
            serde_json::from_value::<Field>(json).unwrap()
        };
        for treatment in beginnings().iter().filter(|treatment| treatment.released_type(LogicalType::Text).is_ok()) {
            let shows = matches!(treatment.key(), "clear" | "truncate" | "redact_text" | "geo" | "generalise_hierarchy");
            assert_eq!(warnings(&field("direct_identifier"), treatment), if shows { vec![CLEAR_IDENTIFIER] } else { vec![] });
            assert!(warnings(&field("sensitive"), treatment).is_empty());
        }
    }
}
