//! Whose registration is this: the decision from who holds each identifier that was passed.
//!
//! P is the organisation's primary identifier, S any other one; A, B, C are customers.
//!
//! | P passed | holder of P | holder of S | skip | strict | outcome |
//! | --- | --- | --- | --- | --- | --- |
//! | yes | none | none | – | – | a new customer |
//! | yes | A | none or A | – | – | A |
//! | yes | A | B | on | any | A; S is ignored (91007) |
//! | yes | A | B | off | on | refused (1047) |
//! | yes | A | B | off | off | A; S is ignored (91007) |
//! | yes | none | B | on | any | a new customer; S is ignored (91007) |
//! | yes | none | B | off | on | refused (1047) |
//! | yes | none | B | off | off | B; any further S of C is ignored (91007) |
//! | no | – | B | – | – | B |
//! | no | – | B and C | – | – | refused (1016, 1032, 1033 by the second one's kind) |
//! | no | – | none | – | – | a new customer where any identifier may register, else refused (1006, 1039, 1043 by the primary one's kind) |
//!
//! skip is `CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH`, strict is
//! `CONF_PRIMARY_IDENTIFIER_STRICT_CHECK`; the former "overrides" the latter. Identifiers count in
//! the specification's order: mobile, email, external id.

use crate::codes::{self, Code, Failure, Warning};
use crate::customer::CustomerId;
use crate::identifier::{IdentifierKind, Identifiers};
use crate::settings::Settings;

/// Who holds the identifiers that were passed, one entry a kind that somebody holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders(Vec<(IdentifierKind, CustomerId)>);

impl Holders {
    /// Notes who holds the identifier of this kind.
    pub fn add(&mut self, kind: IdentifierKind, holder: CustomerId) {
        self.0.push((kind, holder));
        self.0.sort_unstable_by_key(|(kind, _)| *kind);
    }

    /// Who holds the identifier of this kind.
    #[must_use]
    pub fn of(&self, kind: IdentifierKind) -> Option<CustomerId> {
        self.0.iter().find(|(held, _)| *held == kind).map(|(_, holder)| *holder)
    }

    /// The kinds whose holder is somebody else.
    fn others(&self, than: Option<CustomerId>) -> Vec<IdentifierKind> {
        self.0.iter().filter(|(_, holder)| Some(*holder) != than).map(|(kind, _)| *kind).collect()
    }
}

/// Whose registration it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The customer who is known already; `None` is a new one.
    pub known: Option<CustomerId>,
    /// The kinds of identifier that belong to somebody else and are left to them.
    pub occupied: Vec<IdentifierKind>,
}

/// Decides whose registration this is.
///
/// # Errors
/// The refusals of the table above.
pub fn resolve(
    passed: &Identifiers,
    holders: &Holders,
    settings: &Settings,
) -> Result<Resolution, Failure> {
    let primary = settings.primary_key;
    if passed.key(primary).is_none() {
        return without_primary(holders, settings);
    }
    let holder = holders.of(primary);
    let elsewhere = holders.others(holder);
    if elsewhere.is_empty() || settings.skip_secondary {
        return Ok(Resolution { known: holder, occupied: elsewhere });
    }
    if settings.strict_check {
        return Err(codes::PRIMARY_MISMATCH.into());
    }
    let known = holder.or_else(|| elsewhere.first().and_then(|kind| holders.of(*kind)));
    Ok(Resolution { known, occupied: holders.others(known) })
}

fn without_primary(holders: &Holders, settings: &Settings) -> Result<Resolution, Failure> {
    let first = IdentifierKind::ALL.into_iter().find_map(|kind| holders.of(kind));
    if first.is_none() && !settings.any_identifier {
        return Err(required(settings.primary_key).into());
    }
    match holders.others(first).first() {
        Some(second) => Err(taken(*second).into()),
        None => Ok(Resolution { known: first, occupied: Vec::new() }),
    }
}

