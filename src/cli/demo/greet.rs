//! What the demo says when it is ready: for people, or one line of JSON for programs.

use std::path::Path;

use crate::cli::{CliError, people::say};

use super::credentials::{Credentials, VendorAccess};

/// Says it on stdout.
pub fn greet(credentials: &Credentials, url: &str, data_dir: &Path, json: bool) -> Result<(), CliError> {
    if json {
        let line = serde_json::json!({
            "url": url,
            "data_dir": data_dir.display().to_string(),
            "staff": credentials.staff,
            "vendors": credentials.vendors,
        });
        return say(&format!("{line}\n"));
    }
    say(&text(credentials, url, data_dir))
}

fn text(credentials: &Credentials, url: &str, data_dir: &Path) -> String {
    let mut out =
        format!("\nTidegate's demo is ready at {url}\nIts data lie in {}.\n\nPeople (e-mail, password, API key):\n", data_dir.display());
    for person in &credentials.staff {
        out.push_str(&format!("  {:<19} {:<24} {}  {}\n", person.role, person.email, person.password, person.api_key));
    }
    out.push_str("\nVendors:\n");
    for vendor in &credentials.vendors {
        let permits = if vendor.permits.is_empty() { "no permit yet".to_owned() } else { vendor.permits.join(", ") };
        out.push_str(&format!("  {:<22} {:<14} {permits}\n", vendor.name, vendor.lifecycle));
    }
    out.push_str(&lines(credentials, url).unwrap_or_default());
    out.push_str("\nStop with Ctrl-C.\n");
    out
}

/// Three lines to paste: a token, rows, and a refusal.
fn lines(credentials: &Credentials, url: &str) -> Option<String> {
    let basic = |vendor: &VendorAccess| Some(format!("{}:{}", vendor.client_id.as_ref()?, vendor.client_secret.as_ref()?));
    let good = credentials.vendors.iter().find(|vendor| vendor.lifecycle == "active" && vendor.client_id.is_some())?;
    let lapsed = credentials.vendors.iter().rev().find(|vendor| vendor.client_id.is_some())?;
    Some(format!(
        "\nTry it. Get a token for {}:\n\n  \
         TOKEN=$(curl -s -u '{}' -d grant_type=client_credentials {url}/oauth/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\n\
         Pull rows:\n\n  \
         curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/data/v1/datasets/customers/records?limit=3'\n\n\
         See a refusal: the due diligence of {} has lapsed:\n\n  \
         curl -s -u '{}' -d grant_type=client_credentials {url}/oauth/token\n",
        good.name,
        basic(good)?,
        lapsed.name,
        basic(lapsed)?,
    ))
}
