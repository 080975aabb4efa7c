//! Every part on one page, filled with the worst a person may type: it is shown as typed, and does nothing.

use askama::Template;

use crate::domain::Invalid;
use crate::domain::dataset::FieldClass;
use crate::domain::person::Role;
use crate::domain::time::{Date, Instant};
use crate::domain::vendor::Lifecycle;
use crate::policy::diff::Direction;

use super::chart::Chart;
use super::form::Typed;
use super::page::{Frame, Notice, Section, Theme, Viewer};
use super::parts::{Choice, Crumb, Day, DiffRow, Fact, GateLine, HistoryLineView, Piece, Progress, Step, Tab};
use super::words::{Badge, Tone};

/// The worst a person may type.
const HOSTILE: &str = "\"><script>alert(1)</script>{{ 7 * 7 }}' onfocus='x";

#[derive(Template)]
#[template(path = "../tests/it/pages/gallery.html")]
pub struct Gallery {
    frame: Frame,
    typed: Typed,
    labels: &'static [(&'static str, &'static str)],
    crumbs: Vec<Crumb>,
    tabs: Vec<Tab>,
    badges: Vec<Badge>,
    classes: [FieldClass; 4],
    choices: Vec<Choice>,
    facts: Vec<Fact>,
    gates: Vec<GateLine>,
    lines: Vec<HistoryLineView>,
    diff: Vec<DiffRow>,
    steps: Vec<Step>,
    stops: [&'static str; 3],
    chart: Chart,
}

impl Gallery {
    pub fn new(name: &str, theme: Theme, request_id: String) -> Self {
        let now = Instant::from_seconds(1_782_896_400);
        let frame = Frame {
            title: name.to_owned(),
            section: Section::Vendors,
            viewer: Some(Viewer {
                id: "0190a0b0-0000-7000-8000-000000000001".to_owned(),
                name: "Mara Lind".to_owned(),
                email: "mara@example.org".to_owned(),
                role: Role::Administrator,
            }),
            csrf: "masked".to_owned(),
            path: "/gallery?q=1".to_owned(),
            theme,
            notice: Some(Notice { text: "The vendor is registered.".to_owned() }),
            stopped: None,
            request_id,
            now,
        };
        Self {
            frame,
            typed: Typed::default()
                .with("name", name)
                .with("hostile", HOSTILE)
                .with("note", HOSTILE)
                .with("password", "must-not-be-shown")
                .with("tier", "low")
                .with("categories", "low")
                .with("categories", "high")
                .refused([
                    Invalid::new("name", "must have 1 to 120 characters"),
                    Invalid::new("starts", "must be a date as in 2026-07-01"),
                ]),
            labels: &[("name", "Legal name"), ("starts", "Starts on")],
            crumbs: vec![Crumb { href: "/vendors".to_owned(), label: "Vendors".to_owned() }],
            tabs: ["Overview", "Due diligence", "Agreements and permits", "Access", "Releases", "History"]
                .into_iter()
                .zip(0_u64..)
                .map(|(label, at)| Tab {
                    href: "/vendors/1".to_owned(),
                    label: label.to_owned(),
                    current: at == 0,
                    count: (at > 1 && at < 5).then_some(at * 613),
                })
                .collect(),
            badges: Lifecycle::ALL.into_iter().map(Badge::from).chain([Badge::new(Tone::SecondPerson, "Waits for approval")]).collect(),
            classes: [FieldClass::DirectIdentifier, FieldClass::QuasiIdentifier, FieldClass::Sensitive, FieldClass::Plain],
            choices: vec![
                Choice::new("low", "Low").hinted("Assessed every three years."),
                Choice::new("standard", "Standard").hinted("Assessed every two years."),
                Choice::new("high", "Critical").hinted("Assessed twice a year."),
            ],
            facts: vec![
                Fact::new("Owner", "Jon Bell").at("/settings/people/1"),
                Fact::new("Country", "Germany"),
                Fact::new("Trade name", ""),
                Fact::new("Registered", "1 July 2026"),
            ],
            gates: vec![
                gate("Vendor", true, "The vendor is active.", "", None),
                gate("Due diligence", true, "The security assessment is current.", "", Some(now.plus_days(20))),
                gate("Agreement", false, "No agreement is in force.", "Record both signatures on version 2 of DPA-014.", None),
            ],
            lines: vec![
                line(412, "approved version 2 of ", "DPA-014", "; author was Jon Bell", None, now.plus_days(-1)),
                line(
                    411,
                    "pulled 1 204 rows under ",
                    "usage-analytics",
                    "",
                    Some(Badge::new(Tone::InForce, "Released")),
                    now.plus_days(-2),
                ),
                line(410, "asked for rows under ", "usage-analytics", "", Some(Badge::new(Tone::Stopped, "Refused")), now.plus_days(-3)),
            ],
            diff: vec![
                row("e-mail", Some("clear"), Some("pseudonym"), Direction::Stronger),
                row("city", Some("withheld"), Some("clear"), Direction::Weaker),
                row("subject matter", None, Some("Testing"), Direction::Neutral),
                row("row condition", Some("country is DE"), Some("country is FR"), Direction::Unclear),
            ],
            steps: [
                ("Registered", Progress::Done),
                ("Due diligence", Progress::Done),
                ("Agreement", Progress::Current),
                ("Active", Progress::Later),
            ]
            .into_iter()
            .map(|(label, progress)| Step { label: label.to_owned(), progress, href: String::new() })
            .collect(),
            stops: ["3 clients", "12 tokens", "4 permits, last pull 5 minutes ago"],
            chart: Chart::of(days()),
        }
    }
}

fn gate(name: &str, open: bool, said: &str, reopens: &str, until: Option<Instant>) -> GateLine {
    GateLine { name: name.to_owned(), open, said: said.to_owned(), reopens: reopens.to_owned(), until }
}

fn line(position: i64, did: &str, what: &str, after: &str, badge: Option<Badge>, at: Instant) -> HistoryLineView {
    let piece = |text: &str, href: &str| Piece { text: text.to_owned(), href: href.to_owned() };
    let sentence =
        vec![piece("Mara Lind", "/settings/people/1"), piece(" ", ""), piece(did, ""), piece(what, "/agreements/1"), piece(after, "")];
    HistoryLineView { position, href: format!("/history/{position}"), at, badge, sentence, proved: position < 412 }
}

fn row(label: &str, before: Option<&str>, after: Option<&str>, direction: Direction) -> DiffRow {
    DiffRow { label: label.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned), direction }
}

