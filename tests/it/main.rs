//! One integration binary: the harness, a module per noun, and the house's own rules.

// Clippy's leave for tests covers `#[test]` functions, not the helpers between them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, clippy::print_stderr)]

mod access;
mod attacks;
mod bad_input;
mod broker;
mod browse;
mod catalogue;
mod chromium;
mod cli;
mod crash;
mod consent;
mod cut;
mod database;
mod demo;
mod formats;
mod harness;
mod house;
mod interleaving;
mod journey;
mod kept;
mod keys;
mod lifecycle;
mod oauth;
mod pages;
mod path;
mod postgres;
mod race;
mod screens;
mod sign_in;
mod reads;
mod realdata;
mod slow;
mod sources;
mod store;
mod unlinkable;
mod vocabulary;
mod words;
