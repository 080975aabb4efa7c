//! What rounds of due diligence and papers are called.

use crate::domain::assessment::{AssessmentKind, Verdict};
use crate::domain::evidence::{Evidence, EvidenceType};
use crate::domain::time::Date;

use super::{Badge, DUE_DAYS, Tone};

/// What a round looks into.
pub const fn assessment_kind(kind: AssessmentKind) -> &'static str {
    match kind {
        AssessmentKind::Security => "Security",
        AssessmentKind::Privacy => "Privacy",
        AssessmentKind::Legal => "Legal",
    }
}

/// What was decided.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "Approved",
        Verdict::ApprovedWithConditions => "Approved with conditions",
        Verdict::Rejected => "Rejected",
    }
}

/// What a kind of paper is called.
pub const fn evidence_type(kind: EvidenceType) -> &'static str {
    match kind {
        EvidenceType::Soc2 => "SOC 2 report",
        EvidenceType::Iso27001 => "ISO/IEC 27001 certificate",
        EvidenceType::PenetrationTest => "Penetration test",
        EvidenceType::Insurance => "Insurance",
        EvidenceType::Policy => "Policy",
        EvidenceType::Other => "Other",
    }
}

/// Where a paper stands on a day. One that ran out says so whether it was accepted or not.
pub fn paper(paper: &Evidence, today: Date) -> Badge {
    if !paper.holds_on(today) {
        Badge::new(Tone::Stopped, "Ran out")
    } else if paper.accepted_by.is_none() {
        Badge::new(Tone::SecondPerson, "Waits for acceptance")
    } else if !paper.holds_on(today.plus_days(DUE_DAYS)) {
        Badge::new(Tone::Due, "Runs out soon")
    } else {
        Badge::new(Tone::InForce, "Accepted")
    }
}

/// Points of a score, with one decimal where it has one.
pub fn points(points: f64) -> String {
    let text = format!("{:.1}", points.max(0.0));
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A change of points, with its sign; a change too small to be shown is none.
pub fn change(points: f64) -> String {
    let tenths = (points * 10.0).round() / 10.0;
    if tenths > 0.0 {
        format!("+{}", self::points(tenths))
    } else if tenths < 0.0 {
        format!("\u{2212}{}", self::points(-tenths))
    } else {
        "0".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_short_and_signed() {
        for (value, expected) in [(100.0, "100"), (72.449, "72.4"), (0.0, "0"), (-0.01, "0")] {
            assert_eq!(points(value), expected);
        }
        for (value, expected) in [(3.25, "+3.3"), (-3.0, "\u{2212}3"), (0.04, "0"), (-0.04, "0")] {
            assert_eq!(change(value), expected);
        }
    }
}
