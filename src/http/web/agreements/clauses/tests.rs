//! What is typed into the clause form becomes the terms that were meant, or an error beside the field.

use serde_json::json;

use super::*;

fn typed(pairs: &[(&str, &str)]) -> Typed {
    Typed::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

const PROCESSOR: Shape = Shape { kind: AgreementKind::Processor, transfer: true };

fn whole() -> AgreementTerms {
    serde_json::from_value(json!({
        "subject_matter": "Newsletters\nand more", "nature": "Sending", "purposes": ["email-marketing"],
        "data_categories": ["contact", "demographic"], "subject_categories": ["Customers", "Readers"],
        "starts_on": "2026-07-01", "ends_on": "2027-06-30", "instructions": ["Send.", "Count\nand report."],
        "confidentiality_attested_on": "2026-06-01", "security_evidence": ["0190a0b0-0000-7000-8000-000000000001"],
        "sub_processors": {"authorisation": "specific", "named": ["One", "Two"]},
        "assistance": {"days": 5, "channel": "e-mail"}, "breach_notice": {"hours": 24, "contact": "a@example.org"},
        "at_the_end": {"way": "return", "deadline_days": 30}, "audit": {"every_months": 12, "last_on": "2026-01-01"},
        "retention_days": 100,
        "joint": {"responsibilities": "Each its own.", "contact_point": "Kim", "essence_published_at": "the web site"},
        "controller": {"purpose_limits": "None other.", "notice": "By letter.", "no_onward_sharing": true},
        "transfer": {"mechanism": "scc_module2", "assessment_reference": "TIA-1"}
    }))
    .unwrap()
}

#[test]
fn a_form_that_nobody_touched_changes_nothing() {
    for kind in [AgreementKind::Processor, AgreementKind::JointControllers, AgreementKind::ControllerToController] {
        for terms in [whole(), AgreementTerms::default()] {
            let shape = Shape::of(kind, false, &terms);
            let sent: Vec<(String, String)> =
                filled(&terms).pairs().iter().map(|(name, value)| (name.clone(), value.replace('\n', "\r\n"))).collect();
            assert_eq!(read(shape, &terms, &Typed::new(sent), &Vocabulary::shipped()), Ok(terms), "{kind:?}");
        }
    }
}

#[test]
fn clauses_of_another_kind_stay_as_they_were() {
    let shape = Shape { kind: AgreementKind::JointControllers, transfer: false };
    let emptied = read(shape, &whole(), &Typed::default(), &Vocabulary::shipped()).unwrap();
    assert_eq!((emptied.joint, emptied.breach_notice, emptied.subject_matter), (None, None, None));
    assert!(emptied.assistance.is_some() && emptied.controller.is_some() && emptied.transfer.is_some());
}

#[test]
fn an_empty_form_is_a_draft_with_gaps() {
    assert_eq!(read(PROCESSOR, &AgreementTerms::default(), &Typed::default(), &Vocabulary::shipped()), Ok(AgreementTerms::default()));
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let long = "x".repeat(20_001);
    let cases: [(&[(&str, &str)], &str); 20] = [
        (&[("subject_matter", &long)], "subject_matter"),
        (&[("nature", "a\u{7}b")], "nature"),
        (&[("purposes", "flying")], "purposes"),
        (&[("purposes", "{{7*7}}")], "purposes"),
        (&[("data_categories", "<script>")], "data_categories"),
        (&[("subject_categories", "One\n\u{1}")], "subject_categories"),
        (&[("starts_on", "tomorrow")], "starts_on"),
        (&[("starts_on", "2026-02-30")], "starts_on"),
        (&[("starts_on", "2026-07-02"), ("ends_on", "2026-07-01")], "ends_on"),
        (&[("retention_days", "-1")], "retention_days"),
        (&[("retention_days", "99999999999999999999")], "retention_days"),
        (&[("security_evidence", "not an id")], "security_evidence"),
        (&[("sub_processors", "some")], "sub_processors"),
        (&[("sub_processors", "general"), ("sub_processors.notice_days", "30")], "sub_processors.objection_days"),
        (&[("assistance.days", "5")], "assistance.channel"),
        (&[("breach_notice.contact", "a@example.org")], "breach_notice.hours"),
        (&[("breach_notice.hours", "24"), ("breach_notice.contact", "nobody")], "breach_notice.contact"),
        (&[("at_the_end.way", "burn"), ("at_the_end.deadline_days", "1")], "at_the_end.way"),
        (&[("audit.last_on", "2026-01-01")], "audit.every_months"),
        (&[("transfer.mechanism", "trust"), ("transfer.assessment_reference", "x")], "transfer.mechanism"),
    ];
    for (pairs, field) in cases {
        let errors = read(PROCESSOR, &AgreementTerms::default(), &typed(pairs), &Vocabulary::shipped()).unwrap_err();
        let named: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, [field], "{pairs:?}");
        let label = LABELS.iter().any(|(name, _)| *name == field);
        assert!(label && !errors[0].reason.contains(pairs[0].1), "{errors:?}");
    }
}

#[test]
fn what_the_rules_miss_has_a_field_in_the_form() {
    let holding = BTreeSet::new();
    let today = "2026-07-01".parse().unwrap();
    let around = crate::domain::agreement::Surroundings { transfers: true, holding_evidence: &holding, has_document: false, today };
    for kind in [AgreementKind::Processor, AgreementKind::JointControllers, AgreementKind::ControllerToController] {
        for gap in AgreementTerms::default().missing(kind, &around) {
            assert!(LABELS.iter().any(|(name, _)| *name == field_of(&gap.field)), "{}", gap.field);
        }
    }
}
