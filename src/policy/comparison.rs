//! How far a round of due diligence has come, and what changed since the one before it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::assessment::Assessment;
use crate::domain::id::EvidenceId;
use crate::domain::questionnaire::{Answers, Question, Score, Template};
use crate::domain::text::Slug;
use crate::domain::time::Date;

use super::words;

/// How many questions of a domain are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainProgress {
    pub domain: String,
    pub answered: usize,
    /// Of those asked: a question whose condition does not hold is not.
    pub asked: usize,
}

/// The progress by domain, in the order they are asked. "Does not apply" is an answer.
pub fn progress(template: &Template, answers: &Answers) -> Vec<DomainProgress> {
    let mut domains: Vec<DomainProgress> = Vec::new();
    for question in &template.questions {
        let at = match domains.iter().position(|one| one.domain == question.domain) {
            Some(at) => at,
            None => {
                domains.push(DomainProgress { domain: question.domain.clone(), answered: 0, asked: 0 });
                domains.len().saturating_sub(1)
            }
        };
        let Some(domain) = domains.get_mut(at) else { continue };
        if template.is_asked(question, answers) {
            domain.asked = domain.asked.saturating_add(1);
            domain.answered = domain.answered.saturating_add(usize::from(answers.contains_key(&question.id)));
        }
    }
    domains
}

/// What changed between two rounds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// 0 worst to 100 best; none where nothing could be scored, or there is no round before.
    pub points_before: Option<f64>,
    pub points_after: Option<f64>,
    /// Points gained; below 0 they were lost. None where either is missing.
    pub change: Option<f64>,
    /// Whether the score now is that of answers that are not handed in yet.
    pub provisional: bool,
    /// In the order they are asked; last the questions that are asked no more.
    pub questions: Vec<QuestionChange>,
}

/// One question in both rounds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuestionChange {
    pub question: Slug,
    pub domain: String,
    pub text: String,
    /// The answers in words; none where it was not answered or not asked.
    pub before: Option<String>,
    pub after: Option<String>,
    /// Points of the 100 that it cost; none where it did not count.
    pub lost_before: Option<f64>,
    pub lost_after: Option<f64>,
    /// Points that this question gave back; below 0 it cost more than before.
    pub change: f64,
    /// Whether another answer was given.
    pub changed: bool,
}

/// A round with what is needed to read it.
struct Round<'a> {
    questionnaire: Option<&'a Template>,
    answers: &'a Answers,
    score: Option<Score>,
}

impl<'a> Round<'a> {
    fn of(round: &'a Assessment, today: Date) -> Self {
        let questionnaire = round.questionnaire.as_ref();
        let score = round.score.clone().or_else(|| questionnaire.map(|template| template.score(&round.answers, today)));
        Self { questionnaire, answers: &round.answers, score }
    }

    fn points(&self) -> Option<f64> {
        self.score.as_ref().and_then(|score| score.points)
    }

    fn lost(&self, id: &Slug) -> Option<f64> {
        self.score.as_ref()?.contributions.iter().find(|part| part.question == *id).map(|part| part.lost)
    }

    fn question(&self, id: &Slug) -> Option<&'a Question> {
        self.questionnaire?.question(id)
    }

    fn said(&self, id: &Slug, papers: &BTreeMap<EvidenceId, String>) -> Option<String> {
        let answer = self.answers.get(id)?;
        let paper = match answer {
            crate::domain::questionnaire::Answer::File(id) => papers.get(id).map(String::as_str),
            crate::domain::questionnaire::Answer::YesNo(_)
            | crate::domain::questionnaire::Answer::Choice(_)
            | crate::domain::questionnaire::Answer::Text(_)
            | crate::domain::questionnaire::Answer::Date(_)
            | crate::domain::questionnaire::Answer::NotApplicable(_) => None,
        };
        Some(words::answer(answer, self.question(id), paper))
    }
}

/// Compares a round with the one before it, if there is one. `papers` names the vendor's evidence.
pub fn compare(before: Option<&Assessment>, after: &Assessment, papers: &BTreeMap<EvidenceId, String>, today: Date) -> Comparison {
    let (old, new) = (before.map(|round| Round::of(round, today)), Round::of(after, today));
    let (points_before, points_after) = (old.as_ref().and_then(Round::points), new.points());
    let asked = new.questionnaire.map(|template| template.questions.as_slice()).unwrap_or_default();
    let gone = old.as_ref().and_then(|old| old.questionnaire).map(|template| template.questions.as_slice()).unwrap_or_default();
    let gone = gone.iter().filter(|question| new.question(&question.id).is_none());
    let change = |question: &Question| {
        let id = &question.id;
        let (lost_before, lost_after) = (old.as_ref().and_then(|old| old.lost(id)), new.lost(id));
        QuestionChange {
            question: id.clone(),
            domain: question.domain.clone(),
            text: question.text.clone(),
            before: old.as_ref().and_then(|old| old.said(id, papers)),
            after: new.said(id, papers),
            lost_before,
            lost_after,
            change: if old.is_some() { lost_before.unwrap_or(0.0) - lost_after.unwrap_or(0.0) } else { 0.0 },
            changed: old.as_ref().is_some_and(|old| old.answers.get(id) != new.answers.get(id)),
        }
    };
    Comparison {
        points_before,
        points_after,
        change: points_before.zip(points_after).map(|(before, after)| after - before),
        provisional: after.score.is_none() && points_after.is_some(),
        questions: asked.iter().chain(gone).map(change).collect(),
    }
}
