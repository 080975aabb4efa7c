//! Reads as much of Rust as the rules need: words and signs without comments and literals, and the paths in them.

/// A word or sign of a source text, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    line: usize,
    text: String,
}

/// Keywords after which a path can begin.
const LEADING: &[&str] =
    &["as", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let", "match", "move", "mut", "ref", "return", "where", "while"];

/// A source text as words and signs.
#[derive(Debug)]
pub struct Source {
    tokens: Vec<Token>,
}

impl Source {
    /// Splits a text; comments and the insides of literals are left out.
    pub fn new(text: &str) -> Self {
        Self { tokens: Reader { rest: text, line: 1, tokens: Vec::new() }.read() }
    }

    /// The names of the macros called.
    pub fn macros(&self) -> Vec<String> {
        let pairs = self.tokens.windows(3);
        pairs
            .filter(|window| is_word(&window[0].text) && window[1].text == "!" && window[2].text != "=")
            .map(|window| window[0].text.clone())
            .collect()
    }

    /// Every path that leads to an item, with its line: from `crate` on for those of the crate (`self` and `super`
    /// resolved against the module), as written for others. Groups of a `use` are spread out.
    pub fn paths(&self, module: &[String]) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        // Modules written in this file that are open here, each with the depth of braces it began at.
        let mut inner: Vec<(usize, String)> = Vec::new();
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    inner.retain(|(began, _)| *began < depth);
                }
                "extern" if self.is(at + 1, "crate") => found.push((token.line, vec![self.tokens[at + 2].text.clone()])),
                "mod" if self.is(at + 2, "{") => inner.push((depth, self.tokens[at + 1].text.clone())),
                "use" => {
                    let here: Vec<String> = module.iter().cloned().chain(inner.iter().map(|(_, name)| name.clone())).collect();
                    let mut spread = Vec::new();
                    at = self.tree(at + 1, &[], &mut spread);
                    found.extend(spread.into_iter().map(|(line, path)| (line, resolved(path, &here))));
                    continue;
                }
                text if begins_path(text) && self.is(at + 1, "::") && !self.goes_on_before(at) => {
                    let here: Vec<String> = module.iter().cloned().chain(inner.iter().map(|(_, name)| name.clone())).collect();
                    let mut path = vec![text.to_owned()];
                    while self.is(at + 1, "::") && self.tokens.get(at + 2).is_some_and(|next| is_word(&next.text)) {
                        path.push(self.tokens[at + 2].text.clone());
                        at += 2;
                    }
                    found.push((token.line, resolved(path, &here)));
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Reads one tree of a `use` from `at`; gives the place after it.
    fn tree(&self, mut at: usize, before: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
        let mut path = before.to_vec();
        while let Some(token) = self.tokens.get(at) {
            match token.text.as_str() {
                "::" => {}
                "{" => {
                    at += 1;
                    while at < self.tokens.len() && !self.is(at, "}") {
                        at = self.tree(at, &path, found);
                        if self.is(at, ",") {
                            at += 1;
                        }
                    }
                    return at + 1;
                }
                "," | "}" | ";" => break,
                "as" => {
                    at += 2;
                    continue;
                }
                "self" if !path.is_empty() => {}
                text => path.push(text.to_owned()),
            }
            at += 1;
        }
        let line = self.tokens.get(at.saturating_sub(1)).map_or(0, |token| token.line);
        found.push((line, path));
        at
    }

    /// Whether the word continues a path, or is a field or method.
    fn goes_on_before(&self, at: usize) -> bool {
        let text = |back: usize| at.checked_sub(back).map(|at| self.tokens[at].text.as_str());
        match text(1) {
            Some(".") => true,
            // `::name` without a type or module before it names a crate, as in `-> ::diesel::QueryResult`.
            Some("::") => text(2).is_some_and(|before| before == ">" || begins_path(before)),
            _ => false,
        }
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn begins_path(text: &str) -> bool {
    is_word(text) && !LEADING.contains(&text)
}

/// Turns `self` and `super` at the start into a path from `crate`; the library's own name counts as `crate`.
fn resolved(path: Vec<String>, module: &[String]) -> Vec<String> {
    let first = path.first().map(String::as_str);
    if first == Some("tidegate") {
        return std::iter::once("crate".to_owned()).chain(path.into_iter().skip(1)).collect();
    }
    if first != Some("self") && first != Some("super") {
        return path;
    }
    let ups = path.iter().filter(|part| *part == "super").count();
    let kept = module.len().saturating_sub(ups);
    let rest = path.into_iter().filter(|part| part != "self" && part != "super");
    std::iter::once("crate".to_owned()).chain(module.iter().take(kept).cloned()).chain(rest).collect()
}

/// Walks through a text and keeps the words and signs.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn read(mut self) -> Vec<Token> {
        while let Some(first) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.skip(block_comment(self.rest));
            } else if let Some(length) = text_literal(self.rest) {
                self.skip(length);
            } else if first == '\'' {
                self.skip(quote(self.rest));
            } else if is_word(self.rest) {
                let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
                self.keep(end);
            } else if ["::", "->", "=>"].iter().any(|sign| self.rest.starts_with(sign)) {
                self.keep(2);
            } else if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else {
                self.keep(first.len_utf8());
            }
        }
        self.tokens
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn keep(&mut self, length: usize) {
        self.tokens.push(Token { line: self.line, text: self.rest[..length].to_owned() });
        self.skip(length);
    }
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string literal, raw or not, with its prefix; `None` when there is none here.
fn text_literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"') && (prefix.ends_with('r') || rest.starts_with('"')))
    })?;
    let rest = &text[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = &rest[hashes + 1..];
    let before = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(body.find(&end).map_or(text.len(), |at| before + at + end.len()));
    }
    let mut escaped = false;
    for (at, sign) in body.char_indices() {
        match sign {
            '"' if !escaped => return Some(before + at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Some(text.len())
}

/// The length of a character literal, or of the mark before a lifetime.
fn quote(text: &str) -> usize {
    let mut signs = text.char_indices().skip(1);
    match (signs.next(), signs.next()) {
        (Some((_, '\\')), _) => text[2..].char_indices().skip(1).find(|(_, sign)| *sign == '\'').map_or(text.len(), |(at, _)| at + 3),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}
