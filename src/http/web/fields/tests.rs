//! The form of fields: what comes back is what was typed, and every error stands beside its field.

use super::*;

fn column(name: &str, logical: LogicalType) -> DiscoveredColumn {
    DiscoveredColumn { name: name.to_owned(), logical }
}

fn row(at: usize, name: &str, class: &str, category: &str) -> Vec<(String, String)> {
    let pair = |part: &str, value: &str| (format!("{part}-{at}"), value.to_owned());
    vec![pair("name", name), pair("type", "text"), pair("take", "yes"), pair("class", class), pair("category", category)]
}

fn form(rows: Vec<Vec<(String, String)>>) -> Typed {
    Typed::new(rows.into_iter().flatten().collect()).with("subject", "id").with("new_domain", "customer")
}

#[test]
fn what_was_typed_becomes_fields() {
    let typed = form(vec![row(0, "id", "direct_identifier", "technical"), row(1, "E-Mail", "direct_identifier", "contact")])
        .with("description-1", "  Where we write to  ");
    let rows = typed_rows(&typed);
    let mut errors = Vec::new();
    let (fields, subject) = read(&rows, &typed, &Vocabulary::shipped(), &mut errors).unwrap();
    assert!(errors.is_empty());
    assert_eq!(fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["id", "E-Mail"]);
    assert_eq!(fields[1].description.as_ref().map(Line::as_str), Some("Where we write to"));
    assert_eq!((subject.field.as_str(), subject.domain.as_str()), ("id", "customer"));
}

#[test]
fn each_error_stands_beside_its_field() {
    let good = || row(0, "id", "direct_identifier", "technical");
    let check = |typed: Typed, expected: &[&str]| {
        let mut errors = Vec::new();
        assert!(read(&typed_rows(&typed), &typed, &Vocabulary::shipped(), &mut errors).is_none());
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), expected);
    };
    check(Typed::default(), &["take-0", "subject", "new_domain"]);
    check(form(vec![row(0, "id", "", "nonsense")]), &["class-0", "category-0"]);
    check(form(vec![good(), row(1, "x", "{{7*7}}", "<script>")]), &["class-1", "category-1"]);
    check(form(vec![good()]).with("description-0", "a".repeat(501)), &["description-0"]);
    check(form(vec![good()]).with("description-0", "a\u{0}b"), &["description-0"]);
    check(form(vec![row(0, &"n".repeat(200), "plain", "account")]), &["take-0"]);
    check(Typed::new(good()).with("subject", "id").with("new_domain", "Not A Slug"), &["new_domain"]);
    check(Typed::new(good()).with("subject", "id").with("new_domain", "one").with("domain", "other"), &["new_domain"]);
}

/// The use case counts the fields that were sent; the form also has rows that were not ticked.
#[test]
fn errors_of_the_use_case_find_their_row() {
    let mut second = row(1, "left_out", "plain", "account");
    second.retain(|(name, _)| !name.starts_with("take"));
    let typed = form(vec![row(0, "id", "plain", "account"), second, row(2, "email", "plain", "account")]);
    let rows = typed_rows(&typed);
    for (said, expected) in [
        ("fields[1].class", "class-2"),
        ("fields[0].type", "take-0"),
        ("fields[7].class", ""),
        ("subject.field", "subject"),
        ("subject", "subject"),
        ("name", "name"),
        ("location", ""),
    ] {
        assert_eq!(placed(Invalid::new(said, "is wrong"), &rows).field, expected, "{said}");
    }
}

#[test]
fn a_wide_table_is_read_in_one_go() {
    let rows = (0..2_000).map(|at| row(at, &format!("c{at}"), "plain", "account")).collect();
    assert_eq!(typed_rows(&form(rows)).len(), 2_000);
}

#[test]
fn what_is_open_is_filled_and_nothing_else() {
    let typed = form(vec![row(0, "id", "direct_identifier", ""), row(1, "x", "", "account")]);
    let mut rows = typed_rows(&typed);
    rows[1].taken = false;
    fill_open(&mut rows, "plain", "location");
    assert_eq!((rows[0].class.as_str(), rows[0].category.as_str()), ("direct_identifier", "location"));
    assert_eq!((rows[1].class.as_str(), rows[1].category.as_str()), ("", "account"));
}

#[test]
fn an_edited_dataset_shows_what_its_source_has_now() {
    let dataset: Dataset = Dataset {
        id: "0190a0b0-0000-7000-8000-000000000000".parse().unwrap(),
        name: "people".parse().unwrap(),
        source: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
        table: "people".parse().unwrap(),
        fields: ["id", "gone", "changed"]
            .into_iter()
            .map(|name| Field {
                name: name.parse().unwrap(),
                logical: LogicalType::Text,
                class: FieldClass::Plain,
                category: "account".parse().unwrap(),
                description: None,
                advice: None,
            })
            .collect(),
        subject: SubjectMapping { field: "id".parse().unwrap(), domain: "customer".parse().unwrap() },
        created_at: crate::domain::Instant::from_micros(0),
        version: 1,
    };
    let columns = [column("id", LogicalType::Text), column("changed", LogicalType::Integer), column("email", LogicalType::Text)];
    let mut rows = rows_of(&dataset, Some(&columns), &[]);
    let told: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.taken, row.note)).collect();
    assert_eq!(
        told,
        [
            ("id", true, None),
            ("gone", false, Some(RowNote::Gone)),
            ("changed", true, Some(RowNote::OtherType)),
            ("email", false, Some(RowNote::New)),
        ]
    );
    rows[0].class = "sensitive".to_owned();
    mark_other(&mut rows, &dataset, &Vocabulary::shipped());
    let others: Vec<&str> = rows.iter().map(|row| row.other.as_str()).collect();
    assert_eq!(others[0], "Plain, Account, loyalty and customer status");
    assert!(!others[1].is_empty() && others[2].is_empty() && others[3].is_empty(), "{others:?}");
}

#[test]
fn a_suggestion_is_nothing_until_it_is_confirmed() {
    let noted = || form(vec![row(0, "id", "direct_identifier", "technical")]).with("note-0", "suggested").with("advice-0", "pseudonym");
    let mut errors = Vec::new();
    assert!(read(&typed_rows(&noted()), &noted(), &Vocabulary::shipped(), &mut errors).is_none());
    assert_eq!(errors[0].field, "confirm-0");
    let confirmed = noted().with("confirm-0", "yes");
    let (fields, _) = read(&typed_rows(&confirmed), &confirmed, &Vocabulary::shipped(), &mut Vec::new()).unwrap();
    assert_eq!(fields[0].advice, Some(Advice::Pseudonym));
    let mut rows = typed_rows(&noted());
    confirm_all(&mut rows);
    assert!(read(&rows, &noted(), &Vocabulary::shipped(), &mut Vec::new()).is_some());
    // A field that is left out waits for nobody.
    rows[0].taken = false;
    rows[0].confirmed = false;
    let mut errors = Vec::new();
    read(&rows, &noted(), &Vocabulary::shipped(), &mut errors);
    assert!(errors.iter().all(|error| error.field != "confirm-0"), "{errors:?}");
}

#[test]
fn a_covered_value_shows_its_shape_alone() {
    let row = FieldRow { samples: vec!["ada@mail.example".to_owned()], ..FieldRow::plain("email", LogicalType::Text) };
    assert_eq!(row.covered(), "•••@••••.•••••••");
}
