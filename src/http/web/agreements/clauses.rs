//! The clauses of an agreement as a form: what was typed becomes terms, or an error beside each field that is wrong.
//!
//! Gaps are no errors: a draft may have them. Clauses that the form of a kind does not have stay as they were.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::domain::Invalid;
use crate::domain::agreement::{
    AgreementKind, AgreementTerms, Assistance, AtTheEnd, AuditRight, BreachNotice, ControllerTerms, EndWay, JointTerms, SubProcessors,
    Transfer, TransferMechanism,
};
use crate::domain::text::{Name, Prose};
use crate::domain::vocabulary::Vocabulary;
use crate::http::web::form::Typed;
use crate::http::web::parts::Choice;
use crate::policy::words;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("subject_matter", "Subject matter"),
    ("nature", "Nature of the processing"),
    ("purposes", "Purposes"),
    ("data_categories", "Data categories"),
    ("subject_categories", "Whose data"),
    ("starts_on", "First day"),
    ("ends_on", "Last day"),
    ("retention_days", "Days the vendor may keep the data"),
    ("instructions", "Documented instructions"),
    ("confidentiality_attested_on", "Confidentiality attested on"),
    ("security_evidence", "Evidence of security"),
    ("sub_processors", "Sub-processors"),
    ("sub_processors.notice_days", "Days of notice"),
    ("sub_processors.objection_days", "Days to object"),
    ("sub_processors.named", "Named sub-processors"),
    ("assistance.days", "Days to help with a request"),
    ("assistance.channel", "How requests reach the vendor"),
    ("breach_notice.hours", "Hours to tell of a breach"),
    ("breach_notice.contact", "Who is told of a breach"),
    ("at_the_end.way", "What happens to the data at the end"),
    ("at_the_end.deadline_days", "Days until it is done"),
    ("audit.every_months", "Months between audits"),
    ("audit.last_on", "Last audit"),
    ("joint.responsibilities", "Who answers whom"),
    ("joint.contact_point", "Contact point"),
    ("joint.essence_published_at", "Where the essence can be read"),
    ("controller.purpose_limits", "Purpose limits"),
    ("controller.notice", "Notice to the people concerned"),
    ("controller.no_onward_sharing", "No onward sharing"),
    ("transfer.mechanism", "What the transfer rests on"),
    ("transfer.assessment_reference", "Reference of the transfer assessment"),
    ("document", "The document to be signed"),
    ("permits", "Permits"),
];

/// The clauses that a form shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub kind: AgreementKind,
    /// Whether a transfer must or does rest on something.
    pub transfer: bool,
}

impl Shape {
    /// Of an agreement; a transfer that is agreed is shown also where none is needed any more.
    pub fn of(kind: AgreementKind, transfers: bool, terms: &AgreementTerms) -> Self {
        Self { kind, transfer: transfers || terms.transfer.is_some() }
    }

    /// Art. 28.
    pub fn is_processor(self) -> bool {
        self.kind == AgreementKind::Processor
    }

    /// Art. 26.
    pub fn is_joint(self) -> bool {
        self.kind == AgreementKind::JointControllers
    }

    /// Controller to controller.
    pub fn is_controller(self) -> bool {
        self.kind == AgreementKind::ControllerToController
    }

    /// Whether security rests on evidence by the rules of the kind.
    pub fn has_security(self) -> bool {
        !self.is_joint()
    }
}

/// The field of the form that a path of the rules is about: of a clause of several fields the first.
pub fn field_of(path: &str) -> &str {
    let path = path.strip_prefix("terms.").unwrap_or(path);
    match path {
        "assistance" => "assistance.days",
        "breach_notice" => "breach_notice.hours",
        "at_the_end" => "at_the_end.way",
        "audit" => "audit.every_months",
        "joint" => "joint.responsibilities",
        "controller" => "controller.purpose_limits",
        "transfer" => "transfer.mechanism",
        other => other,
    }
}

/// What a transfer can rest on.
pub const MECHANISMS: [TransferMechanism; 6] = [
    TransferMechanism::SccModule1,
    TransferMechanism::SccModule2,
    TransferMechanism::SccModule3,
    TransferMechanism::SccModule4,
    TransferMechanism::BindingCorporateRules,
    TransferMechanism::Derogation,
];

