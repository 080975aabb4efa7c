//! What no template may hold: script or style in its text, another host, a value that is not escaped.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate::http::web::assets;

/// Every template, with its text.
fn templates() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() >= 3, "{found:?}");
    found
}

/// Everything between `<` and `>`, comments and expressions of the template left out.
fn tags(text: &str) -> Vec<String> {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((at, end)) =
        [("{#", "#}"), ("{{", "}}"), ("{%", "%}")].iter().filter_map(|(open, end)| Some((rest.find(open)?, *end))).min()
    {
        bare.push_str(&rest[..at]);
        bare.push('~');
        rest = rest[at..].find(end).map_or("", |length| &rest[at + length + 2..]);
    }
    bare.push_str(rest);
    bare.split('<').skip(1).map(|part| part.split('>').next().unwrap().to_lowercase()).collect()
}

/// What is wrong with a template.
fn faults(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in tags(text) {
        let attributes: Vec<&str> = tag.split(|at: char| at.is_whitespace() || matches!(at, '"' | '\'' | '/' | '~')).collect();
        if tag.starts_with("script") && !tag.contains(" src=") {
            found.push(format!("a script in the text: <{tag}>"));
        }
        if tag.starts_with("style") || attributes.iter().any(|one| one.starts_with("style=")) {
            found.push(format!("a style in the text: <{tag}>"));
        }
        if attributes.iter().any(|one| one.starts_with("on") && one.contains('=')) || tag.contains("hx-on") {
            found.push(format!("a script in an attribute: <{tag}>"));
        }
        if tag.contains("javascript:") {
            found.push(format!("a script in a link: <{tag}>"));
        }
        if ["=\"//", "='//", "http:", "https:"].iter().any(|host| tag.contains(host)) {
            found.push(format!("another host: <{tag}>"));
        }
    }
    let dense: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    if dense.contains("|safe") || dense.contains("escape(\"none\"") {
        found.push("a value that is not escaped".to_owned());
    }
    for word in ["anonymised", "anonymized", "successfully"] {
        if text.to_lowercase().contains(word) {
            found.push(format!("the word “{word}”"));
        }
    }
    found
}

#[test]
fn templates_hold_nothing_inline_and_call_nobody() {
    let all = templates();
    let found: Vec<String> =
        all.iter().flat_map(|(path, text)| faults(text).into_iter().map(move |fault| format!("{}: {fault}", path.display()))).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn forged_templates_are_caught() {
    for text in [
        "<script>go()</script>",
        "<SCRIPT type=module>go()</SCRIPT>",
        "<p style=\"color:red\">",
        "<p class=\"a\"style=\"color:red\">",
        "<style>p{}</style>",
        "<a onclick=\"go()\">",
        "<a{% if x %} onfocus='go()'{% endif %}>",
        "<a href=\"{{ x }}\"onclick=\"go()\">",
        "<p hx-on:click=\"go()\">",
        "<a href=\"javascript:go()\">",
        "<img src=\"https://elsewhere.example/a.png\">",
        "<img src=\"//elsewhere.example/a.png\">",
        "<p>{{ name|safe }}</p>",
        "<p>{{ name | safe }}</p>",
        "<p>The data is anonymised.</p>",
    ] {
        assert!(!faults(text).is_empty(), "{text}");
    }
    for text in [
        "<script src=\"{{ url(\"a.js\") }}\"></script>",
        "<p>Once on=off</p>",
        "<p class=\"one\" data-on=\"x\">{# <p style=\"x\"> #}</p>",
        "{% if a < b %}<p>{% endif %}",
        "<option value=\"one\">",
    ] {
        assert!(faults(text).is_empty(), "{text}: {:?}", faults(text));
    }
}

#[test]
fn files_and_icons_that_templates_name_are_there() {
    let sprite = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/vendor/icons.svg")).unwrap();
    for (path, text) in templates() {
        let named =
            |before: &str| text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect::<Vec<_>>();
        for file in named("assets::url(\"") {
            assert!(assets::list().any(|(known, _)| known == file), "{}: {file} is not embedded", path.display());
        }
        for icon in named("icon(\"") {
            assert!(sprite.contains(&format!("id=\"{icon}\"")), "{}: {icon} is not in the sprite", path.display());
        }
    }
}