fn days() -> Vec<Day> {
    let counts = (0_u64..30).map(|at| ((at * 37 + 11) % 83 * 4, if at.is_multiple_of(6) { at + 3 } else { 0 }));
    let first = Date::from_ymd(2026, 6, 2);
    first
        .into_iter()
        .flat_map(|first| {
            (0..).zip(counts.clone()).map(move |(at, (released, refused))| Day { date: first.plus_days(at), released, refused })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(theme: Theme) -> String {
        Gallery::new(HOSTILE, theme, "id".to_owned()).render().unwrap()
    }

    #[test]
    fn what_was_typed_is_shown_and_does_nothing() {
        let page = page(Theme::Auto);
        assert!(!page.contains("alert(1)</script>"), "mark-up that was typed is mark-up");
        assert!(!page.contains("\"><script"), "a value ends its attribute");
        assert!(!page.contains("' onfocus='"), "a value ends its attribute");
        assert!(page.contains("{{ 7 * 7 }}") || page.contains("&#123;&#123; 7 * 7"), "template text is shown as it is");
        assert!(!page.contains("must-not-be-shown"), "a password goes out again");
        assert_eq!(page.matches("<script").count(), 3, "only the layout's scripts");
    }

    #[test]
    fn every_id_is_there_once_and_every_reference_leads_to_one() {
        let page = page(Theme::Dark);
        let values = |attribute: &str| -> Vec<String> {
            page.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let mut ids = values("id");
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id is there twice");
        for reference in ["for", "aria-describedby", "aria-labelledby"].into_iter().flat_map(values) {
            for part in reference.split(' ') {
                assert!(ids.iter().any(|id| id == part), "{part} is named, but is not there");
            }
        }
        for target in values("href").iter().filter_map(|href| href.strip_prefix('#')) {
            assert!(ids.iter().any(|id| id == target), "#{target} leads nowhere");
        }
        assert!(page.contains("data-theme=\"dark\" data-bs-theme=\"dark\""), "without script the choice holds too");
    }

    #[test]
    fn a_choice_that_was_made_is_shown_as_made() {
        let page = page(Theme::Light);
        assert!(page.contains("<option value=\"low\" selected>"));
        let ticked =
            page.split("name=\"categories\"").filter(|rest| rest.split('>').next().is_some_and(|tag| tag.ends_with(" checked"))).count();
        assert_eq!(ticked, 2);
        assert!(page.contains("aria-invalid=\"true\" aria-describedby=\"f-name-error f-name-hint\""));
    }
}