/// The refusal for want of an identifier.
const fn required(kind: IdentifierKind) -> &'static Code {
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
/// (91006); one that is occupied is ignored (91007).
pub fn update_identifiers(
    held: &mut Identifiers,
    passed: &Identifiers,
    occupied: &[IdentifierKind],
    settings: &Settings,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (kind, key) in passed.keys() {
        let name = kind.name();
        match held.key(kind) {
            _ if occupied.contains(&kind) => {
                warnings.push(Warning::about(codes::IDENTIFIER_OCCUPIED, name, ""));
            }
            Some(same) if same == key => {}
            Some(_) if kind == settings.primary_key => {
                warnings.push(Warning::about(codes::PRIMARY_KEPT, name, name));
            }
            Some(_) if !settings.allows_update(kind) => {
                warnings.push(Warning::about(codes::IDENTIFIER_KEPT, name, ""));
            }
            _ => held.take_over(kind, passed),
        }
    }
    warnings
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
                held.add(kind, CustomerId(i64::from(u32::from(holder))));
            }
        }
        (identifiers(passed, "x"), held)
    }

    /// The outcome in the letters of `case`: `new`, a customer, or a code; then what is occupied.
    fn outcome(primary: IdentifierKind, resolution: Result<Resolution, Failure>) -> String {
        match resolution {
            Err(failure) => failure.code.number.to_string(),
            Ok(Resolution { known, occupied }) => {
                let customer = known.and_then(|id| char::from_u32(u32::try_from(id.0).unwrap()));
                let who = customer.map_or("new".to_owned(), |letter| letter.to_string());
                let letters = kinds(primary).into_iter().zip(['P', 'S', 'T']);
                let ignored: String =
                    letters.filter(|(kind, _)| occupied.contains(kind)).map(|row| row.1).collect();
                format!("{who} {ignored}").trim().to_owned()
            }
        }
    }

    #[rstest]
    // holders: P, S, T        skip off: loose,   strict;     skip on
    #[case("---", ["new", "new", "new"])]
    #[case("-  ", ["new", "new", "new"])]
    #[case("A  ", ["A", "A", "A"])]
    #[case("A- ", ["A", "A", "A"])]
    #[case("AA ", ["A", "A", "A"])]
    #[case("AAA", ["A", "A", "A"])]
    #[case("AB ", ["A S", "1047", "A S"])]
    #[case("A B", ["A T", "1047", "A T"])]
    #[case("AAB", ["A T", "1047", "A T"])]
    #[case("ABB", ["A ST", "1047", "A ST"])]
    #[case("ABC", ["A ST", "1047", "A ST"])]
    #[case("-B ", ["B", "1047", "new S"])]
    #[case("- B", ["B", "1047", "new T"])]
    #[case("-BB", ["B", "1047", "new ST"])]
    #[case("-BC", ["B T", "1047", "new ST"])]
    #[case("-B-", ["B", "1047", "new S"])]
    #[case(" B ", ["B", "B", "B"])]
    #[case("  B", ["B", "B", "B"])]
    #[case(" BB", ["B", "B", "B"])]
    #[case(" B-", ["B", "B", "B"])]
    #[case(" - ", ["new", "new", "new"])]
    #[case(" --", ["new", "new", "new"])]
    fn decision_table(
        #[values(IdentifierKind::Mobile, IdentifierKind::Email, IdentifierKind::ExternalId)]
        primary: IdentifierKind,
        #[case] holders: &str,
        #[case] expected: [&str; 3],
    ) {
        let (passed, held) = case(primary, holders);
        for (skip, strict, expected) in [
            (false, false, expected[0]),
            (false, true, expected[1]),
            (true, false, expected[2]),
            (true, true, expected[2]),
        ] {
            let settings = Settings {
                primary_key: primary,
                skip_secondary: skip,
                strict_check: strict,
                ..Settings::default()
            };
            let found = outcome(primary, resolve(&passed, &held, &settings));
            assert_eq!(found, expected, "skip {skip}, strict {strict}");
        }
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
            let refused = resolve(&passed, &held, &settings).unwrap_err();
            assert_eq!(refused.code.number, expected, "{holders}");
        }
        let (passed, held) = case(primary, " B ");
        assert_eq!(outcome(primary, resolve(&passed, &held, &settings)), "B");
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
        let mut kept = held.map(|value| identifiers([kind], value)).unwrap_or_default();
        let warnings = update_identifiers(&mut kept, &passed, &[], &settings);
        assert_eq!(kept.key(kind), Some(expected));
        assert_eq!(warnings.first().map(|warning| warning.code.number), warning);

        let mut kept = Identifiers::default();
        let warnings = update_identifiers(&mut kept, &passed, &[kind], &settings);
        assert_eq!((kept.key(kind), warnings[0].code.number), (None, 91007));
    }
}
