//! Words of data-protection law, in plain sentences, each with the place where the law says it.

use super::{Term, term};

/// The terms.
pub const TERMS: &[Term] = &[
    term(
        "personal-data",
        "Personal data",
        "GDPR Art. 4(1)",
        "Anything that tells something about a person who is known or could be found out. A name is personal data, and so is a customer number, because somebody can look up whose it is.",
    ),
    term(
        "controller",
        "Controller",
        "GDPR Art. 4(7)",
        "Whoever decides why and how personal data is used. Your company is the controller of its customers' data and answers for it. A vendor that uses the data for ends of its own is a controller too.",
    ),
    term(
        "processor",
        "Processor",
        "GDPR Art. 4(8) and 28",
        "Somebody who handles personal data for a controller and on its instructions only, such as a parcel service that delivers your orders. A contract must bind it; here that is an agreement of the kind “processor”.",
    ),
    term(
        "joint-controllers",
        "Joint controllers",
        "GDPR Art. 26",
        "Two who decide together why and how personal data is used. They must agree which of them does what for the people concerned, and make the essence of it known to them.",
    ),
    term(
        "controller-to-controller",
        "Controller to controller",
        "GDPR Art. 4(7) and 6",
        "A sharing in which the vendor becomes a controller of its own. Each side answers for what it does, so the passing on itself needs a legal basis.",
    ),
    term(
        "sub-processor",
        "Sub-processor",
        "GDPR Art. 28(2) and (4)",
        "Somebody whom a processor asks to do part of its work. The controller must have allowed it, in general with a right to object or one by one, and the same duties must bind it.",
    ),
    term(
        "legal-basis",
        "Legal basis",
        "GDPR Art. 6(1)",
        "The ground on which personal data may be used at all. There are six: consent, contract, legal obligation, vital interests, public task and legitimate interests. Every permit names one.",
    ),
    term(
        "consent",
        "Consent",
        "GDPR Art. 4(11) and 7",
        "A person's free and informed yes to one use of their data, which they can take back. It is recorded on the page Consent or by a consent platform; a permit that rests on consent releases only the rows of those who gave it and have not taken it back.",
    ),
    term(
        "contract-basis",
        "Contract, as a legal basis",
        "GDPR Art. 6(1)(b)",
        "The use is needed to do what a contract with the person promises, or what they asked for before one. An address is needed to deliver a parcel; it is not needed to advertise.",
    ),
    term(
        "legal-obligation",
        "Legal obligation",
        "GDPR Art. 6(1)(c)",
        "The use is needed because a law demands it of the controller, such as keeping invoices for the tax office. The law itself must be named; a wish to be careful is none.",
    ),
    term(
        "legitimate-interests",
        "Legitimate interests",
        "GDPR Art. 6(1)(f)",
        "The use serves an interest that weighs more than the interests of the people concerned. Somebody must have weighed it and written that down. Whoever objects is to be left out.",
    ),
    term(
        "objection",
        "Objection",
        "GDPR Art. 21",
        "A person's no to a use that rests on legitimate interests or a public task. Against advertising it always counts, without a reason. It is recorded on the page Consent, and keeps the person out from the next release on.",
    ),
    term(
        "restriction",
        "Restriction",
        "GDPR Art. 18",
        "A person may ask that their data is kept but not used, for instance while its correctness is in dispute. Until that is settled, their rows are in no release, whatever it rests on.",
    ),
    term(
        "opt-out",
        "Opt-out of sale and sharing",
        "CCPA § 1798.120",
        "A person's no to the sale of their data and to its sharing for advertising, also by a signal of their browser (Global Privacy Control). It keeps them out of every purpose that counts as such.",
    ),
    term(
        "erasure",
        "Erasure",
        "GDPR Art. 17",
        "A person's right that their data is deleted when nothing justifies keeping it. Entries of the history name no person, so they stay; texts beside them can be erased.",
    ),
    term(
        "purpose",
        "Purpose",
        "GDPR Art. 5(1)(b)",
        "What data is used for, said before it is used. A permit allows one purpose, chosen from a fixed list. A vendor that names another is refused.",
    ),
    term(
        "minimised",
        "Minimised",
        "GDPR Art. 5(1)(c)",
        "Cut down to what the purpose needs: fewer fields, coarser values, fewer rows. Minimised data is still personal data, and the law still holds for it.",
    ),
    term(
        "data-category",
        "Data category",
        "GDPR Art. 28(3) and 30",
        "A kind of personal data, such as contact details or orders. An agreement lists the categories that it covers, and no permit under it goes beyond them.",
    ),
    term(
        "special-category",
        "Special category",
        "GDPR Art. 9",
        "Data on health, belief, origin, politics, union membership, genes, biometrics, sex life or orientation. Its use is forbidden unless one of ten exceptions holds, so it needs a second look wherever it appears.",
    ),
    term(
        "pseudonym",
        "Pseudonym",
        "GDPR Art. 4(5)",
        "A code in place of an identifier, the same for the same person under one agreement and another under every other. Only who holds the key can tell whom it means. Pseudonymised data is still personal data.",
    ),
    term(
        "subject",
        "Subject",
        "GDPR Art. 4(1)",
        "The person whom a row is about; the law says “data subject”. The history counts how many subjects a release held, and never names one.",
    ),
    term(
        "transfer",
        "Transfer to a third country",
        "GDPR Art. 44 to 49",
        "Personal data that goes to a country outside the European Economic Area. It needs a ground of its own: a decision that the country protects data well enough, or safeguards such as standard contractual clauses.",
    ),
    term(
        "adequacy",
        "Adequacy decision",
        "GDPR Art. 45",
        "A decision of the European Commission that a country protects personal data about as well as the Union does. Data may go there without further safeguards, for as long as the decision stands.",
    ),
    term(
        "standard-contractual-clauses",
        "Standard contractual clauses",
        "GDPR Art. 46(2)(c)",
        "Contract terms issued by the European Commission for transfers to other countries. They come in four modules, by who sends and who receives. They are taken as they are; only details are filled in.",
    ),
    term(
        "binding-corporate-rules",
        "Binding corporate rules",
        "GDPR Art. 47",
        "Rules that a group of companies gives itself for transfers within the group, approved by a supervisory authority. They bind every company of the group, also outside Europe.",
    ),
    term(
        "technical-measures",
        "Technical and organisational measures",
        "GDPR Art. 32",
        "What a vendor does to keep data safe: encryption, access control, training, tests. The questionnaire asks for them, evidence shows them, and the agreement lists them.",
    ),
    term(
        "breach",
        "Personal-data breach",
        "GDPR Art. 4(12), 33 and 34",
        "Data lost, changed, or seen by somebody who should not have seen it. A processor tells the controller without delay; the controller has 72 hours to tell the authority, unless no risk is likely.",
    ),
    term(
        "audit-right",
        "Right to audit",
        "GDPR Art. 28(3)(h)",
        "The controller may check that a processor keeps its promises, by asking for information or by looking itself. The agreement says how it is announced and how often.",
    ),
    term(
        "accountability",
        "Accountability",
        "GDPR Art. 5(2) and 24",
        "A controller must not only keep the rules but be able to show that it does. That is what the history, the assessments and the versions of agreements are for.",
    ),
    term(
        "instruction",
        "Instruction",
        "GDPR Art. 28(3)(a) and 29",
        "What the controller tells a processor to do with data; it may do nothing else. Every permit is one in writing, and a narrowing of it is an instruction that acts at once.",
    ),
];
