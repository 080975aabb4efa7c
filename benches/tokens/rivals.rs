//! The other side: oidc-provider from npm, wrk from the system, each in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const VERSION: &str = "9.13.3";

/// A running oidc-provider; it is stopped with the value.
pub struct Provider {
    pub url: String,
    child: Child,
}

impl Provider {
    /// Installs it below Cargo's target directory, once, and starts it. None, said loudly, where it can't be had.
    pub fn start(id: &str, secret: &str) -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("oidc-provider-{VERSION}"));
        if !folder.join("node_modules/oidc-provider").is_dir() {
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-fund", "--no-audit", "--prefix"]).arg(&folder).arg(format!("oidc-provider@{VERSION}"));
            if !npm.status().is_ok_and(|status| status.success()) {
                println!("\n!! SKIPPED: oidc-provider {VERSION} could not be installed from npm. !!\n");
                return None;
            }
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/tokens/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(folder.join("node_modules"))
            .args([id, secret])
            .env("NODE_ENV", "production")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.map_while(Result::ok).find(|line| line.starts_with("http://")).unwrap();
        Some(Self { url, child })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Tokens a second that wrk gets on that many connections; every answer must be good.
pub fn tokens_a_second(url: &str, basic: &str, scope: &str, connections: usize, seconds: u64) -> Option<f64> {
    let script = tempfile::NamedTempFile::new().unwrap();
    write_script(script.path(), basic, scope);
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"]).arg(script.path()).arg(url);
    let Ok(output) = command.output() else {
        println!("\n!! SKIPPED: tokens a second need wrk (the Debian package of that name). !!\n");
        return None;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !said.contains("Non-2xx"), "{said}");
    let line = said.lines().find(|line| line.starts_with("Requests/sec:")).expect("wrk says how many requests a second it made");
    Some(line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap())
}

fn write_script(path: &Path, basic: &str, scope: &str) {
    let lines = format!(
        "wrk.method = \"POST\"\nwrk.body = \"grant_type=client_credentials&scope={scope}\"\n\
         wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"\nwrk.headers[\"Authorization\"] = \"Basic {basic}\"\n"
    );
    std::fs::write(path, lines).unwrap();
}
