//! A page from what was kept is the page that would have been computed, and is found under nothing else.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::RwLock;

use super::super::encode::Format;
use super::super::fixture::{Kind, Out, Permitted, engine_that_keeps, open_to_all, read, secrets, write};
use super::super::sample::{SampleColumn, SampleValues};
use super::super::{Engine, Release};
use super::*;
use crate::domain::condition::Operator;
use crate::domain::dataset::LogicalType;
use crate::domain::treatment::{PseudonymFormat, Treatment};

const MUCH: usize = 8 << 20;

/// `id` counts up, `group` is one of five, `word` is that long and ends in a letter of its own.
fn rows(count: i64, letter: char, width: usize) -> Vec<SampleColumn> {
    let text = |of: &dyn Fn(i64) -> String| SampleValues::Text((0..count).map(|row| Some(of(row))).collect());
    vec![
        SampleColumn { name: "id", values: SampleValues::Integer((0..count).map(Some).collect()) },
        SampleColumn { name: "group", values: text(&|row| format!("g{}", row % 5)) },
        SampleColumn { name: "word", values: text(&|row| format!("{row:0>width$}{letter}")) },
    ]
}

fn permitted(location: SourceLocation) -> Permitted {
    let pseudonym = Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 };
    let fields = [
        ("id", LogicalType::Integer, Some(pseudonym)),
        ("group", LogicalType::Text, Some(Treatment::Clear)),
        ("word", LogicalType::Text, Some(Treatment::Clear)),
    ];
    Permitted::new(location, &fields)
}

const fn window(skip: u64, limit: u64) -> Window {
    Window { skip, limit: Some(limit) }
}

async fn page(engine: &Engine, permitted: &Permitted, window: Window, admission: Option<Arc<dyn Admission>>) -> Out {
    keyed(engine, permitted, secrets(1), window, admission).await
}

async fn keyed(engine: &Engine, permitted: &Permitted, keys: Secrets, window: Window, admission: Option<Arc<dyn Admission>>) -> Out {
    read(engine.open(permitted.compile().unwrap(), keys, window, admission).await.unwrap(), Format::Ndjson).await.unwrap()
}

/// Keeps out the subjects that it holds.
#[derive(Default)]
struct KeptOut(RwLock<BTreeSet<u64>>);

impl Admission for KeptOut {
    fn admits(&self, subjects: &[u64]) -> Vec<bool> {
        subjects.iter().map(|subject| !self.0.read().unwrap().contains(subject)).collect()
    }
}

/// Puts other bytes in a file's place that leave its version as it was.
fn change_unseen(path: &Path, change: impl FnOnce()) {
    let (before, file) = (std::fs::metadata(path).unwrap(), std::fs::read(path).unwrap());
    change();
    let after = std::fs::read(path).unwrap();
    assert!(file.len() == after.len() && file != after, "the length would tell");
    File::options().write(true).open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
}

#[tokio::test]
async fn pages_are_the_same_kept_or_computed() {
    for kind in Kind::ALL {
        let root = tempfile::tempdir().unwrap();
        let plain = permitted(write(root.path(), kind, &rows(500, 'a', 4)));
        let (keeping, computing) =
            (engine_that_keeps(root.path(), MUCH, Duration::ZERO), engine_that_keeps(root.path(), 0, Duration::ZERO));
        let everyone = page(&computing, &plain, window(0, 500), None).await.subjects;
        let out: Arc<dyn Admission> = Arc::new(KeptOut(RwLock::new(everyone.iter().copied().step_by(3).collect())));
        let nobody: Arc<dyn Admission> = Arc::new(KeptOut(RwLock::new(everyone.iter().copied().collect())));
        let asked = [
            plain.clone(),
            plain.clone().filter("group", Operator::Eq, &["g3"]),
            plain.clone().order("group", true),
            plain.clone().select(&["word"]).filter("group", Operator::In, &["g1", "g2"]).order("word", true),
            plain.clone().condition("id", Operator::Gte, &["400"]),
            plain.clone().filter("group", Operator::Eq, &["none"]),
        ];
        let windows = [(0, 10), (5, 10), (0, 3), (90, 30), (499, 1), (0, 600), (600, 10)];
        for (at, asked) in asked.iter().enumerate() {
            for admission in [None, Some(&out), Some(&nobody)] {
                for (skip, limit) in windows {
                    let (kept, computed) = (
                        page(&keeping, asked, window(skip, limit), admission.cloned()).await,
                        page(&computing, asked, window(skip, limit), admission.cloned()).await,
                    );
                    assert_eq!(kept.text, computed.text, "{kind:?} {at} {skip} {limit} {}", admission.is_some());
                    assert_eq!((kept.subjects, kept.withheld), (computed.subjects, computed.withheld));
                }
            }
        }
        assert!(keeping.kept_bytes() > 0 && computing.kept_bytes() == 0);
    }
}

