//! What the history's kinds, outcomes and gates are called, and what its filters offer.

use crate::app::lists::{KINDS, OUTCOMES};
use crate::domain::gate::Gate;
use crate::http::web::parts::Choice;
use crate::http::web::words::{self, Badge, Tone};

/// A kind of entries.
pub fn kind(key: &str) -> String {
    let word = match key {
        "policy" => "Policies put in force",
        "act" => "Acts",
        "release" => "Releases",
        "opened" => "Streams begun",
        "closed" => "Streams ended",
        "refusal" => "Refusals",
        other => return spoken(other),
    };
    word.to_owned()
}

/// An outcome: what became of a request, or the verb of an act.
pub fn outcome(key: &str) -> String {
    spoken(key)
}

/// A gate.
pub fn gate(key: &str) -> String {
    Gate::from_key(key).map_or_else(|| spoken(key), |gate| words::gate(&gate).to_owned())
}

/// A key as words: `begin-due-diligence` is "Begin due diligence".
pub fn spoken(key: &str) -> String {
    capitalised(&key.replace(['_', '-'], " "))
}

/// A phrase as the beginning of a line; what it quotes stays as it is spelled.
pub fn capitalised(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What the proof of every entry is, until checkpoints are made.
pub fn no_checkpoint() -> Badge {
    Badge::new(Tone::Draft, "No checkpoint yet")
}

fn choices(keys: &[&str], called: fn(&str) -> String) -> Vec<Choice> {
    keys.iter().map(|key| Choice::new(*key, called(key))).collect()
}

/// Kinds to choose from.
pub fn kinds() -> Vec<Choice> {
    choices(KINDS, kind)
}

/// Outcomes to choose from.
pub fn outcomes() -> Vec<Choice> {
    choices(OUTCOMES, outcome)
}

/// Gates to choose from.
pub fn gates() -> Vec<Choice> {
    choices(&Gate::ALL.map(Gate::key), gate)
}

/// People to choose from, and the two who act and are no person.
pub fn people(people: &[(String, String)]) -> Vec<Choice> {
    let others = [Choice::new("operator", "The operator, at the command line"), Choice::new("system", "Tidegate itself")];
    people.iter().map(|(id, name)| Choice::new(id, name)).chain(others).collect()
}

/// How many are shown, of how many.
pub fn count(shown: usize, counted: usize, more: bool) -> String {
    let all = if more { format!("more than {}", words::number(counted)) } else { words::number(counted) };
    match (shown, counted, more) {
        (_, 1, false) => "1 entry".to_owned(),
        (shown, counted, false) if shown == counted => format!("{all} entries"),
        _ => format!("Showing {} of {all} entries", words::number(shown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::Vocabulary;

    #[test]
    fn every_word_that_an_entry_is_found_by_is_called_something() {
        for choice in [kinds(), outcomes(), gates(), words::purposes(Vocabulary::shipped().purposes())].into_iter().flatten() {
            assert!(choice.label.starts_with(char::is_uppercase) && !choice.label.contains('_'), "{choice:?}");
        }
    }

    #[test]
    fn counts_say_what_they_do_not_know() {
        assert_eq!(count(1, 1, false), "1 entry");
        assert_eq!(count(7, 7, false), "7 entries");
        assert_eq!(count(50, 60, false), "Showing 50 of 60 entries");
        assert_eq!(count(50, 10_000, true), "Showing 50 of more than 10\u{202f}000 entries");
    }
}
