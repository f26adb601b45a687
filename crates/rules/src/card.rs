//! Cards. "`card_details.card_number` issues that card, `card_details.series_code` generates one
//! from the series."
//!
//! No document says what becomes of a card that cannot be issued. Here the registration goes on
//! without it, and a warning says why: 91007 where somebody else has the card, 91003 otherwise.
//!
//! | Passed | Who has it | Outcome |
//! | --- | --- | --- |
//! | number | the customer | nothing changes |
//! | number | somebody else | it stays theirs (91007) |
//! | number | nobody | it is issued |
//! | series | the customer has a card of it | nothing changes |
//! | series | the customer has none of it | one is made and issued |
//! | both | – | as a number, which has to be of the series |
//!
//! A customer has at most as many cards as `CONF_MAX_CARDS_PER_ORG` says, a series as many as its
//! own limit.

use crate::codes::{self, Warning};
use crate::customer::CustomerId;
use crate::number;
use crate::organisation::Organisation;
use crate::profile::short;
use crate::submission::{Member, Submission};
use crate::text;

/// The longest name of a series, in characters.
const SERIES_LIMIT: usize = 50;

/// What is called for: a card of this number, one of this series, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardRequest {
    /// The number of the card.
    pub number: Option<String>,
    /// The name of the series.
    pub series: Option<String>,
}

impl CardRequest {
    /// Reads what was sent. A number of more than 50 characters or with control characters calls for
    /// no card, and neither does such a series (91003).
    pub fn read(sent: &Submission, warnings: &mut Vec<Warning>) -> Option<Self> {
        let mut read = |text: &Option<String>, most, name, member| {
            let Some(text) = text else { return Some(None) };
            let valid = short(&text::canonical(text), most).map(str::to_owned);
            if valid.is_none() {
                warnings.push(Warning::about(codes::VALIDATION_FAILED, name, "").at(member));
            }
            valid.map(Some)
        };
        let number =
            read(&sent.card_number, number::LENGTH_LIMIT, "card number", Member::CardNumber);
        let series = read(&sent.card_series, SERIES_LIMIT, "card series", Member::CardSeries);
        let (number, series) = (number?, series?);
        (number.is_some() || series.is_some()).then_some(Self { number, series })
    }
}

/// The number of a card to look a customer up by; `None` if no card can have it.
#[must_use]
pub fn look_up(sent: &str) -> Option<String> {
    let number = short(&text::canonical(sent), number::LENGTH_LIMIT)?.to_owned();
    (!number.is_empty()).then_some(number)
}

/// A card that a customer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The number, which is one card's within the organisation.
    pub number: String,
    /// The series that it comes from, where it does.
    pub series: Option<String>,
    /// Whose it is; the survivor's, where the customer was merged.
    pub customer: CustomerId,
}

/// What the store knows that bears on the card that is called for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardFacts {
    /// The cards of whoever holds an identifier that was passed.
    pub held: Vec<Card>,
    /// Who has the card of the number that was passed.
    pub holder: Option<CustomerId>,
}

