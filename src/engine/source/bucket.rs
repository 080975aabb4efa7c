//! Object stores that speak Amazon's S3: a prefix of a bucket as the files of a table. What they fetch goes through the
//! engine's own client, with its rules of what may be reached.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectStore;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use http_body_util::StreamBody;
use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService};
use object_store::path::Path as StorePath;
use tokio::sync::mpsc;

use super::EngineError;
use super::part::{At, Files, stem};
use crate::domain::secret::PlainSecret;
use crate::domain::source::ObjectStoreAt;
use crate::engine::fetch::{Ask, Client, FetchError};

/// The most files that one table may have.
pub(in crate::engine) const MOST_FILES: usize = 20_000;

/// A bucket and how it is read.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Bucket {
    pub(in crate::engine) store: Arc<dyn ObjectStore>,
    /// A name of its own within the runtime: two sources may have equal buckets at different endpoints.
    pub(in crate::engine) url: ObjectStoreUrl,
}

/// A name of a bucket that differs when anything by which it is reached does.
pub(in crate::engine) fn identity(bucket: &str, at: Option<&ObjectStoreAt>, secret: Option<&PlainSecret>) -> String {
    let text = |line: Option<&crate::domain::text::Line>| line.map_or("", |line| line.as_str()).to_owned();
    let parts = [
        bucket.to_owned(),
        text(at.and_then(|at| at.endpoint.as_ref())),
        text(at.and_then(|at| at.region.as_ref())),
        text(at.and_then(|at| at.access_key.as_ref())),
        secret.map(|secret| secret.reveal().to_owned()).unwrap_or_default(),
    ];
    HEXLOWER.encode(digest(&SHA256, parts.join("\n").as_bytes()).as_ref())
}

impl Bucket {
    /// Prepares to read; nobody is asked yet.
    pub(in crate::engine) fn new(
        bucket: &str,
        at: Option<&ObjectStoreAt>,
        secret: Option<&PlainSecret>,
        client: Client,
    ) -> Result<Self, EngineError> {
        let region = at.and_then(|at| at.region.as_ref()).map_or("us-east-1", |region| region.as_str());
        // Nothing is taken from the environment, as `from_env` would.
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(region).with_http_connector(Connector(client));
        if let Some(endpoint) = at.and_then(|at| at.endpoint.as_ref()) {
            let endpoint = endpoint.as_str();
            builder = builder.with_endpoint(endpoint.trim_end_matches('/')).with_allow_http(endpoint.starts_with("http://"));
        }
        builder = match (at.and_then(|at| at.access_key.as_ref()), secret) {
            (Some(key), Some(secret)) => builder.with_access_key_id(key.as_str()).with_secret_access_key(secret.reveal()),
            (Some(_), None) => return Err(EngineError::Unavailable("the secret of the access key was not given yet".to_owned())),
            (None, _) => builder.with_skip_signature(true),
        };
        let url = ObjectStoreUrl::parse(format!("s3://{}", identity(bucket, at, secret)));
        Ok(Self { store: Arc::new(builder.build()?), url: url.map_err(|_| EngineError::internal("a bucket has no name"))? })
    }

    /// The files below a prefix whose names end so, or the one file of that very name.
    pub(in crate::engine) async fn files(&self, bucket: &str, prefix: &str, fits: fn(&str) -> bool) -> Result<Files, EngineError> {
        let below = StorePath::parse(prefix.trim_matches('/')).map_err(|_| EngineError::damaged())?;
        let last = below.filename().unwrap_or(bucket).to_owned();
        if fits(&last) && !prefix.ends_with('/') {
            let meta = datafusion::object_store::ObjectStoreExt::head(self.store.as_ref(), &below).await?;
            return Files::of_many(stem(&last), vec![(last, At::Object(Arc::clone(&self.store)), meta)], Some(self.url.clone()));
        }
        let mut found = Vec::new();
        let mut listed = self.store.list(Some(&below));
        while let Some(meta) = listed.try_next().await? {
            let name = meta.location.filename().unwrap_or_default();
            if !fits(name) || name.starts_with(['.', '_']) {
                continue;
            }
            if found.len() >= MOST_FILES {
                return Err(EngineError::Unavailable(format!("there are more than {MOST_FILES} files below the prefix")));
            }
            let path = meta.location.as_ref();
            let rest = path.strip_prefix(below.as_ref()).unwrap_or(path).trim_start_matches('/').to_owned();
            found.push((rest, At::Object(Arc::clone(&self.store)), meta));
        }
        Files::of_many(last, found, Some(self.url.clone()))
    }
}

#[derive(Debug)]
struct Connector(Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(Client);

impl HttpService for Service {
    fn call<'this, 'call>(
        &'this self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'call>>
    where
        'this: 'call,
        Self: 'call,
    {
        let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let ask = Ask { method: request.method().as_str().to_owned(), url: request.uri().to_string(), headers: headers.collect() };
        let answer = self.0.0.fetch(ask);
        Box::pin(async move {
            let answer = answer.await.map_err(failed)?;
            let mut response = http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name.as_str(), value.as_slice());
            }
            response
                .body(HttpResponseBody::new(StreamBody::new(handed_on(answer.body))))
                .map_err(|error| HttpError::new(HttpErrorKind::Decode, error))
        })
    }
}

/// The pieces by way of a channel: a body must be one that several threads may look at, which a client's is not.
fn handed_on(
    mut pieces: BoxStream<'static, Result<Bytes, FetchError>>,
) -> impl Stream<Item = Result<http_body::Frame<Bytes>, HttpError>> + Send + Sync {
    let (sender, mut receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        while let Some(piece) = pieces.next().await {
            if sender.send(piece.map(http_body::Frame::data).map_err(failed)).await.is_err() {
                return;
            }
        }
    });
    futures::stream::poll_fn(move |context| receiver.poll_recv(context))
}

fn failed(error: FetchError) -> HttpError {
    let kind = match error {
        // Asking again would not help.
        FetchError::NotAllowed(_) => HttpErrorKind::Unknown,
        FetchError::Unreachable => HttpErrorKind::Connect,
        FetchError::TimedOut => HttpErrorKind::Timeout,
    };
    HttpError::new(kind, error)
}