#[tokio::test]
async fn who_may_be_in_a_release_is_asked_of_every_page() {
    let root = tempfile::tempdir().unwrap();
    let permitted = permitted(write(root.path(), Kind::Parquet, &rows(50, 'a', 4)));
    let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
    let out = Arc::new(KeptOut::default());
    let ask = async || page(&engine, &permitted, window(0, 20), Some(Arc::clone(&out) as Arc<dyn Admission>)).await.subjects;
    let before = ask().await;
    assert!(engine.kept_bytes() > 0 && before.len() == 20);
    out.0.write().unwrap().insert(before[7]);
    let after = ask().await;
    assert!(after.len() == 20 && !after.contains(&before[7]), "a person who objected is in a page that was kept");
    out.0.write().unwrap().clear();
    assert_eq!(ask().await, before, "and is again when they take it back");
}

#[tokio::test]
async fn another_version_of_the_source_is_read_anew() {
    for kind in Kind::ALL {
        let root = tempfile::tempdir().unwrap();
        let permitted = permitted(write(root.path(), kind, &rows(50, 'a', 4)));
        let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
        assert!(page(&engine, &permitted, window(0, 10), None).await.text.contains("0003a"));
        write(root.path(), kind, &rows(40, 'b', 5));
        let after = page(&engine, &permitted, window(0, 10), None).await.text;
        assert!(after.contains("00003b") && !after.contains("0003a"), "{kind:?}: rows of a file that is no more");
    }
}

/// Whether a page of the second is answered by what was kept of the first, told by a change that no version shows.
async fn answers(first: (&Permitted, Secrets), second: (&Permitted, Secrets)) -> bool {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), Kind::Csv, &rows(50, 'a', 4));
    let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
    let before = keyed(&engine, first.0, first.1, window(0, 10), None).await.text;
    let path = root.path().join("people.csv");
    change_unseen(&path, || drop(write(root.path(), Kind::Csv, &rows(50, 'b', 4))));
    let after = keyed(&engine, second.0, second.1, window(0, 10), None).await.text;
    assert!(before.contains("0003a\"") && (after.contains("0003a\"") != after.contains("0003b\"")));
    after.contains("0003a\"")
}

#[tokio::test]
async fn nothing_is_found_under_another_key() {
    let location = SourceLocation::Csv { path: "people.csv".parse().unwrap(), delimiter: ',', store: None };
    let usual = permitted(location);
    assert!(answers((&usual, secrets(1)), (&usual, secrets(1))).await, "nothing is kept at all");
    let under = |under| Permitted { under, ..usual.clone() };
    let mut treated = usual.clone();
    treated.fields[1].2 = Some(Treatment::Truncate { length: 9 });
    let mut fewer = usual.clone();
    fewer.fields[1].2 = None;
    let others = [
        ("agreement", under((13, 1, '0'))),
        ("revision", under((3, 2, '0'))),
        ("policy", under((3, 1, '1'))),
        ("treatment", treated),
        ("fields", fewer),
        ("condition", usual.clone().condition("id", Operator::Gte, &["0"])),
        ("filter", usual.clone().filter("group", Operator::Neq, &["none"])),
        ("order", usual.clone().order("word", false)),
        ("selection", usual.clone().select(&["word"])),
    ];
    for (what, other) in &others {
        assert!(!answers((&usual, secrets(1)), (other, secrets(1))).await, "rows kept under another {what}");
    }
    assert!(!answers((&usual, secrets(1)), (&usual, secrets(2))).await, "rows treated with another key");
    let mut ledger = secrets(1);
    ledger.ledger = [8; 32];
    assert!(!answers((&usual, secrets(1)), (&usual, ledger)).await, "rows under another key of the ledger");
}

#[tokio::test]
async fn a_source_must_stand_before_rows_of_it_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let permitted = permitted(write(root.path(), Kind::Csv, &rows(50, 'a', 4)));
    let engine = engine_that_keeps(root.path(), MUCH, Duration::from_secs(3_600));
    let ask = async || page(&engine, &permitted, window(0, 10), None).await.text;
    assert!(ask().await.contains("0003a\"") && ask().await.contains("0003a\""));
    change_unseen(&root.path().join("people.csv"), || drop(write(root.path(), Kind::Csv, &rows(50, 'b', 4))));
    assert!(ask().await.contains("0003b\""), "a change between two ticks of the file system's clock went unseen");
}

