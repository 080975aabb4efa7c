//! Files that hold papers: which kinds are taken, and that a file holds what its ending says.

use super::Invalid;

/// What the bytes of a file are, as far as its first ones tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Pdf,
    Png,
    Jpeg,
    /// Office documents are packed folders.
    Packed,
    Text,
}

/// The endings that are taken, each with what such a file holds.
const ENDINGS: [(&str, Content); 11] = [
    ("pdf", Content::Pdf),
    ("docx", Content::Packed),
    ("xlsx", Content::Packed),
    ("pptx", Content::Packed),
    ("odt", Content::Packed),
    ("ods", Content::Packed),
    ("png", Content::Png),
    ("jpg", Content::Jpeg),
    ("jpeg", Content::Jpeg),
    ("txt", Content::Text),
    ("csv", Content::Text),
];

/// How far into a file its kind is looked for.
const HEAD: usize = 1024;

impl Content {
    /// What a file holds; none where it is no paper that is taken.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
        // Some makers write a few bytes before the mark, and readers look for it within the first thousand.
        if head.windows(5).any(|part| part == b"%PDF-") {
            return Some(Self::Pdf);
        }
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if head.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Packed);
        }
        let is_text = !bytes.is_empty() && std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(is_unprintable));
        is_text.then_some(Self::Text)
    }
}

fn is_unprintable(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}

/// The endings as a form's file field takes them: `.pdf,.docx,…`.
pub fn accepted() -> String {
    ENDINGS.map(|(ending, _)| format!(".{ending}")).join(",")
}

/// The kinds that are taken, for people.
pub const KINDS: &str = "PDF, Word, Excel, PowerPoint, OpenDocument, PNG, JPEG, plain text or CSV";

/// Checks that a file is of a kind that is taken, and holds what its ending says.
///
/// # Errors
/// An [`Invalid`] of the field `file`.
pub fn check(name: &str, bytes: &[u8]) -> Result<(), Invalid> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let Some((_, content)) = ENDINGS.into_iter().find(|(known, _)| *known == ending) else {
        return Err(Invalid::new("file", format!("must be {KINDS}, and its name must end so")));
    };
    if Content::of(bytes) == Some(content) {
        Ok(())
    } else {
        Err(Invalid::new("file", "must hold what its ending says: choose the original, or save it as PDF and choose that"))
    }
}

/// The ending that a file gets when it is handed out again; `bin` where nothing tells.
pub fn ending_of(bytes: &[u8]) -> &'static str {
    let holds = |name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
    match Content::of(bytes) {
        Some(Content::Pdf) => "pdf",
        Some(Content::Png) => "png",
        Some(Content::Jpeg) => "jpg",
        Some(Content::Text) => "txt",
        Some(Content::Packed) if holds(b"word/document.xml") => "docx",
        Some(Content::Packed) if holds(b"xl/workbook.xml") => "xlsx",
        Some(Content::Packed) if holds(b"ppt/presentation.xml") => "pptx",
        Some(Content::Packed) if holds(b"opendocument.text") => "odt",
        Some(Content::Packed) if holds(b"opendocument.spreadsheet") => "ods",
        Some(Content::Packed) => "zip",
        None => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_its_ending_says() {
        let table: [(&str, &[u8], bool); 12] = [
            ("report.pdf", b"%PDF-1.7\n", true),
            ("REPORT.PDF", b"\xef\xbb\xbf%PDF-1.4", true),
            ("report.pdf", b"MZ\x90\x00", false),
            ("report.pdf", b"<html>", false),
            ("report.pdf.exe", b"%PDF-1.7", false),
            ("report", b"%PDF-1.7", false),
            ("scan.png", b"\x89PNG\r\n\x1a\n..", true),
            ("scan.jpg", b"\x89PNG\r\n\x1a\n..", false),
            ("notes.txt", "Grüße\r\n".as_bytes(), true),
            ("notes.txt", b"a\0b", false),
            ("terms.docx", b"PK\x03\x04....word/document.xml", true),
            ("terms.docx", b"%PDF-1.7", false),
        ];
        for (name, bytes, good) in table {
            assert_eq!(check(name, bytes).is_ok(), good, "{name}");
        }
        assert_eq!(ending_of(b"PK\x03\x04....word/document.xml"), "docx");
        assert_eq!(ending_of(b"%PDF-1.7"), "pdf");
        assert_eq!(ending_of(b"\x00\x01"), "bin");
    }
}
