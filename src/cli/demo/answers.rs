//! Answers that a vendor of the demo gives: the best ones, but for as many weak ones as it admits to.

use crate::app::AppError;
use crate::domain::Date;
use crate::domain::id::EvidenceId;
use crate::domain::questionnaire::{Answer, Answers, Choice, Question, QuestionKind, Template, YesNo};
use crate::domain::text::Prose;

/// Answers every question that is asked; every `weak_every`th scored one badly, none when 0.
pub fn answers(template: &Template, evidence: &EvidenceId, today: Date, weak_every: usize) -> Result<Answers, AppError> {
    let mut answers = Answers::new();
    let prose: Prose = "Described in the security concept that we handed in.".parse()?;
    for (number, question) in template.questions.iter().enumerate() {
        let weak = weak_every > 0 && number.checked_rem(weak_every) == Some(weak_every.saturating_sub(1));
        if template.is_asked(question, &answers)
            && let Some(answer) = answer(question, evidence, today, weak, &prose)
        {
            answers.insert(question.id.clone(), answer);
        }
    }
    Ok(answers)
}

fn answer(question: &Question, evidence: &EvidenceId, today: Date, weak: bool, prose: &Prose) -> Option<Answer> {
    match &question.kind {
        QuestionKind::YesNo { good } => Some(Answer::YesNo(if weak { opposite(*good) } else { *good })),
        QuestionKind::Choice { options } => {
            let risk = |option: &&Choice| option.risk;
            let chosen = if weak { options.iter().max_by_key(risk) } else { options.iter().min_by_key(risk) };
            chosen.map(|option| Answer::Choice(option.key.clone()))
        }
        QuestionKind::Text => Some(Answer::Text(prose.clone())),
        QuestionKind::Date { .. } => Some(Answer::Date(today.plus_days(-60))),
        QuestionKind::File => Some(Answer::File(evidence.clone())),
    }
}

const fn opposite(answer: YesNo) -> YesNo {
    match answer {
        YesNo::Yes => YesNo::No,
        YesNo::No => YesNo::Yes,
    }
}
