//! What the loss of a system means for care: from what a server does to the departments that feel it.

use std::collections::BTreeSet;

use crate::facilities::CareRole;
use crate::reports::fields::Field;

/// Returns the choices of field 16 that the loss of these roles suggests, in the field's order.
///
/// Classes are those of the ministry's paper on business continuity: I reading, II entering, III reaching each other,
/// IV devices. A server's role alone never tells class IV.
pub(super) fn suggested(roles: &BTreeSet<CareRole>) -> Vec<String> {
    let codes: BTreeSet<&str> = roles
        .iter()
        .flat_map(|role| of_role(*role))
        .copied()
        .collect();
    let choices = Field::CareImpact.choices().iter();
    choices
        .filter(|code| codes.contains(*code))
        .map(|&code| code.to_owned())
        .collect()
}

const fn of_role(role: CareRole) -> &'static [&'static str] {
    match role {
        CareRole::Ehr => &["outpatient", "emergency", "inpatient", "class-1", "class-2"],
        CareRole::Orders => {
            &["outpatient", "inpatient", "prescription", "laboratory", "imaging", "class-2"]
        }
        CareRole::Pacs => &["imaging", "class-1"],
        CareRole::Lab => &["laboratory", "class-1"],
        CareRole::Accounting => &["accounting", "class-2"],
        CareRole::NurseCall => &["inpatient", "class-3"],
        // Whoever cannot sign in can neither read nor enter anything.
        CareRole::Directory => &["outpatient", "inpatient", "class-1", "class-2"],
        CareRole::FileShare => &["class-1"],
        // Care goes on without them; recovery may not.
        CareRole::Backup | CareRole::Other => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suggestion_is_a_choice_of_the_field() {
        for role in CareRole::ALL {
            let codes = of_role(role);
            assert!(
                codes
                    .iter()
                    .all(|code| Field::CareImpact.choices().contains(code)),
                "{role}"
            );
        }
    }

    #[test]
    fn suggestions_are_joined_in_the_order_of_the_form() {
        let roles = BTreeSet::from([CareRole::Pacs, CareRole::NurseCall, CareRole::Backup]);
        assert_eq!(suggested(&roles), ["inpatient", "imaging", "class-1", "class-3"]);
        assert!(suggested(&BTreeSet::from([CareRole::Backup])).is_empty());
    }
}
