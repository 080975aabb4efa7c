//! Requests that leave the house: only to addresses of the public internet or to hosts that the operator named, and never
//! where an answer sends them.
//!
//! What others write into a source or a client (addresses) is fetched from within the operator's network, so it could
//! reach what only that network may (server-side request forgery, OWASP API7:2023). Three things are checked: how the
//! address is spelt, every address that a name stands for at the very moment of connecting, and nothing is followed.

mod address;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

pub use self::address::{AllowedHost, is_public};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Why nothing was fetched. No text names a host: the addresses of others' networks are nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("the address must be a whole one, such as https://crm.example.org/customers")]
    Malformed,
    #[error("the address must begin with https://: in the clear only hosts are fetched from that the operator allows (outbound_hosts)")]
    Clear,
    #[error("the address leads into a private network: the operator can allow its host (outbound_hosts)")]
    Private,
    #[error("nobody answers at this address, or its certificate is not trusted")]
    Unreachable,
    #[error("the answer took too long")]
    TimedOut,
}

/// What is asked for, without a body.
pub struct Request {
    /// `GET` or `HEAD`.
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What came back, whatever its status; a redirect is an answer like any other.
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: BoxStream<'static, Result<Bytes, OutboundError>>,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    allowed: Arc<[AllowedHost]>,
}

impl Outbound {
    /// Prepares the client. Hosts that the operator allows may be private and may be asked in the clear.
    ///
    /// # Errors
    /// Where the system's certificates can't be read.
    pub fn new(allowed: Vec<AllowedHost>) -> Result<Self, OutboundError> {
        let allowed: Arc<[AllowedHost]> = allowed.into();
        let client = reqwest::Client::builder()
            // Neither a proxy of the environment nor a redirect may lead where no address was checked.
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Public { allowed: Arc::clone(&allowed) })
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_max_idle_per_host(8)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| OutboundError::Unreachable)?;
        Ok(Self { client, allowed })
    }

    /// Whether an address is one that may be asked, by its spelling; what its name stands for is judged when it is asked.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(&self, url: &str) -> Result<(), OutboundError> {
        self.checked(url).map(drop)
    }

    /// Fetches.
    ///
    /// # Errors
    /// Where the address may not be asked, or nobody answers there in time.
    pub async fn fetch(&self, request: Request) -> Result<Answer, OutboundError> {
        let url = self.checked(&request.url)?;
        let method = match request.method.as_str() {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            _ => return Err(OutboundError::Malformed),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name: HeaderName = name.parse().map_err(|_| OutboundError::Malformed)?;
            let mut value = HeaderValue::from_bytes(value).map_err(|_| OutboundError::Malformed)?;
            // Any of them may be a secret.
            value.set_sensitive(true);
            headers.append(name, value);
        }
        let response = self.client.request(method, url).headers(headers).send().await.map_err(|error| failed(&error))?;
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        Ok(Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response.bytes_stream().map_err(|error| failed(&error)).boxed(),
        })
    }

    /// The address as it will be asked: a host that is an IP address in any spelling (decimal, hexadecimal, octal, short)
    /// is told as one by the parser (URL Standard, 3.5), and is judged here, since no name is resolved for it.
    fn checked(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(OutboundError::Malformed)?;
        let port = url.port_or_known_default().ok_or(OutboundError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Malformed);
        }
        if self.allowed.iter().any(|allowed| allowed.covers(host, Some(port))) {
            return Ok(url);
        }
        // A host of which only another port is allowed may not be reached by way of the resolver, which knows no port.
        if self.allowed.iter().any(|allowed| allowed.covers(host, None)) {
            return Err(OutboundError::Private);
        }
        if url.scheme() != "https" {
            return Err(OutboundError::Clear);
        }
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) if !is_public(address) => Err(OutboundError::Private),
            Ok(_) | Err(_) => Ok(url),
        }
    }
}

fn failed(error: &reqwest::Error) -> OutboundError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(OutboundError::Private) = inner.downcast_ref::<OutboundError>() {
            return OutboundError::Private;
        }
        cause = inner.source();
    }
    if error.is_timeout() { OutboundError::TimedOut } else { OutboundError::Unreachable }
}

/// Resolves names, and gives only addresses that may be connected to. What is checked is what is connected to: a name
/// that stands for another address a moment later (DNS rebinding) gains nothing.
struct Public {
    allowed: Arc<[AllowedHost]>,
}

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.iter().any(|allowed| allowed.covers(name.as_str(), None));
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address among public ones is enough: which of them is taken is chance.
            if !allowed && found.iter().any(|address| !is_public(address.ip())) {
                return Err(OutboundError::Private.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, allowed: &[&str]) -> Result<(), OutboundError> {
        let allowed = allowed.iter().map(|host| host.parse().unwrap()).collect();
        Outbound::new(allowed).unwrap().checked(url).map(drop)
    }

    #[test]
    fn no_spelling_of_a_private_address_passes() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://１２７.０.０.１/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:7f00:1::]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[fd12:3456::1]/",
            "https://[ff02::1]/",
        ] {
            assert_eq!(checked(url, &[]), Err(OutboundError::Private), "{url}");
        }
        for url in ["https://93.184.215.14/", "https://crm.example.org/", "https://[2606:2800:21f::1]/"] {
            assert_eq!(checked(url, &[]), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_to_ask_is_refused() {
        for url in
            ["", "crm.example.org", "file:///etc/passwd", "ftp://a.example/", "gopher://a.example/", "https://", "https://u:p@a.example/"]
        {
            assert_eq!(checked(url, &[]), Err(OutboundError::Malformed), "{url}");
        }
        assert_eq!(checked("http://a.example/", &[]), Err(OutboundError::Clear));
    }

    #[test]
    fn the_operator_allows_a_host_or_one_port_of_it() {
        assert_eq!(checked("http://127.0.0.1:9000/x", &["127.0.0.1"]), Ok(()));
        assert_eq!(checked("http://127.0.0.1:9000/x", &["127.0.0.1:9000"]), Ok(()));
        assert_eq!(checked("http://2130706433:9000/x", &["127.0.0.1:9000"]), Ok(()));
        assert_eq!(checked("http://127.0.0.1:9001/x", &["127.0.0.1:9000"]), Err(OutboundError::Private));
        assert_eq!(checked("https://MinIO.internal/x", &["minio.internal"]), Ok(()));
        assert_eq!(checked("https://minio.internal./x", &["minio.internal"]), Ok(()));
        assert_eq!(checked("http://[::1]:9000/", &["[::1]:9000"]), Ok(()));
        assert_eq!(checked("http://minio.internal.evil.example/", &["minio.internal"]), Err(OutboundError::Clear));
    }

    /// A name that stands for this machine is resolved, judged and not connected to, however it is spelt.
    #[tokio::test]
    async fn names_are_judged_by_what_they_stand_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let outbound = Outbound::new(Vec::new()).unwrap();
        for host in ["localhost", "LOCALHOST", "localhost."] {
            let request = Request { method: "GET".to_owned(), url: format!("https://{host}:{port}/"), headers: Vec::new() };
            let refused = outbound.fetch(request).await.map(|answer| answer.status);
            // Not every system resolves the last of them.
            assert!(matches!(refused, Err(OutboundError::Private)) || (refused.is_err() && host.ends_with('.')), "{host}: {refused:?}");
        }
        assert!(listener.accept().is_err(), "somebody connected");
    }
}
