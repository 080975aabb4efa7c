//! Hierarchies: a known value becomes the text of the level, and whatever is not known stays back, never raw.

use super::*;

const FILE: &str = "Zürich;North;Alps\nUlm;South;Alps\n7;seven;few\n1.5;half;few\n-2;minus;few\n;none;few\n";

fn told(level: u8, from: LogicalType, column: &ArrayRef) -> Vec<Option<String>> {
    let hierarchy = Arc::new(Hierarchy::read(FILE.as_bytes()).unwrap());
    let treatment = Treatment::GeneraliseHierarchy { hierarchy: "towns".parse().unwrap(), version: 1, level };
    let kernel = Kernel::new(&treatment, from, LogicalType::Text, None, Some(&hierarchy)).unwrap().unwrap();
    let treated = kernel.apply(column, None).unwrap();
    assert_eq!(treated.data_type(), &kernel.released_type(column.data_type()).unwrap());
    treated.as_string::<i32>().iter().map(|cell| cell.map(str::to_owned)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (*text != "-").then(|| (*text).to_owned())).collect()
}

#[test]
fn values_become_the_texts_of_their_level() {
    let towns = texts(&["Ulm", "Zu\u{308}rich", "", "7"]);
    assert_eq!(told(1, LogicalType::Text, &towns), some(&["South", "North", "none", "seven"]));
    assert_eq!(told(2, LogicalType::Text, &towns), some(&["Alps", "Alps", "few", "few"]));
}

#[test]
fn an_unmapped_value_never_passes() {
    let odd = texts(&["Bern", "ulm", "Ulm ", " Ulm", "South", "07", "7.0"]);
    assert_eq!(told(1, LogicalType::Text, &odd), vec![None; 7]);
    let none: ArrayRef = Arc::new(StringArray::new_null(1));
    assert_eq!(told(1, LogicalType::Text, &none), [None], "and no value is no empty text");
}

#[test]
fn numbers_are_found_by_their_canonical_text() {
    assert_eq!(told(1, LogicalType::Integer, &integers(&[7, -2, 8])), some(&["seven", "minus", "-"]));
    assert_eq!(told(1, LogicalType::Number, &numbers(&[7.0, 1.5, -2.0, f64::NAN, 1.25])), some(&["seven", "half", "minus", "-", "-"]));
    assert_eq!(told(1, LogicalType::Decimal, &decimals(&[700, 150, -200, 151], 2)), some(&["seven", "half", "minus", "-"]));
}

#[test]
fn without_its_hierarchy_or_level_there_is_no_kernel() {
    let treatment = |level| Treatment::GeneraliseHierarchy { hierarchy: "towns".parse().unwrap(), version: 1, level };
    let hierarchy = Arc::new(Hierarchy::read(FILE.as_bytes()).unwrap());
    let made = |level, hierarchy| Kernel::new(&treatment(level), LogicalType::Text, LogicalType::Text, None, hierarchy);
    assert!(made(1, None).is_err() && made(3, Some(&hierarchy)).is_err() && made(2, Some(&hierarchy)).is_ok());
    let boolean = Kernel::new(&treatment(1), LogicalType::Boolean, LogicalType::Text, None, Some(&hierarchy));
    assert!(boolean.is_err(), "a hierarchy treats text and numbers only");
}
