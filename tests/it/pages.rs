//! Pages as browsers get them: headers, errors in words, and templates that hold nothing inline.

mod agreements;
mod access;
mod addresses;
mod assessments;
mod assets;
mod consents;
mod datasets;
mod evidence;
mod help;
mod history;
mod keys;
pub mod lived_in;
mod permits;
mod proof;
mod queries;
mod roles;
mod stops;
mod templates;
mod vendors;
mod vocabulary;

use flate2::read::GzDecoder;
use std::io::Read;

use tidegate::store::Clock;

use crate::database::{Database, run};
use crate::harness::{Answer, House, beginning};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Asks as a browser does, with further headers.
async fn browse(house: &House, method: &str, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = house.http.request(method.parse().unwrap(), format!("{}{path}", house.url)).header("accept", BROWSER);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// What every page's headers must say.
fn check_headers(response: &reqwest::Response) {
    assert_eq!(header(response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(response, "cache-control"), "no-store");
    let policy = header(response, "content-security-policy");
    for directive in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|one| one == directive), "{directive} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(header(response, "referrer-policy"), "same-origin");
    assert_eq!(header(response, "x-content-type-options"), "nosniff");
    assert_eq!(header(response, "x-frame-options"), "DENY");
    assert_eq!(header(response, "cross-origin-opener-policy"), "same-origin");
    assert_eq!(header(response, "cross-origin-resource-policy"), "same-origin");
    assert!(header(response, "permissions-policy").contains("camera=()"));
    for name in ["content-security-policy", "referrer-policy", "x-frame-options", "x-content-type-options"] {
        assert_eq!(response.headers().get_all(name).iter().count(), 1, "{name} is there twice");
    }
}

#[test]
fn a_page_that_is_not_there_says_what_to_do() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let response = browse(&house, "GET", "/no/such/page?q=1", &[]).await;
        assert_eq!(response.status(), 404);
        check_headers(&response);
        assert_eq!(header(&response, "strict-transport-security"), "", "the house is not reached over TLS");
        let id = header(&response, "x-request-id").to_owned();
        let text = response.text().await.unwrap();
        assert!(text.contains("Page not found") && text.contains("Check the address"), "{text}");
        assert!(!id.is_empty() && text.contains(&id), "the page names the request");
        assert!(!text.contains("no/such"), "what was asked for is not said again");

        let response = browse(&house, "DELETE", "/healthz", &[]).await;
        assert_eq!(response.status(), 405);
        check_headers(&response);
        assert_eq!(header(&response, "allow"), "GET, HEAD");
    });
}

#[test]
fn a_part_of_a_page_is_answered_with_a_part() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let response = browse(&house, "GET", "/no/such/part", &[("hx-request", "true")]).await;
        assert_eq!(response.status(), 404);
        check_headers(&response);
        let text = response.text().await.unwrap();
        assert!(text.contains("data-said") && !text.contains("<html"), "{text}");
        // What htmx's history lost is asked for whole.
        let headers = [("hx-request", "true"), ("hx-history-restore-request", "true")];
        let whole = browse(&house, "GET", "/no/such/part", &headers).await.text().await.unwrap();
        assert!(whole.contains("<html"), "{whole}");
    });
}

#[test]
fn programs_are_answered_as_programs() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        for path in ["/api/v1/nothing", "/api", "/data/v2", "/oauth/nothing", "/.well-known/nothing", "/static/nothing"] {
            let answer = Answer::of(browse(&house, "GET", path, &[]).await).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
            assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        }
        let request = house.http.get(format!("{}/nothing", house.url)).header("accept", "application/json");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
        // A path that merely begins with the same letters is a page's.
        assert_eq!(header(&browse(&house, "GET", "/apiary", &[]).await, "content-type"), "text/html; charset=utf-8");
    });
}

#[test]
fn pages_are_compressed_for_who_takes_it() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let packed = browse(&house, "GET", "/nothing", &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(header(&packed, "content-encoding"), "gzip");
        assert!(header(&packed, "vary").contains("Accept-Encoding"));
        let text = String::from_utf8(unpacked(&packed.bytes().await.unwrap())).unwrap();
        assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"), "{text}");
        let plain = browse(&house, "GET", "/nothing", &[("accept-encoding", "gzip;q=0")]).await;
        assert_eq!(header(&plain, "content-encoding"), "");
        assert!(header(&plain, "vary").contains("Accept-Encoding"));
        assert!(plain.text().await.unwrap().starts_with("<!doctype html>"));
    });
}

#[test]
fn over_tls_a_browser_is_told_to_stay_there() {
    run(async {
        let settings = [("TIDEGATE_PUBLIC_URL", "https://gate.example")];
        let database = Database::sqlite();
        let mut house = House::start_with(database, Clock::manual(beginning()), &settings).await;
        let bound = house.bound();
        house.url = format!("http://{bound}");
        let response = browse(&house, "GET", "/nothing", &[]).await;
        assert_eq!(header(&response, "strict-transport-security"), "max-age=63072000");
    });
}

/// The first page and all that it needs, as it goes over the wire. A size, which no machine's speed changes.
#[test]
fn the_first_page_is_light() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let packed = [("accept-encoding", "gzip")];
        let first = browse(&house, "GET", "/nothing", &packed).await.bytes().await.unwrap();
        let text = String::from_utf8(unpacked(&first)).unwrap();
        let needed: Vec<&str> =
            text.split('"').filter(|part| part.starts_with("/static/")).map(|part| part.split('#').next().unwrap()).collect();
        assert!(needed.len() > 5, "{needed:?}");
        let mut sizes = vec![("the page".to_owned(), first.len())];
        for url in std::collections::BTreeSet::from_iter(needed) {
            let response = browse(&house, "GET", url, &packed).await;
            assert_eq!(response.status(), 200, "{url}");
            sizes.push((url.to_owned(), response.bytes().await.unwrap().len()));
        }
        let sum: usize = sizes.iter().map(|(_, size)| size).sum();
        println!("the first page weighs {sum} bytes: {sizes:?}");
        assert!(sum < 150_000, "{sum} bytes: {sizes:?}");
    });
}
