//! Answers of a questionnaire in plain words.

use crate::domain::questionnaire::{Answer, Question, QuestionKind, YesNo};

/// An answer as a reviewer reads it; an option by its text, where the question still has it. `paper` is the name of
/// the evidence that a file answer names.
pub fn answer(answer: &Answer, question: Option<&Question>, paper: Option<&str>) -> String {
    match answer {
        Answer::YesNo(YesNo::Yes) => "yes".to_owned(),
        Answer::YesNo(YesNo::No) => "no".to_owned(),
        Answer::Choice(key) => {
            let text = question.and_then(|question| match &question.kind {
                QuestionKind::Choice { options } => options.iter().find(|option| &option.key == key).map(|option| option.text.clone()),
                QuestionKind::YesNo { .. } | QuestionKind::Text | QuestionKind::Date { .. } | QuestionKind::File => None,
            });
            text.unwrap_or_else(|| key.to_string())
        }
        Answer::Text(text) => text.to_string(),
        Answer::Date(day) => day.to_string(),
        Answer::File(_) => paper.unwrap_or("a file").to_owned(),
        Answer::NotApplicable(reason) => format!("does not apply: {reason}"),
    }
}