/// The wire name of a mechanism.
pub const fn mechanism_key(mechanism: TransferMechanism) -> &'static str {
    match mechanism {
        TransferMechanism::SccModule1 => "scc_module1",
        TransferMechanism::SccModule2 => "scc_module2",
        TransferMechanism::SccModule3 => "scc_module3",
        TransferMechanism::SccModule4 => "scc_module4",
        TransferMechanism::BindingCorporateRules => "binding_corporate_rules",
        TransferMechanism::Derogation => "derogation",
    }
}

/// The mechanisms to choose from.
pub fn mechanisms() -> Vec<Choice> {
    let choice = |mechanism| Choice::new(mechanism_key(mechanism), capital(words::transfer(mechanism)));
    MECHANISMS.into_iter().map(choice).collect()
}

/// What can happen to the data at the end.
pub fn ends() -> Vec<Choice> {
    vec![Choice::new("delete", "The vendor deletes it"), Choice::new("return", "The vendor gives it back")]
}

/// Which sub-processors may be used.
pub fn sub_processor_ways() -> Vec<Choice> {
    vec![
        Choice::new("forbidden", "None may be used"),
        Choice::new("specific", "Only those named").hinted("Each new one needs a new version."),
        Choice::new("general", "Any, announced ahead").hinted("You can object to each within the days agreed."),
    ]
}

/// The first letter as a capital one.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The form as the terms stand.
pub fn filled(terms: &AgreementTerms) -> Typed {
    let mut form = Filling::default();
    form.one("subject_matter", terms.subject_matter.as_ref());
    form.one("nature", terms.nature.as_ref());
    form.each("purposes", &terms.purposes);
    form.each("data_categories", &terms.data_categories);
    form.lines("subject_categories", &terms.subject_categories);
    form.one("starts_on", terms.starts_on);
    form.one("ends_on", terms.ends_on);
    form.one("retention_days", terms.retention_days);
    form.each("instructions", &terms.instructions);
    form.one("confidentiality_attested_on", terms.confidentiality_attested_on);
    form.each("security_evidence", &terms.security_evidence);
    match &terms.sub_processors {
        None => {}
        Some(SubProcessors::Forbidden) => form.one("sub_processors", Some("forbidden")),
        Some(SubProcessors::General { notice_days, objection_days }) => {
            form.one("sub_processors", Some("general"));
            form.one("sub_processors.notice_days", Some(notice_days));
            form.one("sub_processors.objection_days", Some(objection_days));
        }
        Some(SubProcessors::Specific { named }) => {
            form.one("sub_processors", Some("specific"));
            form.lines("sub_processors.named", named);
        }
    }
    form.one("assistance.days", terms.assistance.as_ref().map(|clause| clause.days));
    form.one("assistance.channel", terms.assistance.as_ref().map(|clause| &clause.channel));
    form.one("breach_notice.hours", terms.breach_notice.as_ref().map(|clause| clause.hours));
    form.one("breach_notice.contact", terms.breach_notice.as_ref().map(|clause| &clause.contact));
    form.one("at_the_end.way", terms.at_the_end.as_ref().map(|clause| words::end_way(clause.way)));
    form.one("at_the_end.deadline_days", terms.at_the_end.as_ref().map(|clause| clause.deadline_days));
    form.one("audit.every_months", terms.audit.as_ref().map(|clause| clause.every_months));
    form.one("audit.last_on", terms.audit.as_ref().and_then(|clause| clause.last_on));
    form.one("joint.responsibilities", terms.joint.as_ref().map(|clause| &clause.responsibilities));
    form.one("joint.contact_point", terms.joint.as_ref().map(|clause| &clause.contact_point));
    form.one("joint.essence_published_at", terms.joint.as_ref().map(|clause| &clause.essence_published_at));
    form.one("controller.purpose_limits", terms.controller.as_ref().map(|clause| &clause.purpose_limits));
    form.one("controller.notice", terms.controller.as_ref().map(|clause| &clause.notice));
    form.one("controller.no_onward_sharing", terms.controller.as_ref().filter(|clause| clause.no_onward_sharing).map(|_| "yes"));
    form.one("transfer.mechanism", terms.transfer.as_ref().map(|clause| mechanism_key(clause.mechanism)));
    form.one("transfer.assessment_reference", terms.transfer.as_ref().map(|clause| &clause.assessment_reference));
    Typed::new(form.pairs)
}

#[derive(Default)]
struct Filling {
    pairs: Vec<(String, String)>,
}

