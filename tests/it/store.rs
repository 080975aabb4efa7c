//! The store on both databases: what each way in promises, and every noun there and back.

mod four_ways;
mod history;
pub mod migrations;
mod nouns;
mod samples;
mod writer;
