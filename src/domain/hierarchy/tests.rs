//! Hierarchies are read as they are meant, nested all the way up, and refused where they are not.

use super::*;

fn read(text: &str) -> Arc<Hierarchy> {
    Arc::new(Hierarchy::read(text.as_bytes()).unwrap())
}

fn told(hierarchy: &Arc<Hierarchy>, level: u8, value: &str) -> Option<String> {
    hierarchy.at(level).unwrap().text(value).map(ToOwned::to_owned)
}

#[test]
fn each_level_is_coarser_than_the_one_before() {
    let towns = read("Ulm;South;Germany;*\nKiel;North;Germany;*\nLinz;Upper Austria;Austria;*\n");
    assert_eq!((towns.count(), towns.texts()), (3, vec![3, 2, 1]));
    let levels = |value| (1..=3).map(|level| told(&towns, level, value)).collect::<Vec<_>>();
    assert_eq!(levels("Kiel"), [Some("North".to_owned()), Some("Germany".to_owned()), Some("*".to_owned())]);
    assert_eq!(levels("Graz"), [None, None, None], "what is not mapped has no text at any level");
    assert!(towns.at(0).is_none() && towns.at(4).is_none());
    assert_eq!(towns.beginning()[1], ["Kiel", "North", "Germany", "*"]);
}

#[test]
fn separators_quotes_marks_and_forms() {
    let comma = read("\u{feff}1,\"[0,5)\",*\r\n7,\"[5,10)\",*\r\n");
    assert_eq!(told(&comma, 1, "7").as_deref(), Some("[5,10)"));
    let quoted = read("\"a;b\",x\nc,y\n");
    assert_eq!(told(&quoted, 1, "a;b").as_deref(), Some("x"), "a semicolon in quotation marks separates nothing");
    let composed = read("Zu\u{308}rich;Su\u{308}d\n");
    assert_eq!(told(&composed, 1, "Zürich").as_deref(), Some("Süd"));
    assert_eq!(told(&read(";none\na;some\n"), 1, "").as_deref(), Some("none"), "a text without letters is a value");
}

#[test]
fn what_is_no_hierarchy_is_refused_with_the_row() {
    let table: [(&[u8], &str); 11] = [
        (b"", "at least one row"),
        (b"alone\n", "2 to 21 columns"),
        (b"a;b\nc;d;e\n", "row 2 has another number"),
        (b"a;b\nc\n", "row 2 has another number"),
        (b"a;b\na;b\n", "row 2 repeats the value"),
        ("Zu\u{308}rich;b\nZ\u{fc}rich;b\n".as_bytes(), "row 2 repeats the value"),
        (b"a;x;1\nb;y;1\nc;x;2\n", "row 3 leads to another"),
        (b"a;x;1;p\nb;y;1;q\n", "each text of level 2 to one text of level 3: row 2"),
        (b"a;;x\n", "row 1 has none at level 1"),
        (b"a;x\nb;\0\n", "row 2 has one"),
        (b"a;\xff\n", "UTF-8"),
    ];
    for (file, reason) in table {
        let refused = Hierarchy::read(file).unwrap_err();
        assert_eq!(refused.field, "file");
        assert!(refused.reason.contains(reason), "{reason}: {}", refused.reason);
    }
    let wide = |columns: usize| vec!["x"; columns].join(";");
    assert!(Hierarchy::read(wide(21).as_bytes()).is_ok());
    assert!(Hierarchy::read(wide(22).as_bytes()).is_err());
}

#[test]
fn the_bounds_hold() {
    let rows = |many: usize| (0..many).map(|row| format!("{row};*\n")).collect::<String>();
    assert_eq!(read(&rows(MOST_ROWS)).count(), MOST_ROWS);
    assert!(Hierarchy::read(rows(MOST_ROWS + 1).as_bytes()).unwrap_err().reason.contains("200,000 rows"));
    assert!(Hierarchy::read(format!("a;{}\n", "ä".repeat(500)).as_bytes()).is_ok());
    assert!(Hierarchy::read(format!("a;{}\n", "ä".repeat(501)).as_bytes()).unwrap_err().reason.contains("500 characters in a cell"));
    let large = format!("a;{}\n", "x".repeat(MOST_BYTES));
    assert!(Hierarchy::read(large.as_bytes()).unwrap_err().reason.contains("20 MB"));
}

#[test]
fn a_treatment_must_name_what_is_there() {
    let version = |name: &str, bytes: u64| HierarchyVersion {
        name: name.parse().unwrap(),
        version: 2,
        digest: "0".repeat(64).parse().unwrap(),
        values: 9,
        texts: vec![3, 2, 1],
        bytes,
        created_at: Instant::from_micros(0),
    };
    let known: KnownHierarchies = [version("towns", 7)].into_iter().collect();
    let check = |version, level| {
        let treatment = Treatment::GeneraliseHierarchy { hierarchy: "towns".parse().unwrap(), version, level };
        known.check(&treatment).map_err(|error| error.field)
    };
    assert_eq!([check(2, 1), check(2, 3)], [Ok(()), Ok(())]);
    assert_eq!(check(2, 4), Err("level".to_owned()));
    assert_eq!([check(1, 1), check(3, 1)], [Err("hierarchy".to_owned()), Err("hierarchy".to_owned())]);
    assert_eq!(known.check(&Treatment::Clear), Ok(()));
    assert_eq!(known.check_size(), Ok(()));
    let half = MOST_IN_USE as u64 / 2;
    let large = |bytes| [version("towns", half), version("places", bytes)].into_iter().collect::<KnownHierarchies>().check_size();
    assert!(large(half).is_ok() && large(half + 1).is_err());
    assert_eq!(key_of("towns.2"), Some(version("towns", 7).key()));
    assert_eq!([key_of("towns"), key_of("towns.0"), key_of("To.1"), key_of("towns.1.2")], [None, None, None, None]);
}
