//! Whose registration is this: the decision from who holds each identifier that was passed.
//!
//! P is the organisation's primary identifier, S any other one; A, B, C are customers.
//!
//! | P passed | holder of P | holder of S | skip | strict | merge | outcome |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | yes | none | none | – | – | – | a new customer |
//! | yes | A | none or A | – | – | – | A |
//! | yes | A | B | on | any | – | A; S is ignored (91007) |
//! | yes | A | B | off | on | – | refused (1047) |
//! | yes | A | B | off | off | off | A; S is ignored (91007) |
//! | yes | A | B | off | off | on | B is merged into A |
//! | yes | none | B | on | any | – | a new customer; S is ignored (91007) |
//! | yes | none | B | off | on | – | refused (1047) |
//! | yes | none | B | off | off | off | B; any further S of C is ignored (91007) |
//! | yes | none | B | off | off | on | B; C, the holder of a further S, is merged into B |
//! | no | – | B | – | – | – | B |
//! | no | – | B and C | – | – | off | refused (1016, 1032, 1033 by the second one's kind) |
//! | no | – | B and C | – | – | on | B; C is merged into B |
//! | no | – | none | – | – | – | a new customer where any identifier may register, else refused (1006, 1039, 1043 by the primary one's kind) |
//!
//! skip is `CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH`, strict is
//! `CONF_PRIMARY_IDENTIFIER_STRICT_CHECK`, merge is `MERGE_ON_CONFLICT`; the first "overrides" the
//! second. Identifiers count in the specification's order: mobile, email, external id.
//!
//! Before the table: without the primary identifier a registration is refused where
//! `CONF_REGISTRATION_PRIMARY_KEY_REQUIRED` is on. After it: a known customer refuses it (1014)
//! where `KNOWN_CUSTOMER` is REFUSE.

use crate::codes::{self, Code, Failure, Warning};
use crate::customer::CustomerId;
use crate::identifier::{IdentifierKind, Identifiers};
use crate::settings::{KnownCustomer, Settings};
use crate::submission::Member;
use crate::trace::{Step, Trace};

/// Who holds the identifiers that were passed, one entry a kind that somebody holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders(Vec<Holder>);

/// Who holds an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The identifier's kind.
    pub kind: IdentifierKind,
    /// The customer; a survivor where the identifier belonged to somebody merged into them.
    pub customer: CustomerId,
    /// Whether it leads to the customer through a merge.
    pub through_merge: bool,
}

impl Holders {
    /// Notes who holds an identifier.
    pub fn add(&mut self, holder: Holder) {
        self.0.push(holder);
        self.0.sort_unstable_by_key(|holder| holder.kind);
    }

    /// Every holder, in the order of the kinds.
    #[must_use]
    pub fn all(&self) -> &[Holder] {
        &self.0
    }

    /// Who holds the identifier of this kind.
    #[must_use]
    pub fn of(&self, kind: IdentifierKind) -> Option<CustomerId> {
        self.0.iter().find(|holder| holder.kind == kind).map(|holder| holder.customer)
    }

    /// Those that are somebody else's.
    fn others(&self, than: Option<CustomerId>) -> impl Iterator<Item = &Holder> {
        self.0.iter().filter(move |holder| Some(holder.customer) != than)
    }

    /// The kinds of identifier that this customer holds.
    pub fn kinds_of(&self, customer: CustomerId) -> impl Iterator<Item = IdentifierKind> {
        let theirs = self.0.iter().filter(move |holder| holder.customer == customer);
        theirs.map(|holder| holder.kind)
    }

    fn kinds_of_others(&self, than: Option<CustomerId>) -> Vec<IdentifierKind> {
        self.others(than).map(|holder| holder.kind).collect()
    }

    fn customers_besides(&self, than: Option<CustomerId>) -> Vec<CustomerId> {
        let mut customers: Vec<CustomerId> =
            self.others(than).map(|holder| holder.customer).collect();
        customers.dedup();
        customers
    }
}

/// Whose registration it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The customer who is known already; `None` is a new one.
    pub known: Option<CustomerId>,
    /// The kinds of identifier that belong to somebody else and are left to them.
    pub occupied: Vec<IdentifierKind>,
    /// The customers who are merged into the known one.
    pub merged: Vec<CustomerId>,
}

