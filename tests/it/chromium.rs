//! A real browser: one driver for the test process, a window for each person, found by what people read.

#![allow(clippy::disallowed_methods, reason = "whether a browser is there, and must be, is read from the environment of the tests")]
#![allow(clippy::explicit_write, reason = "the test harness captures what `eprintln!` says in a test that passes")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How a window looks, and what it can.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub script: bool,
    /// Whether everything is reached by keys alone. A file is still given by the driver: the system's dialogue is not
    /// a page's.
    pub keyboard: bool,
}

impl Window {
    pub const DESKTOP: Self = Self { width: 1280, height: 1000, script: true, keyboard: false };
    pub const PHONE: Self = Self { width: 380, height: 820, script: true, keyboard: false };
    pub const PLAIN: Self = Self { width: 1280, height: 1000, script: false, keyboard: false };
    pub const KEYS: Self = Self { width: 1280, height: 1000, script: true, keyboard: true };
}

/// A person at a browser.
pub struct Person {
    pub client: Client,
    pub url: String,
    keyboard: bool,
    _profile: TempDir,
}

/// How long a page may take to show what it should; an upper bound for slow machines, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The axe-core of `static/testing`.
const AXE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/testing/axe.min.js"));

/// The address of the driver. `None` where there is none: the test is then reported as skipped, or fails if
/// `TIDEGATE_TEST_REQUIRE` names `browser`.
pub fn driver() -> Option<&'static str> {
    static DRIVER: OnceLock<Option<Driver>> = OnceLock::new();
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    let driver = DRIVER.get_or_init(Driver::start);
    if driver.is_none() {
        let required = std::env::var("TIDEGATE_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item.trim() == "browser"));
        assert!(!required, "Chromium and its driver were not found, and TIDEGATE_TEST_REQUIRE asks for them");
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        writeln!(std::io::stderr(), "skipped: Chromium or its driver was not found ({count} so far)").unwrap();
    }
    driver.as_ref().map(|driver| driver.url.as_str())
}

struct Driver {
    url: String,
    /// The watchdog reads from this; the system closes it when the test process ends, however it ends.
    _lifeline: ChildStdin,
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|place| names.iter().map(move |name| place.join(name)).collect::<Vec<_>>())
        .find(|file| file.is_file())
}

fn chromium() -> Option<PathBuf> {
    program(&["chromium", "chromium-browser", "google-chrome"])
}

impl Driver {
    fn start() -> Option<Self> {
        let (driver, _) = (program(&["chromedriver"])?, chromium()?);
        // Its own process group, so that the browsers go with it.
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", "\"$0\" --port=0 & driver=$!; read -r line; kill -TERM $driver; sleep 1; kill -KILL -$$"])
            .arg(driver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = watchdog.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let lifeline = child.stdin.take().unwrap();
        std::thread::spawn(move || {
            lines.for_each(drop);
            child.wait()
        });
        Some(Self { url: format!("http://127.0.0.1:{}", port.expect("the driver names its port")), _lifeline: lifeline })
    }
}

