//! Progress counts what is asked, and what questions gave back adds up to the change of the whole.

use serde_json::{Value, json};

use super::*;
use crate::domain::assessment::{AssessmentKind, AssessmentStatus};
use crate::domain::time::Instant;

fn template() -> Template {
    let yes_no = |id: &str, domain: &str, when: Value| {
        let mut question = json!({"id": id, "domain": domain, "text": format!("{id}?"), "kind": "yes_no", "good": "yes", "weight": 1});
        if !when.is_null() {
            question["when"] = when;
        }
        question
    };
    let questions = [
        yes_no("mfa", "Access", Value::Null),
        yes_no("mfa-all", "Access", json!({"question": "mfa", "answer": "yes"})),
        yes_no("backups", "Continuity", Value::Null),
        yes_no("leavers", "Access", Value::Null),
    ];
    serde_json::from_value(json!({"key": "security", "version": 1, "title": "Security", "questions": questions})).unwrap()
}

fn answers(given: &[(&str, &str)]) -> Answers {
    given
        .iter()
        .map(|(id, answer)| {
            let answer = match *answer {
                "n/a" => json!({"kind": "not_applicable", "value": "no staff"}),
                word => json!({"kind": "yes_no", "value": word}),
            };
            (id.parse().unwrap(), serde_json::from_value(answer).unwrap())
        })
        .collect()
}

fn round(template: Option<Template>, answers: Answers, submitted: bool) -> Assessment {
    let today = Instant::from_micros(0).date();
    let score = template.as_ref().filter(|_| submitted).map(|template| template.score(&answers, today));
    Assessment {
        id: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
        vendor: "0190a0b0-0000-7000-8000-000000000002".parse().unwrap(),
        kind: AssessmentKind::Security,
        template: "security".parse().unwrap(),
        status: AssessmentStatus::InProgress,
        questionnaire: template,
        answers,
        score,
        opened_by: "0190a0b0-0000-7000-8000-000000000003".parse().unwrap(),
        opened_at: Instant::from_micros(0),
        version: 1,
    }
}

#[test]
fn progress_counts_what_is_asked_by_domain() {
    type Case = (&'static [(&'static str, &'static str)], (usize, usize), (usize, usize));
    let cases: [Case; 5] = [
        (&[], (0, 2), (0, 1)),
        (&[("mfa", "yes")], (1, 3), (0, 1)),
        (&[("mfa", "no")], (1, 2), (0, 1)),
        // An answer left over from when the question was asked does not count.
        (&[("mfa", "no"), ("mfa-all", "yes")], (1, 2), (0, 1)),
        (&[("mfa", "yes"), ("mfa-all", "no"), ("leavers", "n/a"), ("backups", "no")], (3, 3), (1, 1)),
    ];
    for (given, access, continuity) in cases {
        let found: Vec<_> = progress(&template(), &answers(given)).into_iter().map(|one| (one.domain, (one.answered, one.asked))).collect();
        assert_eq!(found, [("Access".to_owned(), access), ("Continuity".to_owned(), continuity)], "{given:?}");
    }
}

fn compared(before: Option<&Assessment>, after: &Assessment) -> Comparison {
    compare(before, after, &BTreeMap::new(), Instant::from_micros(0).date())
}

#[test]
fn each_question_says_what_it_gave_back() {
    let mut old = template();
    old.questions.push(serde_json::from_value(json!({"id": "fax", "domain": "Old", "text": "fax?", "kind": "text", "weight": 0})).unwrap());
    let before = round(Some(old), answers(&[("mfa", "no"), ("backups", "yes"), ("leavers", "yes")]), true);
    let after = round(Some(template()), answers(&[("mfa", "yes"), ("mfa-all", "yes"), ("backups", "no"), ("leavers", "yes")]), true);
    let found = compared(Some(&before), &after);
    let points = |of: Option<f64>| of.map(|points| points.round());
    assert_eq!((points(found.points_before), points(found.points_after), points(found.change)), (Some(67.0), Some(75.0), Some(8.0)));
    assert!(!found.provisional);
    let one = |id: &str| found.questions.iter().find(|one| one.question.as_str() == id).unwrap();
    assert_eq!((one("mfa").before.as_deref(), one("mfa").after.as_deref(), one("mfa").changed), (Some("no"), Some("yes"), true));
    assert_eq!(one("mfa").change.round(), 33.0);
    assert_eq!((one("mfa-all").before.as_deref(), one("mfa-all").lost_before, one("mfa-all").changed), (None, None, true));
    assert_eq!((one("backups").change.round(), one("backups").changed), (-25.0, true));
    assert!(!one("leavers").changed);
    assert_eq!(found.questions.last().unwrap().question.as_str(), "fax", "what is asked no more comes last");
    // What the questions gave back adds up to the change of the whole.
    let sum: f64 = found.questions.iter().map(|one| one.change).sum();
    assert!((sum - found.change.unwrap()).abs() < 1e-9);
}

#[test]
fn a_first_round_has_nothing_to_compare_with() {
    let open = round(Some(template()), answers(&[("mfa", "yes")]), false);
    let found = compared(None, &open);
    assert_eq!((found.points_before, found.change, found.provisional), (None, None, true));
    assert!(found.questions.iter().all(|one| !one.changed && one.before.is_none() && one.change == 0.0));
    let draft = round(None, Answers::new(), false);
    assert!(compared(Some(&open), &draft).questions.iter().all(|one| one.after.is_none()));
    assert!(compared(None, &draft).questions.is_empty());
}
