//! The questionnaires that come with the house: read once, and found sound before anyone is asked anything.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::domain::Invalid;
use crate::domain::questionnaire::{AskedWhen, Question, QuestionKind, Template};
use crate::domain::text::Slug;

const SECURITY: &str = include_str!("questionnaires/security.json");

static BUILTIN: LazyLock<Result<Vec<Template>, Invalid>> = LazyLock::new(|| [read("security", SECURITY)].into_iter().collect());

/// Every questionnaire that comes with the house.
///
/// # Errors
/// When one of them does not hold together; a test keeps that from being shipped.
pub fn builtin() -> Result<&'static [Template], Invalid> {
    BUILTIN.as_deref().map_err(Clone::clone)
}

/// The questionnaire of that key, in its newest version.
///
/// # Errors
/// As [`builtin`].
pub fn find(key: &Slug) -> Result<Option<&'static Template>, Invalid> {
    Ok(builtin()?.iter().find(|template| &template.key == key))
}

/// What a questionnaire must be before it is sent, wherever it comes from: ids are unique, a choice offers at
/// least two different options one of which carries no risk, and a condition names an answer that an earlier
/// question can have.
///
/// # Errors
/// The first question that is otherwise, by its place.
pub fn check(template: &Template) -> Result<(), Invalid> {
    if template.questions.is_empty() {
        return Err(Invalid::new("questions", "must hold at least one question"));
    }
    let mut earlier: Vec<&Question> = Vec::with_capacity(template.questions.len());
    for (at, question) in template.questions.iter().enumerate() {
        check_question(question, &earlier).map_err(|error| error.within(&format!("questions[{at}]")))?;
        earlier.push(question);
    }
    Ok(())
}

fn check_question(question: &Question, earlier: &[&Question]) -> Result<(), Invalid> {
    if earlier.iter().any(|other| other.id == question.id) {
        return Err(Invalid::new("id", "is there twice"));
    }
    if let QuestionKind::Choice { options } = &question.kind {
        let keys: BTreeSet<&Slug> = options.iter().map(|option| &option.key).collect();
        if keys.len() < 2 || keys.len() != options.len() {
            return Err(Invalid::new("options", "must be two or more, each with a key of its own"));
        }
        if options.iter().all(|option| option.risk != 0) || options.iter().any(|option| option.risk > 100) {
            return Err(Invalid::new("options", "must have risks of 0 to 100, and one of them 0"));
        }
    }
    question.when.as_ref().map_or(Ok(()), |when| check_condition(when, earlier))
}

fn check_condition(when: &AskedWhen, earlier: &[&Question]) -> Result<(), Invalid> {
    let asked = earlier
        .iter()
        .find(|other| other.id == when.question)
        .ok_or_else(|| Invalid::new("when.question", "must be the id of an earlier question"))?;
    let possible = match &asked.kind {
        QuestionKind::YesNo { .. } => matches!(when.answer.as_str(), "yes" | "no"),
        QuestionKind::Choice { options } => options.iter().any(|option| option.key.as_str() == when.answer),
        QuestionKind::Text | QuestionKind::Date { .. } | QuestionKind::File => false,
    };
    if possible { Ok(()) } else { Err(Invalid::new("when.answer", "must be an answer that question can have")) }
}

fn read(name: &str, json: &str) -> Result<Template, Invalid> {
    let template: Template = serde_json::from_str(json).map_err(|error| Invalid::new(name, format!("can't be read: {error}")))?;
    check(&template).map_err(|error| error.within(name))?;
    Ok(template)
}

#[cfg(test)]
mod tests;
