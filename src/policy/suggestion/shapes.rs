//! Shapes of single values: postal codes, dates, words for a gender, names of persons. Pure text in, yes or no out.

use crate::domain::time::Date;

/// How sure a text is a postal code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postal {
    /// By its own form: British, Canadian, Dutch, Polish, Swedish, American with nine digits.
    Sure,
    /// Four to six digits: only where a name says so.
    Perhaps,
    No,
}

/// Whether a text has the form of a postal code.
pub fn postal(text: &str) -> Postal {
    let form: String = text.trim().chars().map(|sign| if sign.is_ascii_digit() { '9' } else { letter(sign) }).collect();
    match form.as_str() {
        "A9 9AA" | "A99 9AA" | "AA9 9AA" | "AA99 9AA" | "A9A 9AA" | "AA9A 9AA" | "A9A 9A9" | "9999 AA" | "99-999" | "99999-9999" => {
            Postal::Sure
        }
        "9999" | "99999" | "999999" | "9999AA" | "999 99" | "A9A9A9" | "A-9999" | "D-99999" | "AA99AA" | "A99AA" => Postal::Perhaps,
        _ => Postal::No,
    }
}

fn letter(sign: char) -> char {
    if sign.is_ascii_uppercase() { 'A' } else { sign }
}

/// The day that a text stands for, with or without a time: `2026-07-01…`, `01.07.2026`, `1/7/2026`. Of days and months
/// that could be either, any reading will do: what counts is the year.
pub fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Some(date) = text.get(..10).and_then(|date| date.parse::<Date>().ok()) {
        return matches!(text.as_bytes().get(10), None | Some(b'T' | b' ')).then_some(date);
    }
    let parts: Vec<&str> = text.split(['.', '/']).collect();
    let [one, other, year] = parts.as_slice() else { return None };
    if year.len() != 4 || one.len() > 2 || other.len() > 2 {
        return None;
    }
    let (one, other, year) = (one.parse::<u32>().ok()?, other.parse::<u32>().ok()?, year.parse::<i32>().ok()?);
    Date::from_ymd(year, other, one).or_else(|| Date::from_ymd(year, one, other))
}

/// Words that stand for a gender, in a few languages.
const GENDERS: &[&str] = &[
    "m",
    "f",
    "w",
    "d",
    "x",
    "h",
    "male",
    "female",
    "man",
    "woman",
    "diverse",
    "divers",
    "männlich",
    "weiblich",
    "homme",
    "femme",
    "hombre",
    "mujer",
    "non-binary",
    "nonbinary",
    "other",
    "unknown",
    "u",
    "n/a",
];

/// Whether a text is a word for a gender.
pub fn gender(text: &str) -> bool {
    let word = text.trim().to_lowercase();
    GENDERS.contains(&word.as_str())
}

/// Whether a text, a word for a gender, says one of the two that a column of genders has.
pub fn names_a_gender(text: &str) -> bool {
    !matches!(text.trim().to_lowercase().as_str(), "x" | "d" | "h" | "u" | "other" | "unknown" | "n/a")
}

/// Given names that are common in Europe and the Americas: a few of them are in any list of persons.
const GIVEN: &[&str] = &[
    "adam",
    "alex",
    "alice",
    "ali",
    "amanda",
    "amy",
    "ana",
    "andrea",
    "andreas",
    "andrew",
    "angela",
    "anita",
    "ann",
    "anna",
    "anne",
    "anton",
    "antonio",
    "ben",
    "benjamin",
    "bernd",
    "brian",
    "carla",
    "carlos",
    "carmen",
    "caroline",
    "charles",
    "charlotte",
    "chloe",
    "chris",
    "christian",
    "christine",
    "claire",
    "claudia",
    "clara",
    "daniel",
    "david",
    "diana",
    "diego",
    "edward",
    "elena",
    "elisabeth",
    "elizabeth",
    "ella",
    "emil",
    "emily",
    "emma",
    "eric",
    "erik",
    "eva",
    "fatima",
    "felix",
    "fernanda",
    "fernando",
    "finn",
    "francesco",
    "frank",
    "françois",
    "georg",
    "george",
    "giulia",
    "grace",
    "hans",
    "hannah",
    "harry",
    "heidi",
    "helen",
    "helena",
    "henry",
    "ines",
    "isabel",
    "isabella",
    "ivan",
    "jack",
    "jakob",
    "james",
    "jan",
    "jana",
    "jane",
    "javier",
    "jean",
    "jennifer",
    "jessica",
    "jim",
    "joan",
    "joe",
    "johan",
    "johann",
    "john",
    "jonas",
    "jorge",
    "josé",
    "joseph",
    "joão",
    "juan",
    "julia",
    "julian",
    "karen",
    "karl",
    "kate",
    "katharina",
    "kevin",
    "klaus",
    "lara",
    "laura",
    "lea",
    "lena",
    "leo",
    "leon",
    "leonie",
    "lina",
    "linda",
    "lisa",
    "louis",
    "luca",
    "lucas",
    "lucy",
    "luis",
    "lukas",
    "manuel",
    "marc",
    "marco",
    "maria",
    "marie",
    "mario",
    "mark",
    "martha",
    "martin",
    "mary",
    "matteo",
    "max",
    "mehmet",
    "mia",
    "michael",
    "michelle",
    "miguel",
    "mohamed",
    "mohammed",
    "monika",
    "nancy",
    "natalia",
    "nicole",
    "nina",
    "noah",
    "nora",
    "olga",
    "oliver",
    "olivia",
    "oscar",
    "pablo",
    "patricia",
    "patrick",
    "paul",
    "paula",
    "pedro",
    "peter",
    "petra",
    "philip",
    "pierre",
    "rachel",
    "ralf",
    "rebecca",
    "richard",
    "robert",
    "roberto",
    "rosa",
    "ryan",
    "sabine",
    "sam",
    "samuel",
    "sandra",
    "sara",
    "sarah",
    "sebastian",
    "silvia",
    "simon",
    "sofia",
    "sophia",
    "sophie",
    "stefan",
    "stephanie",
    "steve",
    "steven",
    "susan",
    "teresa",
    "thomas",
    "tim",
    "tobias",
    "tom",
    "ursula",
    "victor",
    "victoria",
    "walter",
    "william",
    "wolfgang",
    "yusuf",
];

/// Whether a text is one to five words that begin with capitals, as names of persons are.
pub fn name_like(text: &str) -> bool {
    let mut words = 0_usize;
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        words = words.saturating_add(1);
        let capital = word.chars().next().is_some_and(char::is_uppercase);
        let particle = matches!(word, "de" | "da" | "von" | "van" | "der" | "den" | "la" | "el" | "bin" | "al" | "di" | "y");
        let signs = word.chars().all(|sign| sign.is_alphabetic() || matches!(sign, '-' | '\'' | '’' | '.'));
        if !signs || !(capital || particle) {
            return false;
        }
    }
    (1..=5).contains(&words)
}

/// Whether some word of a text is a common given name.
pub fn has_given_name(text: &str) -> bool {
    text.split([' ', ',', '-']).any(|word| GIVEN.contains(&word.to_lowercase().as_str()))
}
