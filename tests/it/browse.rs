//! A browser without script: keeps cookies, follows nothing by itself, fills in the forms that pages have.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::harness::{Answer, House};

/// Someone at a browser. Cookies are kept as a browser keeps them.
pub struct Browser<'a> {
    pub house: &'a House,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    /// A browser that was never here.
    pub fn new(house: &'a House) -> Self {
        Self { house, cookies: Mutex::default() }
    }

    /// A browser in which somebody has signed in.
    pub async fn signed_in(house: &'a House, email: &str, password: &str) -> Self {
        let browser = Self::new(house);
        let answer = browser.submit("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The same cookies in another browser.
    pub fn copy(&self) -> Self {
        Self { house: self.house, cookies: Mutex::new(self.cookies.lock().unwrap().clone()) }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<String> = self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.house.pages.request(method.parse().unwrap(), format!("{}{path}", self.house.url));
        let request = request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = Answer::of(request.send().await.unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let gone = attributes.to_lowercase().contains("max-age=0");
            let mut cookies = self.cookies.lock().unwrap();
            if gone {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// How many statements a page takes, and the page: the fewest of three visits, since timers make some too and a
    /// connection opens itself first.
    pub async fn statements(&self, path: &str) -> (u64, String) {
        let (mut least, mut text) = (u64::MAX, String::new());
        for _ in 0..3 {
            // What was done before is given its place by a timer, which asks too.
            self.house.settle().await;
            let before = self.house.app.store.statements();
            let answer = self.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            (least, text) = (least.min(self.house.app.store.statements() - before), answer.text);
        }
        (least, text)
    }

    /// Sends a form as a page of ours does; the origin is this house's.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request("POST", path).header("origin", &self.house.url).header("sec-fetch-site", "same-origin");
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Opens a page and sends a form with its token.
    pub async fn fill(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.text);
        let token = token(&shown.text);
        let fields: Vec<(&str, &str)> = std::iter::once(("csrf", token.as_str())).chain(fields.iter().copied()).collect();
        self.submit(path, &fields).await
    }
}

/// The token of the forms of a page.
pub fn token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A part of a form with a file: what is typed, or a file with its name.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    Typed(&'a str, &'a str),
    File(&'a str, &'a str, &'a [u8]),
}

/// Where the parts of a form with a file part.
const BOUNDARY: &str = "----TidegateTestBoundary";

/// A form with a file, as browsers write it.
pub fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=").as_bytes());
        match part {
            Part::Typed(name, value) => body.extend_from_slice(format!("\"{name}\"\r\n\r\n{value}").as_bytes()),
            Part::File(name, file, bytes) => {
                let head = format!("\"{name}\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n");
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(bytes);
            }
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

impl Browser<'_> {
    /// Sends a form with a file as a page of ours does.
    pub async fn hand_in(&self, path: &str, parts: &[Part<'_>]) -> Answer {
        let request = self.request("POST", path).header("origin", &self.house.url).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        self.send(request.body(multipart(parts))).await
    }
}
