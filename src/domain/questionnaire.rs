//! Questionnaires: templates, answers, and the score with each question's part in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::id::EvidenceId;
use super::text::{Prose, Slug};
use super::time::Date;

/// A questionnaire as it stands in the house; an assessment snapshots it when it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub key: Slug,
    pub version: u32,
    pub title: String,
    /// In the order they are asked; domains are runs of questions.
    pub questions: Vec<Question>,
}

/// One question. (`deny_unknown_fields` stands on [`QuestionKind`]: serde can't combine it with `flatten` here.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    pub id: Slug,
    /// The domain it belongs to, such as "Access control".
    pub domain: String,
    pub text: String,
    #[serde(flatten)]
    pub kind: QuestionKind,
    /// How much it counts; 0 is not scored.
    pub weight: u32,
    /// Asked only when another question was answered so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<AskedWhen>,
}

/// Asked only when `question` was answered with `answer` (the key of an option, or `yes` / `no`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedWhen {
    pub question: Slug,
    pub answer: String,
}

/// What answers a question takes and how they score: `risk` is 0 (best) to 100 (worst).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum QuestionKind {
    /// `good` names the answer that carries no risk.
    YesNo {
        good: YesNo,
    },
    Choice {
        options: Vec<Choice>,
    },
    /// Read by the reviewer; any answer carries no risk.
    Text,
    /// A day; `fresh_days` says how old it may be at submission before it counts as worst.
    Date {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fresh_days: Option<u32>,
    },
    /// A piece of evidence of the vendor.
    File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum YesNo {
    Yes,
    No,
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub key: Slug,
    pub text: String,
    /// 0 best to 100 worst.
    pub risk: u8,
}

/// An answer; `not_applicable` leaves the question out of the score and wants a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    YesNo(YesNo),
    Choice(Slug),
    Text(Prose),
    Date(Date),
    File(EvidenceId),
    NotApplicable(Prose),
}

/// The answers of a round, by question id.
pub type Answers = BTreeMap<Slug, Answer>;

/// What one question did to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Contribution {
    pub question: Slug,
    pub weight: u32,
    /// 0 best to 100 worst; an unanswered question counts as worst.
    pub risk: u8,
    /// Points of the 100 that this question cost.
    pub lost: f64,
    pub answered: bool,
}

/// A score with its explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// 0 worst to 100 best; `None` when nothing could be scored.
    pub points: Option<f64>,
    pub contributions: Vec<Contribution>,
}

impl Template {
    /// The question of that id.
    pub fn question(&self, id: &Slug) -> Option<&Question> {
        self.questions.iter().find(|question| &question.id == id)
    }

    /// Checks answers against the questions: known ids, fitting kinds, known options.
    pub fn check(&self, answers: &Answers) -> Result<(), Invalid> {
        for (id, answer) in answers {
            let at = format!("answers.{id}");
            let question = self.question(id).ok_or_else(|| Invalid::new(&at, "is no question of this questionnaire"))?;
            question.check(answer).map_err(|error| error.within(&at))?;
        }
        Ok(())
    }

    /// Whether a question is asked, given the answers so far.
    pub fn is_asked(&self, question: &Question, answers: &Answers) -> bool {
        question.when.as_ref().is_none_or(|when| match answers.get(&when.question) {
            Some(Answer::YesNo(YesNo::Yes)) => when.answer == "yes",
            Some(Answer::YesNo(YesNo::No)) => when.answer == "no",
            Some(Answer::Choice(key)) => when.answer == key.as_str(),
            Some(Answer::Text(_) | Answer::Date(_) | Answer::File(_) | Answer::NotApplicable(_)) | None => false,
        })
    }

    /// `100 × Σ w(1−p) / Σ w` over what is asked and applies; unanswered counts as worst.
    pub fn score(&self, answers: &Answers, today: Date) -> Score {
        let scored: Vec<(&Question, u8, bool)> = self
            .questions
            .iter()
            .filter(|question| question.weight > 0 && self.is_asked(question, answers))
            .filter_map(|question| match answers.get(&question.id) {
                Some(Answer::NotApplicable(_)) => None,
                Some(answer) => Some((question, question.risk(answer, today), true)),
                None => Some((question, 100, false)),
            })
            .collect();
        let total: f64 = scored.iter().map(|(question, ..)| f64::from(question.weight)).sum();
        let contributions: Vec<Contribution> = scored
            .into_iter()
            .map(|(question, risk, answered)| Contribution {
                question: question.id.clone(),
                weight: question.weight,
                risk,
                lost: f64::from(question.weight) * f64::from(risk) / total,
                answered,
            })
            .collect();
        let points = (total > 0.0).then(|| 100.0 - contributions.iter().map(|part| part.lost).sum::<f64>());
        Score { points, contributions }
    }
}

impl Question {
    fn check(&self, answer: &Answer) -> Result<(), Invalid> {
        let fits = match (&self.kind, answer) {
            (_, Answer::NotApplicable(_))
            | (QuestionKind::YesNo { .. }, Answer::YesNo(_))
            | (QuestionKind::Text, Answer::Text(_))
            | (QuestionKind::Date { .. }, Answer::Date(_))
            | (QuestionKind::File, Answer::File(_)) => true,
            (QuestionKind::Choice { options }, Answer::Choice(key)) => {
                if !options.iter().any(|option| &option.key == key) {
                    return Err(Invalid::new("", "is none of the options of this question"));
                }
                true
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Invalid::new("", format!("must be answered as {}", self.kind.key()))) }
    }

    fn risk(&self, answer: &Answer, today: Date) -> u8 {
        match (&self.kind, answer) {
            (QuestionKind::YesNo { good }, Answer::YesNo(given)) if good == given => 0,
            (QuestionKind::Choice { options }, Answer::Choice(key)) => {
                options.iter().find(|option| &option.key == key).map_or(100, |option| option.risk.min(100))
            }
            (QuestionKind::Date { fresh_days: Some(days) }, Answer::Date(day)) => {
                if day.plus_days(i64::from(*days)) < today || *day > today { 100 } else { 0 }
            }
            (QuestionKind::Date { fresh_days: None }, Answer::Date(_))
            | (QuestionKind::Text, Answer::Text(_))
            | (QuestionKind::File, Answer::File(_)) => 0,
            _ => 100,
        }
    }
}

impl QuestionKind {
    /// The wire name of the kind.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::YesNo { .. } => "yes_no",
            Self::Choice { .. } => "choice",
            Self::Text => "text",
            Self::Date { .. } => "date",
            Self::File => "file",
        }
    }
}
