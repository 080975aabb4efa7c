//! Questions as a page shows them: as they are answered, or as somebody just typed.

use std::collections::BTreeSet;

use crate::app::assessments::{Dossier, progress};
use crate::domain::evidence::Evidence;
use crate::domain::questionnaire::{Answer, Question, QuestionKind, YesNo};
use crate::domain::text::Slug;
use crate::http::web::form::Typed;
use crate::http::web::parts::Choice;
use crate::http::web::words;
use crate::policy::words::answer as in_words;

/// A run of questions.
pub struct DomainView {
    /// Counted from 1; its place on the page.
    pub number: usize,
    pub name: String,
    pub answered: usize,
    pub asked: usize,
    pub questions: Vec<QuestionView>,
}

/// One question.
pub struct QuestionView {
    pub id: String,
    pub text: String,
    pub kind: &'static str,
    pub weight: u32,
    /// Whether it is asked, given the answers so far.
    pub asked: bool,
    pub options: Vec<Choice>,
    /// What stands in the field.
    pub value: String,
    /// Why it does not apply.
    pub reason: String,
    /// The answer that this page is based on, to be sent along.
    pub was: String,
    /// The answer in words; empty where there is none.
    pub said: String,
    pub error: Option<String>,
    /// Somebody else's answer, in words, where it came in between.
    pub other: Option<String>,
}

impl DomainView {
    /// How far it has come, of a hundred.
    pub fn percent(&self) -> usize {
        self.answered.saturating_mul(100).checked_div(self.asked).unwrap_or(100)
    }
}

/// The domains of a round. What was typed stands in the fields of the questions that were sent; `overtaken` are those
/// that somebody else answered meanwhile.
pub fn domains(dossier: &Dossier, typed: Option<&Typed>, overtaken: &BTreeSet<Slug>) -> Vec<DomainView> {
    let papers = papers(&dossier.papers);
    let view = |question: &Question| view(dossier, question, typed, overtaken.contains(&question.id), &papers);
    let counts = match dossier.round.questionnaire {
        Some(_) => progress(&dossier.round),
        None => crate::policy::comparison::progress(&dossier.questionnaire, &dossier.round.answers),
    };
    (1..)
        .zip(counts)
        .map(|(number, count)| DomainView {
            number,
            questions: dossier.questionnaire.questions.iter().filter(|question| question.domain == count.domain).map(view).collect(),
            name: count.domain,
            answered: count.answered,
            asked: count.asked,
        })
        .collect()
}

fn papers(papers: &[Evidence]) -> Vec<Choice> {
    papers
        .iter()
        .map(|paper| {
            let end = paper.facts.expires.map_or(String::new(), |day| format!(", holds until {}", words::date(&day)));
            Choice::new(paper.id.as_str(), format!("{} ({}{end})", paper.facts.name, words::evidence_type(paper.facts.kind)))
        })
        .collect()
}

fn view(dossier: &Dossier, question: &Question, typed: Option<&Typed>, overtaken: bool, papers: &[Choice]) -> QuestionView {
    let stored = dossier.round.answers.get(&question.id);
    let paper = |answer: &Answer| match answer {
        Answer::File(id) => dossier.papers.iter().find(|paper| paper.id == *id).map(|paper| paper.facts.name.as_str()),
        Answer::YesNo(_) | Answer::Choice(_) | Answer::Text(_) | Answer::Date(_) | Answer::NotApplicable(_) => None,
    };
    let said = stored.map(|answer| in_words(answer, Some(question), paper(answer))).unwrap_or_default();
    let sent = typed.filter(|typed| is_sent(typed, &question.id));
    let (value, reason) = match sent {
        Some(typed) => (typed.value(&format!("a.{}", question.id)).to_owned(), typed.value(&format!("na.{}", question.id)).to_owned()),
        None => (value(stored), reason(stored)),
    };
    QuestionView {
        id: question.id.to_string(),
        text: question.text.clone(),
        kind: question.kind.key(),
        weight: question.weight,
        asked: dossier.questionnaire.is_asked(question, &dossier.round.answers),
        options: options(question, papers),
        value,
        reason,
        was: was(stored),
        error: sent.and_then(|typed| typed.error(&format!("a.{}", question.id))).map(str::to_owned),
        other: overtaken.then(|| if said.is_empty() { "no answer".to_owned() } else { said.clone() }),
        said,
    }
}

/// Whether a form held the question.
pub fn is_sent(typed: &Typed, question: &Slug) -> bool {
    let name = format!("was.{question}");
    typed.pairs().iter().any(|(key, _)| *key == name)
}

/// The answer as it travels with the page, so that nobody overwrites what they did not read.
pub fn was(stored: Option<&Answer>) -> String {
    stored.and_then(|answer| serde_json::to_string(answer).ok()).unwrap_or_default()
}

fn value(stored: Option<&Answer>) -> String {
    match stored {
        Some(Answer::YesNo(YesNo::Yes)) => "yes".to_owned(),
        Some(Answer::YesNo(YesNo::No)) => "no".to_owned(),
        Some(Answer::Choice(key)) => key.to_string(),
        Some(Answer::Text(text)) => text.to_string(),
        Some(Answer::Date(day)) => day.to_string(),
        Some(Answer::File(id)) => id.to_string(),
        Some(Answer::NotApplicable(_)) | None => String::new(),
    }
}

fn reason(stored: Option<&Answer>) -> String {
    match stored {
        Some(Answer::NotApplicable(reason)) => reason.to_string(),
        Some(Answer::YesNo(_) | Answer::Choice(_) | Answer::Text(_) | Answer::Date(_) | Answer::File(_)) | None => String::new(),
    }
}

fn options(question: &Question, papers: &[Choice]) -> Vec<Choice> {
    match &question.kind {
        QuestionKind::YesNo { .. } => vec![Choice::new("yes", "Yes"), Choice::new("no", "No")],
        QuestionKind::Choice { options } => options.iter().map(|option| Choice::new(option.key.as_str(), option.text.as_str())).collect(),
        QuestionKind::File => papers.to_vec(),
        QuestionKind::Text | QuestionKind::Date { .. } => Vec::new(),
    }
}