impl Filling {
    fn one(&mut self, name: &str, value: Option<impl ToString>) {
        self.pairs.extend(value.map(|value| (name.to_owned(), value.to_string())));
    }

    fn each<T: ToString>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        self.pairs.extend(values.into_iter().map(|value| (name.to_owned(), value.to_string())));
    }

    fn lines<T: ToString>(&mut self, name: &str, values: &[T]) {
        let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
        self.one(name, (!lines.is_empty()).then(|| lines.join("\n")));
    }
}

/// The terms that were typed, on top of those that were there, in the words of the house.
///
/// # Errors
/// For every field that can't be read.
pub fn read(shape: Shape, before: &AgreementTerms, typed: &Typed, vocabulary: &Vocabulary) -> Result<AgreementTerms, Vec<Invalid>> {
    let mut form = Reading { typed, errors: Vec::new() };
    let mut terms = before.clone();
    form.chapeau(&mut terms);
    if shape.is_processor() {
        form.processor(&mut terms);
    }
    if shape.has_security() {
        terms.security_evidence = form.each("security_evidence");
    }
    terms.breach_notice = form.breach_notice();
    if shape.is_joint() {
        terms.joint = form.joint();
    }
    if shape.is_controller() {
        terms.controller = form.controller();
    }
    if shape.transfer {
        terms.transfer = form.transfer();
    }
    let mut errors = form.errors;
    if let (Some(start), Some(end)) = (terms.starts_on, terms.ends_on)
        && end < start
    {
        errors.push(Invalid::new("ends_on", "must not be before the first day"));
    } else if let Err(error) = terms.check(vocabulary, before) {
        errors.push(Invalid { field: field_of(&error.field).to_owned(), ..error });
    }
    if errors.is_empty() { Ok(terms) } else { Err(errors) }
}

/// What was typed, read field by field.
struct Reading<'a> {
    typed: &'a Typed,
    errors: Vec<Invalid>,
}

