//! The wires: the route table whole, guards, errors. Parses into domain types, calls one use case, renders.

pub mod api;
pub mod data;
pub mod error;
pub mod guard;
pub mod health;
pub mod input;
pub mod oauth;
pub mod openapi;
mod peer;
pub mod request_id;
pub mod routes;
pub mod server;
pub mod web;
