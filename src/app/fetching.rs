//! What the engine fetches over HTTP goes out by the one door there is.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};

use crate::engine::{Ask, Fetch, FetchError, Fetched};
use crate::outbound::{Outbound, OutboundError, Request};

/// The client that engines are given.
pub struct Fetching(pub Outbound);

impl Fetch for Fetching {
    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let outbound = self.0.clone();
        async move {
            let Ask { method, url, headers } = ask;
            let answer = outbound.fetch(Request { method, url, headers }).await.map_err(failed)?;
            Ok(Fetched { status: answer.status, headers: answer.headers, body: answer.body.map_err(failed).boxed() })
        }
        .boxed()
    }
}

fn failed(error: OutboundError) -> FetchError {
    match error {
        OutboundError::Malformed | OutboundError::Clear | OutboundError::Private => FetchError::NotAllowed(error.to_string()),
        OutboundError::Unreachable => FetchError::Unreachable,
        OutboundError::TimedOut => FetchError::TimedOut,
    }
}