impl Reading<'_> {
    fn wrong(&mut self, name: &str, reason: impl Into<String>) {
        self.errors.push(Invalid::new(name, reason));
    }

    /// One value; an empty field is none.
    fn one<T: FromStr<Err = Invalid>>(&mut self, name: &str) -> Option<T> {
        self.read(name, self.typed.value(name))
    }

    fn read<T: FromStr<Err = Invalid>>(&mut self, name: &str, text: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        // Browsers send line breaks as two characters; the API takes them as one.
        match text.replace("\r\n", "\n").parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, error.reason);
                None
            }
        }
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        let text = self.typed.value(name);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok().filter(|number| *number <= 100_000);
        if number.is_none() {
            self.wrong(name, "must be a whole number of at most 100,000");
        }
        number
    }

    fn each<T: FromStr<Err = Invalid>>(&mut self, name: &str) -> Vec<T> {
        let typed = self.typed;
        typed.all(name).filter_map(|text| self.read(name, text)).collect()
    }

    /// One value a line; the error says which.
    fn lines(&mut self, name: &str) -> Vec<Name> {
        let mut found = Vec::new();
        for (at, line) in self.typed.value(name).lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match line.parse::<Name>() {
                Ok(value) => found.push(value),
                Err(error) => {
                    let said = format!("can't be read in line {}: it {}", at.saturating_add(1), error.reason);
                    self.wrong(name, said);
                }
            }
        }
        found
    }

    /// Whether a clause of several fields is given. One that is given in part lacks the rest.
    fn whole(&mut self, names: &[&str]) -> bool {
        let empty: Vec<&str> = names.iter().copied().filter(|name| self.typed.value(name).is_empty()).collect();
        if empty.len() < names.len() {
            for name in &empty {
                self.wrong(name, "must be given too, or the rest of the clause left empty");
            }
        }
        empty.is_empty()
    }

    fn chapeau(&mut self, terms: &mut AgreementTerms) {
        terms.subject_matter = self.one("subject_matter");
        terms.nature = self.one("nature");
        terms.purposes = self.each("purposes").into_iter().collect::<BTreeSet<_>>();
        terms.data_categories = self.each("data_categories").into_iter().collect::<BTreeSet<_>>();
        terms.subject_categories = self.lines("subject_categories");
        terms.starts_on = self.one("starts_on");
        terms.ends_on = self.one("ends_on");
        terms.retention_days = self.number("retention_days");
    }

    fn processor(&mut self, terms: &mut AgreementTerms) {
        terms.instructions = self.each::<Prose>("instructions");
        terms.confidentiality_attested_on = self.one("confidentiality_attested_on");
        terms.sub_processors = self.sub_processors();
        terms.assistance = match (self.number("assistance.days"), self.one("assistance.channel")) {
            (Some(days), Some(channel)) => Some(Assistance { days, channel }),
            (Some(_), None) | (None, Some(_)) | (None, None) => None,
        };
        self.whole(&["assistance.days", "assistance.channel"]);
        terms.at_the_end = self.at_the_end();
        terms.audit = self.audit();
    }

    fn sub_processors(&mut self) -> Option<SubProcessors> {
        match self.typed.value("sub_processors") {
            "" => None,
            "forbidden" => Some(SubProcessors::Forbidden),
            "general" => {
                let (notice, objection) = ("sub_processors.notice_days", "sub_processors.objection_days");
                let (notice_days, objection_days) = (self.number(notice), self.number(objection));
                for name in [notice, objection].into_iter().filter(|name| self.typed.value(name).is_empty()).collect::<Vec<_>>() {
                    self.wrong(name, "must be given where any may be used");
                }
                Some(SubProcessors::General { notice_days: notice_days?, objection_days: objection_days? })
            }
            "specific" => Some(SubProcessors::Specific { named: self.lines("sub_processors.named") }),
            _ => {
                self.wrong("sub_processors", "must be one of the ways shown");
                None
            }
        }
    }

    fn breach_notice(&mut self) -> Option<BreachNotice> {
        let (hours, contact) = (self.number("breach_notice.hours"), self.one("breach_notice.contact"));
        self.whole(&["breach_notice.hours", "breach_notice.contact"]);
        Some(BreachNotice { hours: hours?, contact: contact? })
    }

    fn at_the_end(&mut self) -> Option<AtTheEnd> {
        let way = match self.typed.value("at_the_end.way") {
            "" => None,
            "delete" => Some(EndWay::Delete),
            "return" => Some(EndWay::Return),
            _ => {
                self.wrong("at_the_end.way", "must be one of the ways shown");
                None
            }
        };
        let deadline_days = self.number("at_the_end.deadline_days");
        self.whole(&["at_the_end.way", "at_the_end.deadline_days"]);
        Some(AtTheEnd { way: way?, deadline_days: deadline_days? })
    }

    fn audit(&mut self) -> Option<AuditRight> {
        let (every_months, last_on) = (self.number("audit.every_months"), self.one("audit.last_on"));
        if self.typed.value("audit.every_months").is_empty() && !self.typed.value("audit.last_on").is_empty() {
            self.wrong("audit.every_months", "must be given too, or the rest of the clause left empty");
        }
        Some(AuditRight { every_months: every_months?, last_on })
    }

    fn joint(&mut self) -> Option<JointTerms> {
        let responsibilities = self.one("joint.responsibilities");
        let contact_point = self.one("joint.contact_point");
        let essence_published_at = self.one("joint.essence_published_at");
        self.whole(&["joint.responsibilities", "joint.contact_point", "joint.essence_published_at"]);
        Some(JointTerms { responsibilities: responsibilities?, contact_point: contact_point?, essence_published_at: essence_published_at? })
    }

    fn controller(&mut self) -> Option<ControllerTerms> {
        let (purpose_limits, notice) = (self.one("controller.purpose_limits"), self.one("controller.notice"));
        self.whole(&["controller.purpose_limits", "controller.notice"]);
        let no_onward_sharing = self.typed.has("controller.no_onward_sharing", "yes");
        Some(ControllerTerms { purpose_limits: purpose_limits?, notice: notice?, no_onward_sharing })
    }

    fn transfer(&mut self) -> Option<Transfer> {
        let key = self.typed.value("transfer.mechanism");
        let mechanism = MECHANISMS.into_iter().find(|mechanism| mechanism_key(*mechanism) == key);
        if mechanism.is_none() && !key.is_empty() {
            self.wrong("transfer.mechanism", "must be one of those shown");
        }
        let assessment_reference = self.one("transfer.assessment_reference");
        self.whole(&["transfer.mechanism", "transfer.assessment_reference"]);
        Some(Transfer { mechanism: mechanism?, assessment_reference: assessment_reference? })
    }
}
