//! The security questionnaire asks what it should, and its score can be recomputed by hand.

use std::collections::BTreeMap;

use super::*;
use crate::domain::Date;
use crate::domain::questionnaire::{Answer, Answers, Choice, YesNo};
use crate::domain::text::Prose;

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn prose(text: &str) -> Prose {
    text.parse().unwrap()
}

fn today() -> Date {
    Date::from_ymd(2026, 7, 1).unwrap()
}

fn security() -> &'static Template {
    find(&slug("security")).unwrap().expect("the security questionnaire comes with the house")
}

/// The answer without risk, whatever else it opens.
fn best(question: &Question) -> Answer {
    match &question.kind {
        QuestionKind::YesNo { good } => Answer::YesNo(*good),
        QuestionKind::Choice { options } => Answer::Choice(by_risk(options).first().unwrap().key.clone()),
        QuestionKind::Text => Answer::Text(prose("As described.")),
        QuestionKind::Date { .. } => Answer::Date(today()),
        QuestionKind::File => Answer::File("01890000-0000-7000-8000-000000000000".parse().unwrap()),
    }
}

/// The answer of the highest risk, where the kind has one.
fn worst(question: &Question) -> Option<Answer> {
    match &question.kind {
        QuestionKind::YesNo { good } => Some(Answer::YesNo(if *good == YesNo::Yes { YesNo::No } else { YesNo::Yes })),
        QuestionKind::Choice { options } => Some(Answer::Choice(by_risk(options).last().unwrap().key.clone())),
        QuestionKind::Date { fresh_days: Some(days) } => Some(Answer::Date(today().plus_days(-i64::from(*days) - 1))),
        QuestionKind::Date { fresh_days: None } | QuestionKind::Text | QuestionKind::File => None,
    }
}

fn by_risk(options: &[Choice]) -> Vec<&Choice> {
    let mut sorted: Vec<&Choice> = options.iter().collect();
    sorted.sort_by_key(|option| option.risk);
    sorted
}

fn all_best() -> Answers {
    security().questions.iter().map(|question| (question.id.clone(), best(question))).collect()
}

/// Weights of what is asked and applies, summed by hand.
fn total_weight(answers: &Answers) -> f64 {
    security()
        .questions
        .iter()
        .filter(|question| security().is_asked(question, answers))
        .filter(|question| !matches!(answers.get(&question.id), Some(Answer::NotApplicable(_))))
        .map(|question| f64::from(question.weight))
        .sum()
}

fn points(answers: &Answers) -> f64 {
    security().check(answers).unwrap();
    security().score(answers, today()).points.unwrap()
}

#[track_caller]
fn assert_close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-9, "{left} is not {right}");
}

#[test]
fn every_builtin_holds_together_and_has_a_key_of_its_own() {
    let all = builtin().unwrap();
    let keys: BTreeSet<&Slug> = all.iter().map(|template| &template.key).collect();
    assert_eq!(keys.len(), all.len());
    assert!(all.iter().all(|template| check(template).is_ok()));
    assert!(find(&slug("no-such-questionnaire")).unwrap().is_none());
}

#[test]
fn the_security_questionnaire_is_about_forty_questions_in_runs_of_domains_and_uses_every_kind() {
    let questions = &security().questions;
    assert!((36..=44).contains(&questions.len()), "{}", questions.len());
    let mut runs: Vec<&str> = questions.iter().map(|question| question.domain.as_str()).collect();
    runs.dedup();
    let different: BTreeSet<&str> = runs.iter().copied().collect();
    assert_eq!(runs.len(), different.len(), "a domain is one run of questions");
    assert_eq!(runs.len(), 10);
    let kinds: BTreeSet<&str> = questions.iter().map(|question| question.kind.key()).collect();
    assert_eq!(kinds, BTreeSet::from(["choice", "date", "file", "text", "yes_no"]));
    assert!(questions.iter().all(|question| question.weight <= 5 && !question.text.trim().is_empty()));
}

#[test]
fn it_survives_a_round_trip_through_json() {
    let copy: Template = serde_json::from_str(&serde_json::to_string(security()).unwrap()).unwrap();
    assert_eq!(&copy, security());
}

