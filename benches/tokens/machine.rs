//! A vendor's machine of the demo, and others like it.

use serde_json::{Value, json};

use crate::running::Demo;

/// A client with its secret.
#[derive(Clone)]
pub struct Machine {
    url: String,
    vendor: String,
    pub id: String,
    pub secret: String,
}

impl Machine {
    /// The analytics firm's own.
    pub async fn of(demo: &Demo, http: &reqwest::Client) -> Self {
        let (id, secret) = demo.machine();
        let path = format!("{}/api/v1/clients/{id}", demo.url);
        let known: Value = http.get(path).bearer_auth(demo.key("vendor_manager")).send().await.unwrap().json().await.unwrap();
        Self { url: demo.url.clone(), vendor: known["vendor"].as_str().unwrap().to_owned(), id, secret }
    }

    /// Another client of the same vendor.
    pub async fn sibling(&self, demo: &Demo, http: &reqwest::Client) -> Self {
        let path = format!("{}/api/v1/vendors/{}/clients", self.url, self.vendor);
        let body = json!({"name": "another", "hand_over": "answer"});
        let issued: Value = http.post(path).bearer_auth(demo.key("vendor_manager")).json(&body).send().await.unwrap().json().await.unwrap();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        Self { id: text("client_id"), secret: text("client_secret"), ..self.clone() }
    }

    /// A token for all its permits.
    pub async fn token(&self, http: &reqwest::Client) -> String {
        let request = http.post(format!("{}/oauth/token", self.url)).basic_auth(&self.id, Some(&self.secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A page of its rows.
    pub fn records(&self) -> String {
        format!("{}/data/v1/datasets/customers/records?limit=100", self.url)
    }
}