impl Person {
    /// Opens a window onto a house.
    pub async fn open(url: &str, window: Window) -> Option<Self> {
        let driver = driver()?;
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--force-prefers-reduced-motion".to_owned(),
            "--lang=en-GB".to_owned(),
            format!("--window-size={},{}", window.width, window.height),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut options = json!({"args": args, "binary": chromium()?});
        if window.width < 500 {
            // A window can't be that narrow, a phone can.
            options["mobileEmulation"] = json!({"deviceMetrics": {"width": window.width, "height": window.height, "pixelRatio": 1.0}});
        }
        if !window.script {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let Value::Object(wanted) = wanted else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(driver).await.expect("a browser");
        client.update_timeouts(fantoccini::wd::TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None)).await.unwrap();
        Some(Self { client, url: url.to_owned(), keyboard: window.keyboard, _profile: profile })
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Opens a page of the house.
    pub async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.url).unwrap_or(url.as_str()).to_owned()
    }

    /// Signs in by the form.
    pub async fn sign_in(&self, email: &str, password: &str) {
        self.goto("/sign-in").await;
        self.fill("E-mail address", email).await;
        self.fill("Password", password).await;
        self.press("Sign in").await;
        // Signed in, the page has a menu.
        self.find("//nav[@aria-label='Main' or @aria-label='Menu']").await;
    }

    async fn find(&self, xpath: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let text = self.text().await;
                panic!("{error}: nothing at {xpath} on {}:\n{text}", self.path().await)
            }
        }
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }

    /// The control with that label.
    pub async fn labelled(&self, label: &str) -> Element {
        let quoted = quoted(label);
        let at = format!(
            "//*[@id=//label[normalize-space(text()[1])={quoted} or normalize-space(.)={quoted}]/@for] | //label[normalize-space(.)={quoted}]//input | //*[@aria-label={quoted}]"
        );
        self.find(&at).await
    }

    /// Types into the field with that label, in place of what is there.
    pub async fn fill(&self, label: &str, value: &str) {
        let field = self.labelled(label).await;
        if self.keyboard {
            return self.type_into(&field, "text", value).await;
        }
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// Sets the control of that name: types a text, chooses from a list, ticks a box or takes a choice.
    pub async fn set(&self, name: &str, value: &str) {
        let found = self.find(&format!("//main//*[@name={}][not(@type='hidden')]", quoted(name))).await;
        let kind = found.attr("type").await.unwrap().unwrap_or_default();
        if self.keyboard && !matches!(kind.as_str(), "checkbox" | "file") {
            let kind = if found.tag_name().await.unwrap() == "select" { "select" } else { &kind };
            return self.type_into(&found, kind, value).await;
        }
        match (found.tag_name().await.unwrap().as_str(), kind.as_str()) {
            ("select", _) => found.select_by_value(value).await.unwrap(),
            (_, "radio" | "checkbox") => {
                let one = self.find(&format!("//main//input[@name={}][@value={}]", quoted(name), quoted(value))).await;
                if !one.is_selected().await.unwrap() {
                    self.click(&one).await;
                }
            }
            // What keys a day is typed by differs by country; what comes of it does not.
            (_, "date") => {
                let script = "arguments[0].value = arguments[1]; for (const kind of ['input', 'change']) arguments[0].dispatchEvent(new Event(kind, {bubbles: true}))";
                self.client.execute(script, vec![serde_json::to_value(&found).unwrap(), value.into()]).await.unwrap();
            }
            (_, "file") => found.send_keys(value).await.unwrap(),
            _ => {
                found.clear().await.unwrap();
                found.send_keys(value).await.unwrap();
            }
        }
    }

    /// The values that the control of that name offers.
    pub async fn offered(&self, name: &str) -> Vec<String> {
        let at = format!("//main//select[@name={0}]/option[@value!=''] | //main//input[@name={0}]", quoted(name));
        let mut values = Vec::new();
        for one in self.client.find_all(Locator::XPath(&at)).await.unwrap() {
            values.push(one.prop("value").await.unwrap().unwrap_or_default());
        }
        values
    }

    /// The text at a place of the page.
    pub async fn at(&self, css: &str) -> String {
        self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await.unwrap().text().await.unwrap()
    }

    /// Presses a button or follows a link, by what it says.
    pub async fn press(&self, label: &str) {
        let quoted = quoted(label);
        let at = format!("//main//button[normalize-space(.)={quoted}] | //main//a[normalize-space(.)={quoted}]");
        let control = self.find(&at).await;
        self.click(&control).await;
    }

    /// Presses the button of a form, by what it says, where a link says the same.
    pub async fn send(&self, label: &str) {
        let button = self.find(&format!("//main//form//button[normalize-space(.)={}]", quoted(label))).await;
        self.click(&button).await;
    }

    /// Brings it into sight first: a bar that sticks to the window must not lie over it.
    async fn click(&self, control: &Element) {
        if self.keyboard {
            self.reach(control).await;
            let is_box = control.attr("type").await.unwrap().is_some_and(|kind| kind == "checkbox" || kind == "radio");
            return self.keys(&[if is_box { ' ' } else { Key::Enter.into() }]).await;
        }
        let argument = serde_json::to_value(control).unwrap();
        self.client.execute("arguments[0].scrollIntoView({block: 'center'})", vec![argument]).await.unwrap();
        control.click().await.unwrap();
    }

    /// Presses the tab key until a control has the focus; of a group of choices, any of them.
    async fn reach(&self, control: &Element) {
        let script = "const a = document.activeElement, c = arguments[0]; return a === c || (c.type === 'radio' && a.type === 'radio' && a.name === c.name)";
        let argument = serde_json::to_value(control).unwrap();
        for _ in 0..600 {
            if self.client.execute(script, vec![argument.clone()]).await.unwrap() == true {
                return;
            }
            self.keys(&[Key::Tab.into()]).await;
        }
        panic!("{} can't be reached by the tab key on {}", control.html(false).await.unwrap(), self.path().await);
    }

    /// Sets a control by keys alone.
    async fn type_into(&self, control: &Element, kind: &str, value: &str) {
        self.reach(control).await;
        match kind {
            "radio" => {
                for _ in 0..40 {
                    let at = "return [document.activeElement.value, document.activeElement.checked]";
                    if self.client.execute(at, Vec::new()).await.unwrap() == json!([value, true]) {
                        return;
                    }
                    let here = self.client.execute("return document.activeElement.value", Vec::new()).await.unwrap();
                    self.keys(&[if here == value { ' ' } else { Key::Down.into() }]).await;
                }
                panic!("the choice {value} can't be taken by keys");
            }
            "select" => {
                let label = "const s = arguments[0]; return [...s.options].find(o => o.value === arguments[1]).text.trim()";
                let argument = serde_json::to_value(control).unwrap();
                let label = self.client.execute(label, vec![argument, value.into()]).await.unwrap();
                self.keys(&label.as_str().unwrap().chars().collect::<Vec<_>>()).await;
                assert_eq!(control.prop("value").await.unwrap().as_deref(), Some(value), "chosen by keys");
            }
            "date" => {
                let parts: Vec<&str> = value.split('-').collect();
                let [year, month, day] = parts[..] else { panic!("{value} is no day") };
                // Day first or month first, as the browser's country has it.
                for typed in [format!("{day}{month}{year}"), format!("{month}{day}{year}")] {
                    self.keys(&typed.chars().collect::<Vec<_>>()).await;
                    if control.prop("value").await.unwrap().as_deref() == Some(value) {
                        return;
                    }
                    self.keys(&[Key::Left.into(), Key::Left.into(), Key::Left.into()]).await;
                }
                panic!("{value} can't be typed");
            }
            _ => {
                self.client.execute("arguments[0].select()", vec![serde_json::to_value(control).unwrap()]).await.unwrap();
                self.keys(&value.chars().collect::<Vec<_>>()).await;
            }
        }
    }

    /// Waits until the page says something.
    pub async fn see(&self, text: &str) -> Result<(), String> {
        let at = format!("//*[contains(normalize-space(.), {})]", quoted(text));
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&at)).await;
        match found {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("{} does not say {text:?}:\n{}", self.path().await, self.text().await)),
        }
    }

    /// Waits until the browser has left the page at that end of its address: the answer of a form has come.
    pub async fn leave(&self, end: &str) {
        for _ in 0..1_200 {
            if !self.path().await.ends_with(end) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("still at {end}:\n{}", self.text().await);
    }

    /// Waits until the page says something, or the test fails.
    pub async fn must_see(&self, text: &str) {
        self.see(text).await.unwrap_or_else(|said| panic!("{said}"));
    }

    /// Presses keys, as somebody without a mouse.
    pub async fn keys(&self, keys: &[char]) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys {
            actions = actions.then(KeyAction::Down { value: *key }).then(KeyAction::Up { value: *key });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// What axe-core finds on the page that is serious or critical: rule, and where.
    pub async fn axe(&self) -> Vec<String> {
        self.client.execute(AXE, Vec::new()).await.unwrap();
        let script = "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations), e => done([{id: String(e), impact: 'critical', nodes: []}]))";
        let found = self.client.execute_async(script, Vec::new()).await.unwrap();
        let serious = |one: &&Value| matches!(one["impact"].as_str(), Some("serious" | "critical"));
        let told = |one: &Value| {
            let places: Vec<String> =
                one["nodes"].as_array().unwrap().iter().map(|node| format!("{} {}", node["target"], node["failureSummary"])).collect();
            format!("{}: {}", one["id"], places.join("; "))
        };
        found.as_array().unwrap().iter().filter(serious).map(told).collect()
    }

    /// A picture of the whole page into `target/screens`.
    pub async fn shot(&self, name: &str) {
        let folder = screens();
        std::fs::create_dir_all(&folder).unwrap();
        let size = "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]";
        let size = self.client.execute(size, Vec::new()).await.unwrap();
        let (width, height) = (self.width().await, size[1].as_u64().unwrap().clamp(600, 6_000));
        let window = self.client.get_window_size().await.unwrap();
        self.client.set_window_size(u32::try_from(width).unwrap(), u32::try_from(height).unwrap() + 140).await.ok();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
        self.client.set_window_size(u32::try_from(window.0).unwrap(), u32::try_from(window.1).unwrap()).await.ok();
    }

    async fn width(&self) -> u64 {
        self.client.execute("return window.innerWidth", Vec::new()).await.unwrap().as_u64().unwrap()
    }

    /// Whether the page is wider than the window: something is cut off or must be scrolled to sideways.
    pub async fn overflows(&self) -> bool {
        let wide = "return document.documentElement.scrollWidth > window.innerWidth + 1";
        self.client.execute(wide, Vec::new()).await.unwrap().as_bool().unwrap()
    }
}

/// Where pictures go.
pub fn screens() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screens")
}

/// A text as XPath writes it.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
