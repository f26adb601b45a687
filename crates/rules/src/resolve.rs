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
//! | no | – | B and C | – | – | – | refused (1016, 1032, 1033 by the second one's kind) |
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

/// The line of the table that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nobody holds any of them.
    Nobody,
    /// All that are held are one customer's.
    OneHolder,
    /// Another customer's secondary identifier is ignored by the skip setting.
    Skip,
    /// Another customer's secondary identifier is refused by the strict check.
    Strict,
    /// Another customer's secondary identifier is left to them.
    LeftToHolder,
    /// Another customer is merged.
    Merge,
    /// The primary identifier is new, and the customer is found by a secondary one.
    FoundBySecondary,
    /// The primary identifier is missing and required.
    PrimaryRequired,
    /// The primary identifier is missing, and nobody may be new without it.
    PrimaryNeededForNew,
    /// The primary identifier is missing, and the others belong to different customers.
    Conflict,
    /// The customer is known, and that is refused.
    KnownRefused,
}

impl Rule {
    /// What the rule says.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Nobody => "nobody holds any of the identifiers: a new customer",
            Self::OneHolder => "all identifiers that are held belong to one customer: that one",
            Self::Skip => "a secondary identifier of another customer is ignored",
            Self::Strict => "a secondary identifier of another customer refuses the registration",
            Self::LeftToHolder => "a secondary identifier of another customer is left to them",
            Self::Merge => "customers whose identifiers come together are merged",
            Self::FoundBySecondary => {
                "the primary identifier is new, so the holder of a secondary one is the customer"
            }
            Self::PrimaryRequired => "every registration must come with the primary identifier",
            Self::PrimaryNeededForNew => "nobody is new without the primary identifier",
            Self::Conflict => {
                "without the primary identifier, identifiers of different customers cannot be told apart"
            }
            Self::KnownRefused => "a registration whose customer is known is refused",
        }
    }

    /// The setting that decided, where one did.
    #[must_use]
    pub const fn setting(self) -> Option<&'static str> {
        match self {
            Self::Nobody | Self::OneHolder | Self::Conflict => None,
            Self::Skip => Some("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH"),
            Self::Strict | Self::FoundBySecondary => Some("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK"),
            Self::LeftToHolder | Self::Merge => Some("MERGE_ON_CONFLICT"),
            Self::PrimaryRequired => Some("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED"),
            Self::PrimaryNeededForNew => Some("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS"),
            Self::KnownRefused => Some("KNOWN_CUSTOMER"),
        }
    }
}

/// Decides whose registration this is, and says by which rule.
///
/// # Errors
/// The refusals of the table above.
pub fn resolve(
    passed: &Identifiers,
    holders: &Holders,
    settings: &Settings,
) -> (Rule, Result<Identity, Failure>) {
    let (rule, identity) = if passed.key(settings.primary_key).is_some() {
        with_primary(holders, settings)
    } else {
        without_primary(holders, settings)
    };
    match identity {
        Ok(Identity { known: Some(_), .. }) if settings.known_customer == KnownCustomer::Refuse => {
            (Rule::KnownRefused, Err(codes::ALREADY_REGISTERED.into()))
        }
        identity => (rule, identity),
    }
}

fn with_primary(holders: &Holders, settings: &Settings) -> (Rule, Result<Identity, Failure>) {
    let holder = holders.of(settings.primary_key);
    let mut identity = Identity { known: holder, ..Identity::default() };
    let Some(first) = holders.others(holder).next().copied() else {
        let rule = if holder.is_some() { Rule::OneHolder } else { Rule::Nobody };
        return (rule, Ok(identity));
    };
    if settings.skip_secondary {
        identity.occupied = holders.kinds_of_others(holder);
        return (Rule::Skip, Ok(identity));
    }
    if settings.strict_check {
        return (Rule::Strict, Err(codes::PRIMARY_MISMATCH.into()));
    }
    let known = holder.or(Some(first.customer));
    identity.known = known;
    let rule = if holders.others(known).next().is_none() {
        Rule::FoundBySecondary
    } else if settings.merge {
        identity.merged = holders.customers_besides(known);
        Rule::Merge
    } else {
        identity.occupied = holders.kinds_of_others(known);
        Rule::LeftToHolder
    };
    (rule, Ok(identity))
}