#[tokio::test]
async fn rows_read_while_the_source_changed_are_not_kept() {
    let root = tempfile::tempdir().unwrap();
    let plan = permitted(write(root.path(), Kind::Csv, &rows(50, 'a', 4))).compile().unwrap();
    let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
    let fill = async |version: String| {
        let release = Release { shape: Arc::clone(plan.shape()), secrets: secrets(1), window: window(0, 10), admission: None };
        let key = Key::of(&plan, &release.secrets, release.window, "people".to_owned(), version).unwrap();
        assert!(Arc::clone(&engine.shared).fill(release, key, 10).await.is_ok());
        engine.kept_bytes()
    };
    assert_eq!(fill("before it changed".to_owned()).await, 0);
    let now = engine.source_version(&open_to_all(&plan.source().location), &plan.dataset().table).await.unwrap();
    assert!(fill(now).await > 0);
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_the_longest_unused_goes_first() {
    let root = tempfile::tempdir().unwrap();
    let most = 64 << 10;
    let usual = permitted(write(root.path(), Kind::Csv, &rows(5_000, 'a', 60)));
    let engine = engine_that_keeps(root.path(), most, Duration::ZERO);
    let (mut used, mut bytes) = (Vec::new(), Vec::new());
    for row in 0..40 {
        let asked = usual.clone().filter("word", Operator::Neq, &[&format!("{row}")]);
        page(&engine, &asked, window(0, 50), None).await;
        page(&engine, &usual, window(0, 50), None).await;
        bytes.push(engine.kept_bytes());
        used.push(asked);
    }
    assert!(bytes.iter().all(|bytes| *bytes <= most) && bytes.iter().max() > Some(&(most / 2)), "{bytes:?}");
    change_unseen(&root.path().join("people.csv"), || drop(write(root.path(), Kind::Csv, &rows(5_000, 'b', 60))));
    let is_kept = async |asked: &Permitted| page(&engine, asked, window(0, 50), None).await.text.contains("0003a\"");
    assert!(is_kept(&usual).await && is_kept(&used[39]).await, "what was just used is gone");
    assert!(!is_kept(&used[0]).await, "what was not used for long is still there");
}

#[tokio::test]
async fn only_the_rows_asked_for_are_kept_and_of_wide_ones_fewer() {
    let root = tempfile::tempdir().unwrap();
    let narrow = permitted(write(root.path(), Kind::Parquet, &rows(8_000, 'a', 60)));
    let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
    page(&engine, &narrow, window(0, 10), None).await;
    assert!((1..10_000).contains(&engine.kept_bytes()), "ten rows keep {} bytes", engine.kept_bytes());

    let wide = permitted(write(root.path(), Kind::Parquet, &rows(100, 'a', 5_000)));
    let engine = engine_that_keeps(root.path(), 1 << 20, Duration::ZERO);
    for _ in 0..3 {
        let page = page(&engine, &wide, window(10, 80), None).await;
        assert_eq!((page.text.lines().count(), page.text.contains("0010a"), page.text.contains("0089a")), (80, true, true));
    }
    assert!(engine.kept_bytes() <= (1 << 20) / SHARE);
}

#[tokio::test]
async fn versions_of_a_hierarchy_are_never_taken_for_each_other() {
    let root = tempfile::tempdir().unwrap();
    let towns = ["Ulm", "Zürich", "Bern"].iter().map(|town| Some((*town).to_owned())).collect();
    let columns = vec![
        SampleColumn { name: "id", values: SampleValues::Integer((0..3).map(Some).collect()) },
        SampleColumn { name: "town", values: SampleValues::Text(towns) },
    ];
    let location = write(root.path(), Kind::Parquet, &columns);
    let told = |version, level| {
        let nested = Treatment::GeneraliseHierarchy { hierarchy: "towns".parse().unwrap(), version, level };
        Permitted::new(location.clone(), &[("id", LogicalType::Integer, None), ("town", LogicalType::Text, Some(nested))])
    };
    let engine = engine_that_keeps(root.path(), MUCH, Duration::ZERO);
    let first = page(&engine, &told(1, 1), window(0, 3), None).await;
    assert_eq!(first.text, "{\"town\":\"South\"}\n{\"town\":\"North\"}\n{\"town\":null}\n");
    assert_eq!(first.withheld, [("town".parse().unwrap(), 1)].into(), "what the hierarchy does not know is counted");
    assert!(engine.kept_bytes() > 0);
    let other = page(&engine, &told(2, 1), window(0, 3), None).await;
    assert_eq!(other.text, "{\"town\":\"Swabia\"}\n{\"town\":\"Zurich\"}\n{\"town\":null}\n");
    let coarser = page(&engine, &told(1, 2), window(0, 3), None).await;
    assert_eq!(coarser.text, "{\"town\":\"Germany\"}\n{\"town\":\"Switzerland\"}\n{\"town\":null}\n");
    let again = page(&engine, &told(1, 1), window(0, 3), None).await;
    assert_eq!((again.text, again.withheld), (first.text, first.withheld), "kept rows are counted as computed ones are");
}