#[test]
fn an_unknown_member_of_a_question_is_refused() {
    let good = r#"{"id":"a","domain":"D","text":"T","kind":"yes_no","good":"yes","weight":1}"#;
    assert!(serde_json::from_str::<Question>(good).is_ok());
    let misspelt = good.replace(r#""weight":1"#, r#""weight":1,"whne":{"question":"b","answer":"yes"}"#);
    let error = serde_json::from_str::<Question>(&misspelt).unwrap_err().to_string();
    assert!(error.contains("unknown field `whne`"), "{error}");
}

#[test]
fn the_best_answers_score_one_hundred_and_none_score_zero() {
    assert_close(points(&all_best()), 100.0);
    assert_close(points(&Answers::new()), 0.0);
}

#[test]
fn one_worst_answer_costs_exactly_its_weight() {
    for question in &security().questions {
        let Some(answer) = worst(question) else { continue };
        let mut answers = all_best();
        answers.insert(question.id.clone(), answer);
        if !security().is_asked(question, &answers) {
            continue;
        }
        // A worse answer may open or close other questions; those stand at their best and cost nothing.
        let expected = 100.0 - 100.0 * f64::from(question.weight) / total_weight(&answers);
        assert_close(points(&answers), expected);
    }
}

#[test]
fn a_missing_answer_costs_as_much_as_the_worst_one() {
    for question in security().questions.iter().filter(|question| question.weight > 0) {
        let mut answers = all_best();
        if !security().is_asked(question, &answers) {
            continue;
        }
        answers.remove(&question.id);
        assert_close(points(&answers), 100.0 - 100.0 * f64::from(question.weight) / total_weight(&answers));
    }
}

#[test]
fn the_parts_explain_the_whole() {
    let mut answers = Answers::new();
    for (at, question) in security().questions.iter().enumerate() {
        match at % 3 {
            0 => drop(answers.insert(question.id.clone(), best(question))),
            1 => drop(worst(question).map(|answer| answers.insert(question.id.clone(), answer))),
            _ => {}
        }
    }
    let score = security().score(&answers, today());
    let lost: f64 = score.contributions.iter().map(|part| part.lost).sum();
    assert_close(lost, 100.0 - score.points.unwrap());
    assert!(lost > 0.0 && lost < 100.0);
}

#[test]
fn what_does_not_apply_is_left_out() {
    let id = slug("mfa");
    let mut answers = all_best();
    answers.insert(id.clone(), Answer::NotApplicable(prose("Nobody signs in to anything.")));
    let score = security().score(&answers, today());
    assert!(score.contributions.iter().all(|part| part.question != id));
    assert_close(score.points.unwrap(), 100.0);
    let nothing: Answers =
        security().questions.iter().map(|question| (question.id.clone(), Answer::NotApplicable(prose("Not here.")))).collect();
    assert_eq!(security().score(&nothing, today()).points, None);
}

#[test]
fn a_question_whose_condition_fails_is_not_scored() {
    let mut answers = all_best();
    answers.insert(slug("uses-subprocessors"), Answer::YesNo(YesNo::No));
    answers.remove(&slug("subprocessor-list"));
    answers.remove(&slug("subprocessor-terms"));
    let score = security().score(&answers, today());
    assert!(score.contributions.iter().all(|part| !part.question.as_str().starts_with("subprocessor-")));
    assert_close(score.points.unwrap(), 100.0);
}

#[test]
fn a_faulty_questionnaire_is_refused_with_its_place() {
    type Fault = fn(&mut Template);
    let cases: BTreeMap<&str, Fault> = BTreeMap::from([
        ("questions[1].id is there twice", (|t| t.questions[1].id = t.questions[0].id.clone()) as Fault),
        ("questions[0].options must be two or more, each with a key of its own", |t| {
            t.questions[0].kind = QuestionKind::Choice { options: Vec::new() };
        }),
        ("questions[0].options must have risks of 0 to 100, and one of them 0", |t| {
            if let QuestionKind::Choice { options } = &mut t.questions[0].kind {
                options.iter_mut().for_each(|option| option.risk = 10);
            }
        }),
        ("questions[0].when.question must be the id of an earlier question", |t| {
            t.questions[0].when = Some(AskedWhen { question: t.questions[1].id.clone(), answer: "yes".into() });
        }),
        ("questions[2].when.answer must be an answer that question can have", |t| {
            t.questions[2].when = Some(AskedWhen { question: t.questions[1].id.clone(), answer: "perhaps".into() });
        }),
        ("questions must hold at least one question", |t| t.questions.clear()),
    ]);
    for (expected, break_it) in cases {
        let mut template = security().clone();
        break_it(&mut template);
        assert_eq!(check(&template).unwrap_err().to_string(), expected);
    }
}