/// Decides whose registration this is.
///
/// # Errors
/// The refusals of the table above.
pub fn resolve(
    passed: &Identifiers,
    holders: &Holders,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<Identity, Failure> {
    let is_passed = passed.key(settings.primary_key).is_some();
    let identity = if trace.flag(is_passed, Step::PrimaryPassed, Step::PrimaryNotPassed) {
        with_primary(holders, settings, trace)?
    } else {
        without_primary(holders, settings, trace)?
    };
    let refuses = settings.known_customer == KnownCustomer::Refuse;
    if identity.known.is_some() && trace.flag(refuses, Step::KnownRefused, Step::KnownUpdated) {
        return Err(codes::ALREADY_REGISTERED.into());
    }
    Ok(identity)
}

fn with_primary(
    holders: &Holders,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<Identity, Failure> {
    let holder = holders.of(settings.primary_key);
    let mut identity = Identity { known: holder, ..Identity::default() };
    let Some(first) = holders.others(holder).next().copied() else {
        trace.flag(holder.is_some(), Step::OneHolder, Step::Nobody);
        return Ok(identity);
    };
    if trace.flag(settings.skip_secondary, Step::Skipped, Step::NotSkipped) {
        identity.occupied = holders.kinds_of_others(holder);
        return Ok(identity);
    }
    if trace.flag(settings.strict_check, Step::Strict, Step::NotStrict) {
        return Err(Failure::from(codes::PRIMARY_MISMATCH).at(Member::Identifier(first.kind)));
    }
    if holder.is_none() {
        trace.add(Step::FoundBySecondary);
    }
    let known = holder.or(Some(first.customer));
    identity.known = known;
    if holders.others(known).next().is_none() {
        return Ok(identity);
    }
    if trace.flag(settings.merge, Step::Merged, Step::LeftToHolder) {
        identity.merged = holders.customers_besides(known);
    } else {
        identity.occupied = holders.kinds_of_others(known);
    }
    Ok(identity)
}

fn without_primary(
    holders: &Holders,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<Identity, Failure> {
    let primary = settings.primary_key;
    let required = || Err(Failure::from(required(primary)).at(Member::Identifier(primary)));
    if trace.flag(settings.primary_key_required, Step::PrimaryRequired, Step::PrimaryNotRequired) {
        return required();
    }
    let Some(first) = holders.all().first() else {
        trace.add(Step::Nobody);
        let any = trace.flag(settings.any_identifier, Step::AnyIdentifier, Step::PrimaryNeeded);
        return if any { Ok(Identity::default()) } else { required() };
    };
    let known = Some(first.customer);
    let Some(second) = holders.others(known).next() else {
        trace.add(Step::OneHolder);
        return Ok(Identity { known, ..Identity::default() });
    };
    if trace.flag(settings.merge, Step::Merged, Step::Conflict) {
        let merged = holders.customers_besides(known);
        return Ok(Identity { known, merged, ..Identity::default() });
    }
    Err(Failure::from(taken(second.kind)).at(Member::Identifier(second.kind)))
}

/// The refusal for want of an identifier.
#[must_use]
pub const fn required(kind: IdentifierKind) -> &'static Code {
    match kind {
        IdentifierKind::Mobile => codes::MOBILE_REQUIRED,
        IdentifierKind::Email => codes::EMAIL_REQUIRED,
        IdentifierKind::ExternalId => codes::EXTERNAL_ID_REQUIRED,
    }
}

/// The refusal for an identifier that another customer holds.
const fn taken(kind: IdentifierKind) -> &'static Code {
    match kind {
        IdentifierKind::Mobile => codes::MOBILE_TAKEN,
        IdentifierKind::Email => codes::EMAIL_TAKEN,
        IdentifierKind::ExternalId => codes::EXTERNAL_ID_TAKEN,
    }
}

/// Brings the identifiers that were passed to a known customer: one that they have not is filled
/// in; the primary one is never changed (91005); another one only where its setting allows
/// (91006); one that is occupied is ignored (91007); one that a merge brought leads to them as it
/// is (91009).
pub fn update_identifiers(
    held: &mut Identifiers,
    passed: &Identifiers,
    occupied: &[IdentifierKind],
    holders: &Holders,
    settings: &Settings,
    trace: &mut Trace,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (kind, key) in passed.keys() {
        let through_merge =
            holders.all().iter().any(|holder| holder.kind == kind && holder.through_merge);
        let ignored_by = match held.key(kind) {
            _ if occupied.contains(&kind) => Some(codes::IDENTIFIER_OCCUPIED),
            Some(same) if same == key => continue,
            _ if through_merge => Some(codes::SURVIVOR_FOUND),
            None => None,
            Some(_) => kept(kind, settings, trace),
        };
        match ignored_by {
            Some(code) => warnings.push(Warning::from(code).at(Member::Identifier(kind))),
            None => held.take_over(kind, passed),
        }
    }
    warnings
}

/// Why a registered identifier of this kind is not replaced, where it is not.
fn kept(kind: IdentifierKind, settings: &Settings, trace: &mut Trace) -> Option<&'static Code> {
    if kind == settings.primary_key {
        trace.add(Step::PrimaryKept);
        return Some(codes::PRIMARY_KEPT);
    }
    let allowed = settings.allows_update(kind);
    let replaced = trace.flag(allowed, Step::Replaced(kind), Step::NotReplaced(kind));
    (!replaced).then_some(codes::IDENTIFIER_KEPT)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::identifier::{Email, ExternalId, Mobile};

    /// Identifiers from their kinds' first letters: `p` primary, `s` and `t` the two others in
    /// order, each with its value's number.
    fn kinds(primary: IdentifierKind) -> [IdentifierKind; 3] {
        let mut kinds = IdentifierKind::ALL.to_vec();
        kinds.retain(|kind| *kind != primary);
        kinds.insert(0, primary);
        kinds.try_into().unwrap()
    }

    fn identifiers(kinds: impl IntoIterator<Item = IdentifierKind>, value: &str) -> Identifiers {
        let mut all = Identifiers::default();
        for kind in kinds {
            match kind {
                IdentifierKind::Mobile => all.mobile = Some(Mobile::stored(value.into(), None)),
                IdentifierKind::Email => all.email = Some(Email::stored(value.into())),
                IdentifierKind::ExternalId => {
                    all.external_id = Some(ExternalId::stored(value.into()));
                }
            }
        }
        all
    }

    /// Who holds P, S and T: a letter a customer, `-` nobody, a blank where it is not passed.
    fn case(primary: IdentifierKind, holders: &str) -> (Identifiers, Holders) {
        let mut passed = Vec::new();
        let mut held = Holders::default();
        for (kind, holder) in kinds(primary).into_iter().zip(holders.chars()) {
            if holder != ' ' {
                passed.push(kind);
            }
            if holder.is_alphabetic() {
                let customer = CustomerId(i64::from(u32::from(holder)));
                held.add(Holder { kind, customer, through_merge: false });
            }
        }
        (identifiers(passed, "x"), held)
    }

    /// The outcome in the letters of `case`: `new`, a customer, or a code; what is occupied; who is
    /// merged.
    fn outcome(primary: IdentifierKind, identity: Result<Identity, Failure>) -> String {
        let letter = |id: &CustomerId| char::from_u32(u32::try_from(id.0).unwrap()).unwrap();
        match identity {
            Err(failure) => failure.code.number.to_string(),
            Ok(Identity { known, occupied, merged }) => {
                let who = known.map_or("new".to_owned(), |id| letter(&id).to_string());
                let letters = kinds(primary).into_iter().zip(['P', 'S', 'T']);
                let ignored: String =
                    letters.filter(|(kind, _)| occupied.contains(kind)).map(|row| row.1).collect();
                let merged: String = merged.iter().map(letter).collect();
                let merged = if merged.is_empty() { merged } else { format!("+{merged}") };
                format!("{who}{merged} {ignored}").trim().to_owned()
            }
        }
    }

    fn decided(
        passed: &Identifiers,
        held: &Holders,
        settings: &Settings,
    ) -> Result<Identity, Failure> {
        resolve(passed, held, settings, &mut Trace::default())
    }

    #[rstest]
    // holders: P, S, T   loose,   merge,   strict,  skip
    #[case("---", ["new", "new", "new", "new"])]
    #[case("-  ", ["new", "new", "new", "new"])]
    #[case("A  ", ["A", "A", "A", "A"])]
    #[case("A- ", ["A", "A", "A", "A"])]
    #[case("AA ", ["A", "A", "A", "A"])]
    #[case("AAA", ["A", "A", "A", "A"])]
    #[case("AB ", ["A S", "A+B", "1047", "A S"])]
    #[case("A B", ["A T", "A+B", "1047", "A T"])]
    #[case("AAB", ["A T", "A+B", "1047", "A T"])]
    #[case("ABA", ["A S", "A+B", "1047", "A S"])]
    #[case("ABB", ["A ST", "A+B", "1047", "A ST"])]
    #[case("ABC", ["A ST", "A+BC", "1047", "A ST"])]
    #[case("-B ", ["B", "B", "1047", "new S"])]
    #[case("- B", ["B", "B", "1047", "new T"])]
    #[case("-BB", ["B", "B", "1047", "new ST"])]
    #[case("-BC", ["B T", "B+C", "1047", "new ST"])]
    #[case("-B-", ["B", "B", "1047", "new S"])]
    #[case(" B ", ["B", "B", "B", "B"])]
    #[case("  B", ["B", "B", "B", "B"])]
    #[case(" BB", ["B", "B", "B", "B"])]
    #[case(" B-", ["B", "B", "B", "B"])]
    #[case(" - ", ["new", "new", "new", "new"])]
    #[case(" --", ["new", "new", "new", "new"])]
    fn decision_table(
        #[values(IdentifierKind::Mobile, IdentifierKind::Email, IdentifierKind::ExternalId)]
        primary: IdentifierKind,
        #[case] holders: &str,
        #[case] expected: [&str; 4],
    ) {
        let (passed, held) = case(primary, holders);
        for (merge, strict, skip, expected) in [
            (false, false, false, expected[0]),
            (true, false, false, expected[1]),
            (false, true, false, expected[2]),
            (false, false, true, expected[3]),
            // Skipping outranks the strict check.
            (false, true, true, expected[3]),
        ] {
            let settings = Settings {
                primary_key: primary,
                merge,
                skip_secondary: skip,
                strict_check: strict,
                ..Settings::default()
            };
            let found = outcome(primary, decided(&passed, &held, &settings));
            assert_eq!(found, expected, "merge {merge}, strict {strict}, skip {skip}");

            // Where a known customer refuses, whoever would have been found is the refusal.
            let refusing = Settings { known_customer: KnownCustomer::Refuse, ..settings };
            let refused = outcome(primary, decided(&passed, &held, &refusing));
            let known = !expected.starts_with("new") && expected != "1047";
            assert_eq!(refused, if known { "1014" } else { expected });
        }
    }

    /// Every setting that was asked is told, with what it said.
    #[rstest]
    #[case("---", &[], &[Step::PrimaryPassed, Step::Nobody])]
    #[case("A- ", &[], &[Step::PrimaryPassed, Step::OneHolder, Step::KnownUpdated])]
    #[case("AB ", &[], &[Step::PrimaryPassed, Step::NotSkipped, Step::NotStrict, Step::LeftToHolder, Step::KnownUpdated])]
    #[case("AB ", &[("MERGE_ON_CONFLICT", "1")], &[Step::PrimaryPassed, Step::NotSkipped, Step::NotStrict, Step::Merged, Step::KnownUpdated])]
    #[case("AB ", &[("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1")], &[Step::PrimaryPassed, Step::NotSkipped, Step::Strict])]
    #[case("AB ", &[("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")], &[Step::PrimaryPassed, Step::Skipped, Step::KnownUpdated])]
    #[case("-B ", &[], &[Step::PrimaryPassed, Step::NotSkipped, Step::NotStrict, Step::FoundBySecondary, Step::KnownUpdated])]
    #[case("-BC", &[], &[Step::PrimaryPassed, Step::NotSkipped, Step::NotStrict, Step::FoundBySecondary, Step::LeftToHolder, Step::KnownUpdated])]
    #[case("A  ", &[("KNOWN_CUSTOMER", "REFUSE")], &[Step::PrimaryPassed, Step::OneHolder, Step::KnownRefused])]
    #[case(" B ", &[], &[Step::PrimaryNotPassed, Step::PrimaryNotRequired, Step::OneHolder, Step::KnownUpdated])]
    #[case(" BC", &[], &[Step::PrimaryNotPassed, Step::PrimaryNotRequired, Step::Conflict])]
    #[case(" BC", &[("MERGE_ON_CONFLICT", "1")], &[Step::PrimaryNotPassed, Step::PrimaryNotRequired, Step::Merged, Step::KnownUpdated])]
    #[case(" --", &[], &[Step::PrimaryNotPassed, Step::PrimaryNotRequired, Step::Nobody, Step::AnyIdentifier])]
    #[case(" --", &[("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0")], &[Step::PrimaryNotPassed, Step::PrimaryNotRequired, Step::Nobody, Step::PrimaryNeeded])]
    #[case(" B ", &[("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0"), ("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED", "1")], &[Step::PrimaryNotPassed, Step::PrimaryRequired])]
    fn what_decided_is_told(
        #[case] holders: &str,
        #[case] changes: &[(&str, &str)],
        #[case] expected: &[Step],
    ) {
        let (passed, held) = case(IdentifierKind::Mobile, holders);
        let settings = Settings::default().with(changes.iter().copied()).unwrap();
        let mut trace = Trace::default();
        drop(resolve(&passed, &held, &settings, &mut trace));
        assert_eq!(trace.steps(), expected);
    }

    #[rstest]
    #[case("AB ", Some(1))]
    #[case("A B", Some(2))]
    #[case("-BC", Some(1))]
    fn the_strict_check_points_at_the_first_that_is_anothers(
        #[case] holders: &str,
        #[case] place: Option<usize>,
    ) {
        let (passed, held) = case(IdentifierKind::ExternalId, holders);
        let settings = Settings {
            primary_key: IdentifierKind::ExternalId,
            strict_check: true,
            ..Settings::default()
        };
        let refused = decided(&passed, &held, &settings).unwrap_err();
        let kinds = kinds(IdentifierKind::ExternalId);
        assert_eq!(refused.member, place.map(|place| Member::Identifier(kinds[place])));
    }

    #[rstest]
    #[case(IdentifierKind::Mobile, 1033, 1006)]
    #[case(IdentifierKind::Email, 1033, 1039)]
    #[case(IdentifierKind::ExternalId, 1016, 1043)]
    fn without_the_primary_one(
        #[case] primary: IdentifierKind,
        #[case] differing: u32,
        #[case] required: u32,
    ) {
        let settings =
            Settings { primary_key: primary, any_identifier: false, ..Settings::default() };
        for (holders, expected) in [(" BC", differing), (" --", required), (" - ", required)] {
            let (passed, held) = case(primary, holders);
            let refused = decided(&passed, &held, &settings).unwrap_err();
            assert_eq!(refused.code.number, expected, "{holders}");
            let merging = Settings { merge: true, ..settings.clone() };
            let merged = outcome(primary, decided(&passed, &held, &merging));
            let is_conflict = expected == differing;
            assert_eq!(merged, if is_conflict { "B+C".to_owned() } else { required.to_string() });
        }
        let (passed, held) = case(primary, " B ");
        assert_eq!(outcome(primary, decided(&passed, &held, &settings)), "B");
        let strictly = Settings { primary_key_required: true, ..settings };
        let refused = decided(&passed, &held, &strictly).unwrap_err();
        assert_eq!(refused.code.number, required);
    }

    #[rstest]
    // kind is:      primary, allowed   held   passed   kept or taken   warning
    #[case(false, false, None, "new", None)]
    #[case(true, false, None, "new", None)]
    #[case(false, false, Some("new"), "new", None)]
    #[case(true, true, Some("old"), "old", Some(91005))]
    #[case(false, false, Some("old"), "old", Some(91006))]
    #[case(false, true, Some("old"), "new", None)]
    fn identifiers_of_a_known_customer(
        #[values(IdentifierKind::Mobile, IdentifierKind::Email, IdentifierKind::ExternalId)]
        kind: IdentifierKind,
        #[case] is_primary: bool,
        #[case] allowed: bool,
        #[case] held: Option<&str>,
        #[case] expected: &str,
        #[case] warning: Option<u32>,
    ) {
        let other = kinds(kind)[1];
        let settings = Settings {
            primary_key: if is_primary { kind } else { other },
            allow_mobile_update: allowed,
            allow_email_update: allowed,
            allow_external_id_update: allowed,
            ..Settings::default()
        };
        let passed = identifiers([kind], "new");
        let update = |kept: &mut Identifiers, occupied: &[IdentifierKind], holders: &Holders| {
            let mut trace = Trace::default();
            let warnings =
                update_identifiers(kept, &passed, occupied, holders, &settings, &mut trace);
            let told: Vec<_> = warnings
                .into_iter()
                .map(|warning| {
                    assert_eq!(warning.member, Some(Member::Identifier(kind)));
                    warning.code.number
                })
                .collect();
            (told, trace.steps().to_vec())
        };
        let mut kept = held.map(|value| identifiers([kind], value)).unwrap_or_default();
        let (warnings, steps) = update(&mut kept, &[], &Holders::default());
        assert_eq!(kept.key(kind), Some(expected));
        assert_eq!(warnings, Vec::from_iter(warning));
        let step = match (held, is_primary, allowed) {
            (Some("old"), true, _) => vec![Step::PrimaryKept],
            (Some("old"), false, true) => vec![Step::Replaced(kind)],
            (Some("old"), false, false) => vec![Step::NotReplaced(kind)],
            _ => vec![],
        };
        assert_eq!(steps, step);

        let mut kept = Identifiers::default();
        assert_eq!(update(&mut kept, &[kind], &Holders::default()), (vec![91007], vec![]));
        assert_eq!(kept.key(kind), None);

        let mut kept = identifiers([kind], "old");
        let mut held = Holders::default();
        held.add(Holder { kind, customer: CustomerId(1), through_merge: true });
        assert_eq!(update(&mut kept, &[], &held), (vec![91009], vec![]));
        assert_eq!(kept.key(kind), Some("old"));
    }
}