fn without_primary(holders: &Holders, settings: &Settings) -> (Rule, Result<Identity, Failure>) {
    let required = || required(settings.primary_key).into();
    if settings.primary_key_required {
        return (Rule::PrimaryRequired, Err(required()));
    }
    let Some(first) = holders.all().first() else {
        return if settings.any_identifier {
            (Rule::Nobody, Ok(Identity::default()))
        } else {
            (Rule::PrimaryNeededForNew, Err(required()))
        };
    };
    if let Some(second) = holders.others(Some(first.customer)).next() {
        return (Rule::Conflict, Err(taken(second.kind).into()));
    }
    (Rule::OneHolder, Ok(Identity { known: Some(first.customer), ..Identity::default() }))
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
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (kind, key) in passed.keys() {
        let name = kind.name();
        let through_merge =
            holders.all().iter().any(|holder| holder.kind == kind && holder.through_merge);
        match held.key(kind) {
            _ if occupied.contains(&kind) => {
                warnings.push(Warning::about(codes::IDENTIFIER_OCCUPIED, name, ""));
            }
            Some(same) if same == key => {}
            _ if through_merge => warnings.push(codes::SURVIVOR_FOUND.into()),
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
                let customer = CustomerId(i64::from(u32::from(holder)));
                held.add(Holder { kind, customer, through_merge: false });
            }
        }
        (identifiers(passed, "x"), held)
    }

    /// The outcome in the letters of `case`: `new`, a customer, or a code; what is occupied; who is
    /// merged.
    fn outcome(
        primary: IdentifierKind,
        (_, identity): (Rule, Result<Identity, Failure>),
    ) -> String {
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
            let found = outcome(primary, resolve(&passed, &held, &settings));
            assert_eq!(found, expected, "merge {merge}, strict {strict}, skip {skip}");

            // Where a known customer refuses, whoever would have been found is the refusal.
            let refusing = Settings { known_customer: KnownCustomer::Refuse, ..settings };
            let refused = outcome(primary, resolve(&passed, &held, &refusing));
            let known = !expected.starts_with("new") && expected != "1047";
            assert_eq!(refused, if known { "1014" } else { expected });
        }
    }

    #[rstest]
    #[case("---", Rule::Nobody)]
    #[case("A- ", Rule::OneHolder)]
    #[case("AB ", Rule::LeftToHolder)]
    #[case("-B ", Rule::FoundBySecondary)]
    #[case(" BC", Rule::Conflict)]
    #[case(" --", Rule::Nobody)]
    fn the_rule_that_decided_is_told(#[case] holders: &str, #[case] rule: Rule) {
        let (passed, held) = case(IdentifierKind::Mobile, holders);
        assert_eq!(resolve(&passed, &held, &Settings::default()).0, rule);
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
            let refused = resolve(&passed, &held, &settings).1.unwrap_err();
            assert_eq!(refused.code.number, expected, "{holders}");
        }
        let (passed, held) = case(primary, " B ");
        assert_eq!(outcome(primary, resolve(&passed, &held, &settings)), "B");
        let strictly = Settings { primary_key_required: true, ..settings };
        let refused = resolve(&passed, &held, &strictly).1.unwrap_err();
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
        let mut kept = held.map(|value| identifiers([kind], value)).unwrap_or_default();
        let warnings = update_identifiers(&mut kept, &passed, &[], &Holders::default(), &settings);
        assert_eq!(kept.key(kind), Some(expected));
        assert_eq!(warnings.first().map(|warning| warning.code.number), warning);

        let mut kept = Identifiers::default();
        let warnings =
            update_identifiers(&mut kept, &passed, &[kind], &Holders::default(), &settings);
        assert_eq!((kept.key(kind), warnings[0].code.number), (None, 91007));

        let mut kept = identifiers([kind], "old");
        let mut held = Holders::default();
        held.add(Holder { kind, customer: CustomerId(1), through_merge: true });
        let warnings = update_identifiers(&mut kept, &passed, &[], &held, &settings);
        assert_eq!((kept.key(kind), warnings[0].code.number), (Some("old"), 91009));
    }
}
