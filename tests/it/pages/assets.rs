//! The front-end files as the binary serves them: under their hash alone, for ever, and none that is not meant to be.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidegate::domain::dataset::FieldClass;
use tidegate::domain::person::Role;
use tidegate::http::web::assets;
use tidegate::http::web::menu;
use tidegate::http::web::page::Theme;
use tidegate::http::web::words::{self, Tone};
use tidegate::policy::diff::Direction;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{browse, header, unpacked};
use crate::database::{Database, run};
use crate::harness::House;

#[test]
fn a_file_is_served_under_its_hash_and_kept_for_ever() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let mut kinds = BTreeSet::new();
        for (path, url) in assets::list() {
            let file = if path.starts_with("vendor/") { path.to_owned() } else { format!("own/{path}") };
            let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(file)).unwrap();
            for (encoding, packed) in [("gzip, deflate, br", true), ("identity", false), ("gzip;q=0", false)] {
                let response = browse(&house, "GET", url, &[("accept-encoding", encoding)]).await;
                assert_eq!(response.status(), 200, "{url}");
                assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable", "{url}");
                assert_eq!(header(&response, "vary"), "Accept-Encoding", "{url}");
                assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{url}");
                assert_eq!(header(&response, "cross-origin-resource-policy"), "same-origin", "{url}");
                kinds.insert(header(&response, "content-type").to_owned());
                let is_packed = header(&response, "content-encoding") == "gzip";
                assert!(packed || !is_packed, "{url} is packed for {encoding}");
                assert!(!packed || is_packed || bytes.len() < 500, "{url} is not packed for {encoding}");
                let body = response.bytes().await.unwrap();
                assert!(if is_packed { unpacked(&body) } else { body.to_vec() } == bytes, "{url} is not the file");
            }
        }
        let expected = ["image/svg+xml", "text/css; charset=utf-8", "text/javascript; charset=utf-8", "text/plain; charset=utf-8"];
        assert_eq!(kinds, BTreeSet::from(expected.map(str::to_owned)));
    });
}

#[test]
fn another_hash_or_path_is_answered_404_and_not_kept() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let right = assets::url("app.css");
        let hash = right.split('/').nth(2).unwrap();
        assert_eq!((hash.len(), right), (12, format!("/static/{hash}/app.css").as_str()));
        let wrong = [
            "/static/000000000000/app.css".to_owned(),
            format!("/static/{}/app.css", hash.to_uppercase()),
            format!("/static/{}/app.css", &hash[..11]),
            format!("/static/{hash}/app.js"),
            format!("/static/{hash}/"),
            format!("/static/{hash}"),
            format!("/static/{hash}/app.css/"),
            "/static/app.css".to_owned(),
            "/static/".to_owned(),
            "/static/000000000000/vendor.sh".to_owned(),
            "/static/000000000000/testing/axe.min.js".to_owned(),
            assets::url("no-such-file").to_owned(),
        ];
        for url in wrong {
            if url == right {
                continue;
            }
            let response = browse(&house, "GET", &url, &[]).await;
            assert_eq!(response.status(), 404, "{url}");
            assert_eq!(header(&response, "cache-control"), "no-store", "{url}");
        }
    });
}

/// Paths that no client writes by itself go over a bare socket.
#[test]
fn nothing_outside_is_reached() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let hash = assets::url("app.css").split('/').nth(2).unwrap();
        let address = house.bound();
        for path in [
            "../../Cargo.toml",
            "..%2f..%2fCargo.toml",
            "%2e%2e/%2e%2e/Cargo.toml",
            "....//Cargo.toml",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "vendor/../../vendor.sh",
            "vendor%5c..%5capp.css",
            "app.css%00.txt",
            "./app.css%2f..",
        ] {
            let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
            let request = format!("GET /static/{hash}/{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            let head = String::from_utf8_lossy(&answer);
            assert!(head.starts_with("HTTP/1.1 404") || head.starts_with("HTTP/1.1 400"), "{path}: {head}");
        }
    });
}

fn files_below(folder: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(folder);
    fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_binary_holds_what_is_listed_and_every_file_of_others_has_its_licence() {
    let listed: BTreeSet<String> = assets::list().map(|(path, _)| path.to_owned()).collect();
    let own: BTreeSet<String> = ["app.css", "app.js", "mark.svg", "theme.js"].map(str::to_owned).into();
    assert_eq!(files_below("own"), own);
    let licences = [
        ("tabler.min.css", "tabler.LICENSE.txt", "MIT License"),
        ("icons.svg", "icons.LICENSE.txt", "MIT License"),
        ("htmx.min.js", "htmx.LICENSE.txt", "Zero-Clause BSD"),
    ];
    let vendored: BTreeSet<String> = licences.iter().flat_map(|(file, licence, _)| [(*file).to_owned(), (*licence).to_owned()]).collect();
    assert_eq!(files_below("vendor"), vendored, "a file of others is listed here, with its licence");
    let expected: BTreeSet<String> = own.into_iter().chain(vendored.into_iter().map(|file| format!("vendor/{file}"))).collect();
    assert_eq!(listed, expected, "what is for tests or made by hand is not in the binary");
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(path)).unwrap();
    for (file, licence, title) in licences {
        let text = read(&format!("vendor/{licence}"));
        assert!(text.starts_with(title), "{file} has another licence than expected");
    }
    assert!(read("testing/axe.LICENSE.txt").starts_with("Mozilla Public License, version 2.0"));
    // Nothing of others asks another host for anything.
    let style = read("vendor/tabler.min.css");
    assert!(!style.contains("url(http") && !style.contains("url(\"http") && !style.contains("@import"), "the style sheet calls elsewhere");
    assert!(!style.contains("sourceMappingURL"));
}

#[test]
fn every_icon_that_code_names_is_in_the_sprite() {
    let sprite = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/vendor/icons.svg")).unwrap();
    let tones = [Tone::Draft, Tone::Progress, Tone::InForce, Tone::Due, Tone::Stopped, Tone::SecondPerson].map(Tone::icon);
    let directions =
        [Direction::Stronger, Direction::Weaker, Direction::Neutral, Direction::Unclear].map(|way| words::direction_icon(&way));
    let classes = [FieldClass::DirectIdentifier, FieldClass::QuasiIdentifier, FieldClass::Sensitive, FieldClass::Plain];
    let entries = menu::groups(Role::Administrator).into_iter().flat_map(|(_, entries)| entries).map(|entry| entry.icon);
    let named = tones.into_iter().chain(directions).chain(Theme::ALL.map(Theme::icon)).chain(entries);
    for icon in named.chain(classes.iter().map(words::class_icon)) {
        assert!(sprite.contains(&format!("id=\"{icon}\"")), "{icon} is not in static/vendor/icons.svg");
    }
}
