//! A receiver that reads a stream as slowly as the test wants, and the rows that make it long.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::domain::Date;
use tidegate::domain::id::ReleaseId;
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet};
use tidegate::store::{StoreError, streams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{House, people_fields, permit};

/// A running pull. Nothing is read that the test does not ask for, and the system holds little for it.
pub struct Pull {
    connection: TcpStream,
    head: String,
    raw: Vec<u8>,
    pub release: String,
}

/// What came of a pull.
pub struct Received {
    /// The bytes of the body, without the chunks' frames.
    pub bytes: Vec<u8>,
    /// Whether the terminating chunk came.
    pub whole: bool,
}

impl Received {
    /// Whole lines.
    pub fn rows(&self) -> usize {
        self.bytes.iter().filter(|byte| **byte == b'\n').count()
    }
}

impl Pull {
    /// Asks for NDJSON and reads the head of the answer.
    pub async fn open(url: &str, token: &str, path: &str) -> Self {
        Self::open_as(url, token, path, NDJSON).await
    }

    /// Asks with further header lines and reads the head of the answer.
    pub async fn open_as(url: &str, token: &str, path: &str, headers: &str) -> Self {
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        let mut connection = socket.connect(address).await.unwrap();
        connection.write_all(request(address, token, path, headers).as_bytes()).await.unwrap();
        let mut pull = Self { connection, head: String::new(), raw: Vec::new(), release: String::new() };
        let end = loop {
            if let Some(end) = pull.raw.windows(4).position(|part| part == b"\r\n\r\n") {
                break end;
            }
            assert!(pull.more().await, "the answer has no head");
        };
        pull.head = String::from_utf8(pull.raw.drain(..end + 4).collect()).unwrap();
        assert!(pull.head.starts_with("HTTP/1.1 200 "), "{}", pull.head);
        let named = pull.head.lines().find_map(|line| line.strip_prefix("tidegate-release: "));
        pull.release = named.expect("a stream names its release").to_owned();
        pull
    }

    /// Asks for NDJSON and leaves after a while, whatever has come by then.
    pub async fn ask_and_leave(url: &str, token: &str, path: &str, after: Duration) {
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(request(address, token, path, NDJSON).as_bytes()).await.unwrap();
        tokio::time::sleep(after).await;
        // The connection is reset, not only ended: then the server stops what it does for it at once.
        connection.set_zero_linger().unwrap();
    }

    /// Reads a little; `false` at the end.
    pub async fn more(&mut self) -> bool {
        let mut part = [0; 4 * 1024];
        match self.connection.read(&mut part).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.raw.extend_from_slice(&part[..read]);
                true
            }
        }
    }

    /// Reads until so many bytes came.
    pub async fn until(&mut self, bytes: usize) {
        while self.raw.len() < bytes {
            assert!(self.more().await, "the stream ended after {} bytes", self.raw.len());
        }
    }

    /// Reads on as fast as it comes, to the end.
    pub async fn rest(mut self) -> Received {
        // A reset connection gives an error after the bytes that came.
        let _ = self.connection.read_to_end(&mut self.raw).await;
        unframed(&self.raw)
    }
}

const NDJSON: &str = "accept: application/x-ndjson\r\n";

fn request(address: SocketAddr, token: &str, path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{headers}connection: close\r\n\r\n")
}

/// Takes off the frames of chunks (RFC 9112 §7.1).
fn unframed(mut raw: &[u8]) -> Received {
    let mut bytes = Vec::new();
    while let Some(end) = raw.windows(2).position(|part| part == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return Received { bytes, whole: true };
        }
        let body = &raw[end + 2..];
        bytes.extend_from_slice(&body[..size.min(body.len())]);
        raw = body.get(size + 2..).unwrap_or_default();
    }
    Received { bytes, whole: false }
}

/// Rows of `wide`: more bytes than sockets hold.
pub const WIDE_ROWS: usize = 150_000;

/// A permit over `wide` that releases everything that makes it wide.
pub fn wide() -> Value {
    permit("wide", json!({"city": {"kind": "clear"}, "score": {"kind": "clear"}}))
}

/// Catalogues `wide`: people with a long city, [`WIDE_ROWS`] of them, as Parquet.
pub async fn catalogue_wide(house: &House) {
    catalogue_wide_of(house, WIDE_ROWS).await;
}

/// The same of so many people.
pub async fn catalogue_wide_of(house: &House, rows: usize) {
    let texts = |text: &str| SampleValues::Text(vec![Some(text.to_owned()); rows]);
    let columns = vec![
        SampleColumn { name: "id", values: SampleValues::Text((0..rows).map(|row| Some(format!("P{row:07}"))).collect()) },
        SampleColumn { name: "email", values: texts("person@mail.example") },
        SampleColumn { name: "name", values: texts("Person Number") },
        SampleColumn { name: "born", values: SampleValues::Date(vec![Date::from_ymd(1980, 2, 29); rows]) },
        SampleColumn { name: "city", values: texts(&"Llanfairpwllgwyngyll-".repeat(6)) },
        SampleColumn { name: "score", values: SampleValues::Integer((0..rows).map(|row| i64::try_from(row).ok()).collect()) },
        SampleColumn { name: "spent", values: SampleValues::Number(vec![Some(1.25); rows]) },
        SampleColumn { name: "secret", values: texts("hidden") },
    ];
    write_parquet(&house.sources().join("wide.parquet"), &columns).unwrap();
    let location = json!({"name": "wide", "location": {"kind": "parquet", "path": "wide.parquet"}});
    let source = house.post(Role::DataSteward, "/api/v1/sources", location).await.good();
    let body = json!({
        "name": "wide", "source": source["id"], "table": "wide", "fields": people_fields(), "subject": {"field": "id", "domain": "person"}
    });
    house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
}

/// The tolls that a running stream of a house has paid, in rows; `None` when it runs no more.
pub async fn tolls(house: &House, release: &str) -> Option<Vec<u64>> {
    let (release, broker): (ReleaseId, _) = (release.parse().unwrap(), house.app.settings.broker.clone());
    let open = house.app.store.read(move |tx| streams::dangling(tx, &broker)).await.map_err(|error: StoreError| error).unwrap();
    open.into_iter().find(|(stream, _)| stream.release == release).map(|(_, tolls)| tolls.iter().map(|toll| toll.rows).collect())
}

/// The leaf of a stream's end, once it is there.
pub async fn closed(house: &House, release: &str) -> Value {
    for _ in 0..1_500 {
        if let [entry] = house.history(&format!("kind=closed&release={release}")).await.as_slice() {
            return entry["leaf"].clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the stream {release} was not closed in the history");
}
