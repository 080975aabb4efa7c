//! Codings: what is decoded is what went without, and the record speaks of that.

use std::io::Read;

use serde_json::Value;
use tidegate::app::release::{Coding, Format, Wire};

use super::{ARROW, NDJSON, PARQUET, RECORDS, pulled};
use crate::database::{Database, run};
use crate::harness::{House, usual};
use crate::slow::{WIDE_ROWS, catalogue_wide, closed, wide};

/// Decodes as far as it goes: the text, and whether the coding says that it is whole.
pub fn partly(coding: Coding, bytes: &[u8]) -> (String, bool) {
    let mut reader: Box<dyn Read> = match coding {
        Coding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Coding::Identity | Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes).unwrap()),
    };
    let (mut text, mut part) = (Vec::new(), [0; 8_192]);
    loop {
        match reader.read(&mut part) {
            Ok(0) => return (String::from_utf8(text).unwrap(), true),
            Ok(read) => text.extend_from_slice(&part[..read]),
            Err(_) => return (String::from_utf8(text).unwrap(), false),
        }
    }
}

#[test]
fn what_is_decoded_is_what_went_without() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(3_000).await;
        let vendor = house.vendor("Acme", &[("acme", usual("people"))]).await;
        let token = house.token(&vendor).await;
        for accept in [NDJSON, "text/csv", "application/json"] {
            let (_, head, plain) = pulled(&house, &token, RECORDS, &[("accept", accept)]).await;
            assert!(head.get("content-encoding").is_none() && head["vary"].to_str().unwrap().contains("Accept-Encoding"));
            for (coding, kind) in [("gzip", Coding::Gzip), ("zstd", Coding::Zstd)] {
                let (status, head, coded) = pulled(&house, &token, RECORDS, &[("accept", accept), ("accept-encoding", coding)]).await;
                assert_eq!((status, head["content-encoding"].to_str().unwrap()), (200, coding), "{accept}");
                assert!(head["vary"].to_str().unwrap().contains("Accept-Encoding"));
                assert!(coded.len() < plain.len() / 2, "{accept} as {coding}: {} of {} bytes", coded.len(), plain.len());
                let (text, whole) = partly(kind, &coded);
                assert!(whole, "{accept} as {coding}");
                let release = head["tidegate-release"].to_str().unwrap().to_owned();
                let leaf = if accept == "application/json" {
                    let page: Value = serde_json::from_str(&text).unwrap();
                    let before: Value = serde_json::from_slice(&plain).unwrap();
                    assert_eq!(page["rows"], before["rows"]);
                    house.history(&format!("kind=release&release={release}")).await[0]["leaf"].clone()
                } else {
                    assert!(text.as_bytes() == plain, "{accept} as {coding}");
                    closed(&house, &release).await
                };
                assert_eq!(leaf["content"], tidegate::keys::sha256_hex(text.as_bytes()), "{accept} as {coding}");
                assert_eq!(leaf["bytes"], text.len());
            }
        }
    });
}

#[test]
fn codings_that_are_not_there_are_refused() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(10).await;
        let vendor = house.vendor("Acme", &[("acme", usual("people"))]).await;
        let token = house.token(&vendor).await;
        for (accept, coding, status, chosen) in [
            (NDJSON, "br", 200, None),
            (NDJSON, "gzip;q=0.5, zstd;q=0.4, br", 200, Some("gzip")),
            (NDJSON, "br, identity;q=0", 406, None),
            ("application/json", "*;q=0", 406, None),
            (PARQUET, "gzip, zstd", 200, None),
            (ARROW, "zstd, identity;q=0", 406, None),
        ] {
            let (came, head, bytes) = pulled(&house, &token, RECORDS, &[("accept", accept), ("accept-encoding", coding)]).await;
            assert_eq!(came, status, "{accept}, {coding}");
            assert_eq!(head.get("content-encoding").map(|value| value.to_str().unwrap()), chosen, "{accept}, {coding}");
            if status == 406 {
                let problem: Value = serde_json::from_slice(&bytes).unwrap();
                assert!(problem["detail"].as_str().unwrap().contains("identity"), "{problem}");
            }
        }
    });
}

/// A coder that held rows back would keep what has paid its toll from leaving.
#[test]
fn what_has_paid_leaves_at_once() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        catalogue_wide(&house).await;
        let vendor = house.vendor("Acme", &[("acme", wide())]).await;
        let token = house.token(&vendor).await;
        for coding in [Coding::Gzip, Coding::Zstd] {
            let (_, chunks, whole) = super::chunks(&house, &token, "wide", Wire { coding, ..Format::Ndjson.into() }).await;
            assert!(whole && chunks.len() > 2, "{} chunks", chunks.len());
            let (mut came, mut rows) = (Vec::new(), 0);
            for chunk in chunks {
                came.extend_from_slice(&chunk);
                let (text, _) = partly(coding, &came);
                assert!(text.ends_with('\n'), "{coding:?}: a chunk holds a part of a row back");
                let read = text.lines().count();
                assert!(read > rows, "{coding:?}: a chunk brought no row");
                rows = read;
            }
            assert_eq!(rows, WIDE_ROWS);
        }
    });
}

#[test]
fn formulas_are_made_harmless_on_request_only() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(4).await;
        let mut columns = crate::harness::people_columns(4);
        let texts = ["=1+1", "@x, y", "-", "plain"].map(|text| Some(text.to_owned())).to_vec();
        columns[4].values = tidegate::engine::sample::SampleValues::Text(texts);
        columns[5].values = tidegate::engine::sample::SampleValues::Integer(vec![Some(-7), Some(7), None, Some(0)]);
        tidegate::engine::sample::write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
        let vendor = house.vendor("Acme", &[("acme", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let of = async |query: &str| house.pull(&token, &format!("{RECORDS}?select=city,score{query}"), "text/csv").await.text;
        let plain = "city,score\r\n=1+1,-7\r\n\"@x, y\",7\r\n-,\r\nplain,0\r\n";
        assert_eq!(of("").await, plain);
        assert_eq!(of("&csv_safe=0").await, plain);
        assert_eq!(of("&csv_safe=1").await, "city,score\r\n'=1+1,-7\r\n\"'@x, y\",7\r\n'-,\r\nplain,0\r\n", "a number is no formula");
    });
}
