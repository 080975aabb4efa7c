//! Tidegate: the gate between a company's customer data and its vendors.
//!
//! Modules stand in reading order: the nouns first, the wires last. Imports go inward only
//! (`tests/it/house.rs` holds the table and enforces it).

pub mod domain;
pub mod policy;
pub mod engine;
pub mod history;
pub mod keys;
pub mod files;
pub mod token;
pub mod outbound;
pub mod store;
pub mod app;
pub mod work;
pub mod http;
pub mod config;
pub mod boot;
pub mod cli;
