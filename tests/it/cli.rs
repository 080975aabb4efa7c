//! The commands on people, run as the program they are.

use std::path::Path;
use std::process::Output;

use crate::broker::program;

fn user(data_dir: &Path, arguments: &[&str]) -> Output {
    program(&[]).arg("--data-dir").arg(data_dir).arg("user").args(arguments).output().unwrap()
}

#[test]
fn who_looks_in_a_wrong_directory_is_told_so_and_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = directory.path().join("mistyped");
    for arguments in [&["list"][..], &["disable", "ada@example.org"]] {
        for data_dir in [wrong.as_path(), directory.path()] {
            let output = user(data_dir, arguments);
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && said.contains("no installation in") && said.contains("--data-dir"), "{said}");
            assert!(output.stdout.is_empty());
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{arguments:?} left something behind");
        }
    }
    let right = directory.path().join("right");
    let added = user(&right, &["add", "--email", "ada@example.org", "--name", "Ada", "--role", "administrator"]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let list = || String::from_utf8(user(&right, &["list"]).stdout).unwrap();
    assert!(list().starts_with("ada@example.org\tadministrator\tactive\tAda\t"), "{}", list());
    assert!(user(&right, &["disable", "ada@example.org"]).status.success());
    assert!(list().starts_with("ada@example.org\tadministrator\tdisabled\tAda\t"), "{}", list());
}
