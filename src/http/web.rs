//! The pages: server-rendered, readable without script, and closed to everyone but the staff who signed in.

pub mod access;
pub mod account;
pub mod agreements;
pub mod answer;
pub mod assessments;
pub mod assets;
pub mod chart;
pub mod consents;
pub mod cookie;
pub mod datasets;
pub mod dashboard;
pub mod error;
pub mod evidence;
mod fields;
pub mod form;
#[cfg(test)]
mod gallery;
pub mod guard;
pub mod help;
pub mod history;
pub mod lead;
pub mod menu;
pub mod once;
pub mod page;
pub mod parts;
pub mod people;
pub mod permits;
pub mod signing_keys;
pub mod resume;
pub mod shown;
pub mod sign_in;
pub mod upload;
pub mod stop_everything;
pub mod timeline;
pub mod vendors;
pub mod vocabulary;
pub mod words;