/// Issues the card that is called for; `None` where the customer has it already.
///
/// `candidate` is a number that the store has set aside: the one passed, or one that is made; `None`
/// where the series has no further one.
///
/// # Errors
/// Why there is no card.
pub fn issue(
    asked: &CardRequest,
    candidate: Option<&str>,
    customers: &[CustomerId],
    facts: &CardFacts,
    organisation: &Organisation,
) -> Result<Option<Card>, Warning> {
    let CardRequest { number, series } = asked;
    match facts.holder {
        Some(holder) if customers.contains(&holder) => return Ok(None),
        Some(_) => {
            let warning = Warning::about(codes::IDENTIFIER_OCCUPIED, "card number", "");
            return Err(warning.at(Member::CardNumber));
        }
        None => {}
    }
    let held = facts.held.iter().filter(|card| customers.contains(&card.customer));
    if number.is_none() && held.clone().any(|card| card.series == *series) {
        return Ok(None);
    }
    let member = if number.is_some() { Member::CardNumber } else { Member::CardSeries };
    let refused = |what| Err(Warning::about(codes::VALIDATION_FAILED, what, "").at(member.clone()));
    if held.count() >= organisation.settings.card_limit {
        return refused("cards, of which the customer has as many as allowed");
    }
    if let Some(name) = series {
        let Some(known) = organisation.card_series.named(name) else {
            return refused("card series, which is not known");
        };
        if number.as_ref().is_some_and(|number| !known.number.fits(number)) {
            return refused("card number, which is not of its series");
        }
    }
    match (candidate, customers.first()) {
        (Some(number), Some(customer)) => {
            let (number, series) = (number.to_owned(), series.clone());
            Ok(Some(Card { number, series, customer: *customer }))
        }
        _ => refused("card series, which has no further number"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::number::Form;
    use crate::organisation::{CardSeries, Collection};

    const ME: CustomerId = CustomerId(1);
    const MERGED: CustomerId = CustomerId(2);
    const OTHER: CustomerId = CustomerId(3);

    fn organisation() -> Organisation {
        let number = Form { prefix: "G".to_owned(), length: 4, ..Form::default() };
        let series = CardSeries { name: "GOLD".to_owned(), number, limit: None };
        let mut organisation = Organisation {
            card_series: Collection::of([series]).unwrap(),
            ..Organisation::default()
        };
        organisation.settings.card_limit = 2;
        organisation
    }

    fn card(number: &str, series: Option<&str>, customer: CustomerId) -> Card {
        Card { number: number.to_owned(), series: series.map(str::to_owned), customer }
    }

    /// The number that is issued, `-` where nothing changes, or the warning.
    fn issued(
        number: Option<&str>,
        series: Option<&str>,
        candidate: Option<&str>,
        facts: &CardFacts,
    ) -> String {
        let text = |text: &str| text.to_owned();
        let asked = CardRequest { number: number.map(text), series: series.map(text) };
        match issue(&asked, candidate, &[ME, MERGED], facts, &organisation()) {
            Ok(None) => "-".to_owned(),
            Ok(Some(card)) => {
                assert_eq!(card.customer, ME);
                assert_eq!(card.series, asked.series);
                card.number
            }
            Err(warning) => warning.to_string(),
        }
    }

    #[rstest]
    #[case::a_number(Some("4711"), None, Some("4711"), "4711")]
    #[case::a_number_of_a_series(Some("G007"), Some("GOLD"), Some("G007"), "G007")]
    #[case::a_made_one(None, Some("GOLD"), Some("G001"), "G001")]
    #[case::none_left(
        None,
        Some("GOLD"),
        None,
        "91003 Validation failed: card series, which has no further number."
    )]
    #[case::none_left_for_a_number(
        Some("G007"),
        Some("GOLD"),
        None,
        "91003 Validation failed: card series, which has no further number."
    )]
    #[case::another_form(
        Some("4711"),
        Some("GOLD"),
        Some("4711"),
        "91003 Validation failed: card number, which is not of its series."
    )]
    #[case::no_such_series(
        None,
        Some("TIN"),
        None,
        "91003 Validation failed: card series, which is not known."
    )]
    #[case::no_such_series_for_a_number(
        Some("4711"),
        Some("TIN"),
        None,
        "91003 Validation failed: card series, which is not known."
    )]
    fn a_card_is_issued_or_not(
        #[case] number: Option<&str>,
        #[case] series: Option<&str>,
        #[case] candidate: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(issued(number, series, candidate, &CardFacts::default()), expected);
        // What others hold does not matter.
        let held = vec![card("G008", Some("GOLD"), OTHER), card("1", None, OTHER)];
        let facts = CardFacts { held, holder: None };
        assert_eq!(issued(number, series, candidate, &facts), expected);
    }

    #[rstest]
    #[case::mine(ME, "-")]
    #[case::of_one_merged_into_me(MERGED, "-")]
    #[case::of_another(
        OTHER,
        "91007 card number is already occupied by another user. Ignoring it."
    )]
    fn a_card_that_somebody_has_stays_theirs(#[case] holder: CustomerId, #[case] expected: &str) {
        let held = vec![card("4711", None, holder)];
        let facts = CardFacts { held, holder: Some(holder) };
        assert_eq!(issued(Some("4711"), None, None, &facts), expected);
        // The series it is said to be of does not matter then.
        assert_eq!(issued(Some("4711"), Some("TIN"), None, &facts), expected);
    }

    #[test]
    fn one_card_is_made_of_a_series() {
        for holder in [ME, MERGED] {
            let held = vec![card("G001", Some("GOLD"), holder)];
            let facts = CardFacts { held, holder: None };
            assert_eq!(issued(None, Some("GOLD"), Some("G002"), &facts), "-");
            assert_eq!(issued(Some("4711"), None, Some("4711"), &facts), "4711");
        }
    }

    #[test]
    fn a_customer_has_a_limited_number_of_cards() {
        let mut facts = CardFacts::default();
        facts.held.push(card("1", None, ME));
        facts.held.push(card("2", None, OTHER));
        assert_eq!(issued(Some("4711"), None, Some("4711"), &facts), "4711");
        facts.held.push(card("3", None, MERGED));
        let refused =
            "91003 Validation failed: cards, of which the customer has as many as allowed.";
        assert_eq!(issued(Some("4711"), None, Some("4711"), &facts), refused);
        assert_eq!(issued(None, Some("GOLD"), Some("G001"), &facts), refused);
    }

    #[rstest]
    #[case(None, None, false, 0)]
    #[case(Some("4711"), None, true, 0)]
    #[case(None, Some("GOLD"), true, 0)]
    #[case(Some("a\u{7}"), None, false, 1)]
    #[case(Some("4711"), Some("a\u{7}"), false, 1)]
    #[case(Some("123456789012345678901234567890123456789012345678901"), Some("GOLD"), false, 1)]
    fn what_is_sent_calls_for_a_card_or_not(
        #[case] number: Option<&str>,
        #[case] series: Option<&str>,
        #[case] called_for: bool,
        #[case] warned: usize,
    ) {
        let sent = Submission {
            card_number: number.map(str::to_owned),
            card_series: series.map(str::to_owned),
            ..Submission::default()
        };
        let mut warnings = Vec::new();
        assert_eq!(CardRequest::read(&sent, &mut warnings).is_some(), called_for);
        assert_eq!(warnings.len(), warned);
    }
}
