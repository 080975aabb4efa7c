//! The other side: DuckDB and roapi from the package index, curl and wrk from the system, each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::customers::COUNTRIES;

const PACKAGES: [&str; 2] = ["duckdb==2.0.*", "roapi==0.12.*"];

/// A Python environment with both.
pub struct Rivals {
    bin: PathBuf,
}

impl Rivals {
    /// Installs them beside the build output, once; none, said loudly, where that can't be.
    pub fn install() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed-rivals");
        let bin = folder.join("bin");
        if bin.join("roapi").exists() && succeeds(Command::new(bin.join("python")).args(["-c", "import duckdb"])) {
            return Some(Self { bin });
        }
        let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && succeeds(Command::new(bin.join("pip")).args(["install", "--quiet"]).args(PACKAGES));
        if !made {
            println!("\n!! SKIPPED: DuckDB and roapi can't be installed here; their side of each comparison is missing. !!\n");
        }
        made.then_some(Self { bin })
    }

    /// Seconds of one COPY to a file.
    pub fn copy(&self, format: &str, source: &Path, target: &Path) -> f64 {
        let out = self.duckdb().arg(format).arg(source).arg(target).args(&COUNTRIES[..4]).output().unwrap();
        assert!(out.status.success(), "DuckDB: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
    }

    /// Rows of a file.
    pub fn count(&self, file: &Path) -> u64 {
        let out = self.duckdb().arg("count").arg(file).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
    }

    /// Writes the file's rows as CSV, as they are.
    pub fn rows(&self, file: &Path, to: &Path) {
        assert!(self.duckdb().arg("rows").args([file, to]).status().unwrap().success());
    }

    fn duckdb(&self) -> Command {
        let mut command = Command::new(self.bin.join("python"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed/by_duckdb.py"));
        command
    }

    /// roapi with the file's table `speed` in memory, as it does by default.
    pub fn roapi(&self, file: &Path) -> Roapi {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(self.bin.join("roapi"))
            .args(["--addr-http", &format!("127.0.0.1:{port}"), "--table", &format!("speed={}", file.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let roapi = Roapi { child, url: format!("http://127.0.0.1:{port}/api/tables/speed") };
        let begun = Instant::now();
        while !succeeds(Command::new("curl").args(["-sf", "-o", "/dev/null"]).arg(format!("{}?limit=1", roapi.url))) {
            assert!(begun.elapsed() < Duration::from_secs(120), "roapi does not answer");
            std::thread::sleep(Duration::from_millis(200));
        }
        roapi
    }
}

/// A running roapi; stopped with the value.
pub struct Roapi {
    child: Child,
    url: String,
}

impl Roapi {
    /// A hundred rows of the columns that the release has, as they are.
    pub fn page(&self) -> String {
        let columns = "customer_id,email,birth_date,signed_up,postal_code,country,loyalty_tier,lifetime_value";
        format!("{}?columns={columns}&limit=100", self.url)
    }
}

impl Drop for Roapi {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a load of small requests gave.
#[derive(Clone, Copy)]
pub struct Load {
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
}

/// wrk on 32 connections; every answer must be good. None, said loudly, where there is no wrk.
pub fn load(url: &str, token: Option<&str>, seconds: u64) -> Option<Load> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c32", "--latency", "--timeout", "30s", &format!("-d{seconds}s")]);
    if let Some(token) = token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let Ok(out) = command.arg(url).output() else {
        println!("\n!! SKIPPED: small pulls need wrk (the Debian package of that name). !!\n");
        return None;
    };
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && !said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
    let word = |label: &str| said.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap().trim().to_owned();
    Some(Load { rate: word("Requests/sec:").parse().unwrap(), p50: millis(&word("50%")), p99: millis(&word("99%")) })
}

/// `1.23ms`, `456.00us` or `1.20s` in milliseconds.
fn millis(text: &str) -> f64 {
    let at = text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap();
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        _ => unreachable!("wrk has another unit: {unit}"),
    };
    number.parse::<f64>().unwrap() * factor
}

/// A whole pull by curl, written to a file: the status and the seconds.
pub struct Pull {
    child: Child,
}

impl Pull {
    /// Begins one; at most so many bytes a second where a rate is given.
    pub fn begin(url: &str, token: &str, accept: &str, to: &Path, rate: Option<&str>) -> Self {
        let mut command = Command::new("curl");
        command.args(["-s", "--noproxy", "*", "-w", "%{http_code} %{time_total}", "-H", &format!("Authorization: Bearer {token}")]);
        command.args(["-H", &format!("Accept: {accept}")]).arg("-o").arg(to);
        if let Some(rate) = rate {
            command.args(["--limit-rate", rate]);
        }
        Self { child: command.arg(url).stdout(Stdio::piped()).spawn().unwrap() }
    }

    /// Waits for its end: whether it came whole, its status and its seconds.
    pub fn end(self) -> (bool, u16, f64) {
        let out = self.child.wait_with_output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        let (status, seconds) = said.split_once(' ').unwrap();
        (out.status.success(), status.parse().unwrap(), seconds.parse().unwrap())
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it early.
    pub fn stop(mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
