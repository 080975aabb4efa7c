//! How sources fetch over HTTP: the engine says what, and whoever starts it brings the client that may reach out.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// A request without a body.
pub struct Ask {
    /// `GET` or `HEAD`.
    pub method: String,
    pub url: String,
    /// Names and values; some of them are secrets.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ask").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What came back, whatever its status.
pub struct Fetched {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: BoxStream<'static, Result<Bytes, FetchError>>,
}

impl Fetched {
    /// The first header of that name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// Why nothing came back. No text here names a host or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address may not be fetched from.
    #[error("{0}")]
    NotAllowed(String),
    #[error("nobody answers at this address, or its certificate is not trusted")]
    Unreachable,
    #[error("the answer took too long")]
    TimedOut,
}

/// A client that fetches. It follows no redirect.
pub trait Fetch: Send + Sync + 'static {
    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Fetched, FetchError>>;
}

/// The client of an engine that has none.
pub(super) struct Nowhere;

impl Fetch for Nowhere {
    fn fetch(&self, _: Ask) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        Box::pin(std::future::ready(Err(FetchError::NotAllowed("this process fetches nothing over HTTP".to_owned()))))
    }
}

/// A client as it is shared; its `Debug` shows nothing.
#[derive(Clone)]
pub(super) struct Client(pub(super) Arc<dyn Fetch>);

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Client(..)")
    }
}
