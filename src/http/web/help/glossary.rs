//! Every word of law and of the house that pages use, each with an entry that a link leads to.

mod house;
mod law;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::http::web::answer::render;
use crate::http::web::page::{Frame, Section};

use super::By;

/// A word and what it means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// What links name it by; never changed, for people keep links.
    pub key: &'static str,
    pub name: &'static str,
    /// Two or three plain sentences.
    pub meaning: &'static str,
    /// Where the law says it; empty for words of the house.
    pub law: &'static str,
}

const fn term(key: &'static str, name: &'static str, law: &'static str, meaning: &'static str) -> Term {
    Term { key, name, meaning, law }
}

/// Every term, as the files list them.
pub fn terms() -> impl Iterator<Item = Term> {
    law::TERMS.iter().chain(house::TERMS).copied()
}

/// The terms of one letter.
struct Letter {
    letter: char,
    terms: Vec<Term>,
}

#[derive(Template)]
#[template(path = "help/glossary.html")]
struct GlossaryPage {
    frame: Frame,
    letters: Vec<Letter>,
}

/// Every term by its letter, in the order of the alphabet.
fn letters() -> Vec<Letter> {
    let mut all: Vec<Term> = terms().collect();
    all.sort_by_key(|term| term.name.to_lowercase());
    let first = |term: &Term| term.name.chars().next().map_or('A', |letter| letter.to_ascii_uppercase());
    all.chunk_by(|one, other| first(one) == first(other))
        .filter_map(|terms| Some(Letter { letter: first(terms.first()?), terms: terms.to_vec() }))
        .collect()
}

/// The glossary.
pub async fn page(request: HttpRequest, by: By) -> Result<HttpResponse, Error> {
    let page = GlossaryPage { frame: by.frame(&request, "Glossary", Section::Help), letters: letters() };
    Ok(render(&request, StatusCode::OK, &page))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_term_is_there_once_and_says_enough() {
        let mut keys = BTreeSet::new();
        for term in terms() {
            assert!(keys.insert(term.key), "{} is there twice", term.key);
            assert!(term.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{} can't stand in an address", term.key);
            let sentences = term.meaning.matches(['.', '?', '!']).count();
            assert!(term.meaning.len() >= 80 && sentences >= 2 && term.meaning.ends_with('.'), "{} says too little", term.key);
            assert!(term.meaning.len() <= 560, "{} says too much", term.key);
            assert!(!term.meaning.to_lowercase().contains("anonymis"), "{}: nothing here is", term.key);
        }
        assert!(keys.len() >= 60);
    }

    #[test]
    fn letters_follow_the_alphabet() {
        let found: Vec<char> = letters().iter().map(|letter| letter.letter).collect();
        let mut sorted = found.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(found, sorted);
    }
}
