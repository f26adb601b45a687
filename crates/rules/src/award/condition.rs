//! For whom a reward rule is.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::customer::Customer;
use crate::organisation::{Conditions, Occasion};
use crate::profile::{CustomerType, FieldValue, Source};

/// Somebody who enters a programme, as conditions look at them.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// What brings them.
    pub occasion: Occasion,
    /// What they are when they come.
    pub came_as: CustomerType,
    /// The source that they come from.
    pub source: &'a Source,
    /// The account within the source.
    pub account: Option<&'a str>,
    /// The name of the till at which they come.
    pub till: Option<&'a str>,
    /// The name of the store in which that till stands.
    pub store: Option<&'a str>,
    /// The day that counts, in the till's time zone: of the registration for one who is new, of the
    /// conversion for one who was known.
    pub day: Date,
    /// This day, in the time zone of the till that registered the customer.
    pub today: Date,
    /// The referral campaign by whose code somebody referred them.
    pub campaign: Option<&'a str>,
    /// The customer, with what was sent of them.
    pub customer: &'a Customer,
}

/// Whether all conditions hold.
pub(super) fn hold(conditions: &Conditions, arrival: &Arrival<'_>) -> bool {
    let Conditions {
        occasion,
        types,
        sources,
        accounts,
        tills,
        stores,
        from,
        to,
        custom_fields,
        extended_fields,
        referred,
        campaigns,
    } = conditions;
    occasion.is_none_or(|occasion| occasion == arrival.occasion)
        && (types.is_empty() || types.contains(&arrival.came_as))
        && one_of(sources, Some(arrival.source.name()))
        && one_of(accounts, arrival.account)
        && one_of(tills, arrival.till)
        && one_of(stores, arrival.store)
        && from.is_none_or(|first| first <= arrival.day)
        && to.is_none_or(|last| arrival.day <= last)
        && have(custom_fields, &arrival.customer.custom_fields)
        && have(extended_fields, &arrival.customer.extended_fields)
        && referred.is_none_or(|referred| referred == arrival.campaign.is_some())
        && one_of(campaigns, arrival.campaign)
}

/// Whether the value is one of those that are asked for; any is, and none, where none are.
fn one_of(asked: &[String], value: Option<&str>) -> bool {
    asked.is_empty() || value.is_some_and(|value| asked.iter().any(|one| one == value))
}

/// Whether each field that is asked for has one of the values.
fn have(asked: &BTreeMap<String, Vec<String>>, values: &[FieldValue]) -> bool {
    let has = |(name, allowed): (&String, &Vec<String>)| {
        values.iter().any(|field| field.name == *name && allowed.contains(&field.value))
    };
    asked.iter().all(has)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;
    use crate::award::tests::customer;

    /// Conditions as an operator writes them.
    fn conditions(json: &str) -> Conditions {
        serde_json::from_str(json).unwrap()
    }

    /// A new customer of WeChat, account `A`, at till `t1` of store `s1`, on 1 August 2024, who lives
    /// in Pune.
    fn holds(conditions: &Conditions, change: impl FnOnce(&mut Arrival<'_>)) -> bool {
        let field = |name: &str, value: &str| FieldValue { name: name.into(), value: value.into() };
        let mut customer = customer();
        customer.custom_fields = vec![field("city", "Pune"), field("size", "44")];
        customer.extended_fields = vec![field("gender", "Female")];
        let source = Source::stored("WECHAT".to_owned());
        let mut arrival = Arrival {
            occasion: Occasion::Registration,
            came_as: CustomerType::Loyalty,
            source: &source,
            account: Some("A"),
            till: Some("t1"),
            store: Some("s1"),
            day: date(2024, 8, 1),
            today: date(2024, 8, 1),
            campaign: None,
            customer: &customer,
        };
        change(&mut arrival);
        hold(conditions, &arrival)
    }

    #[rstest]
    #[case::nothing_asked("{}", true)]
    #[case(r#"{"occasion":"registration"}"#, true)]
    #[case(r#"{"occasion":"conversion"}"#, false)]
    #[case(r#"{"types":["LOYALTY"]}"#, true)]
    #[case(r#"{"types":["NON_LOYALTY","NOT_INTERESTED"]}"#, false)]
    #[case(r#"{"sources":["WECHAT"]}"#, true)]
    #[case(r#"{"sources":["INSTORE","WECHAT"]}"#, true)]
    #[case(r#"{"sources":["INSTORE"]}"#, false)]
    #[case(r#"{"accounts":["A"]}"#, true)]
    #[case(r#"{"accounts":["a"]}"#, false)]
    #[case(r#"{"tills":["t0","t1"]}"#, true)]
    #[case(r#"{"tills":["t2"]}"#, false)]
    #[case(r#"{"stores":["s0","s1"]}"#, true)]
    #[case(r#"{"stores":["t1"]}"#, false)]
    #[case(r#"{"from":"2024-08-01"}"#, true)]
    #[case(r#"{"from":"2024-08-02"}"#, false)]
    #[case(r#"{"to":"2024-08-01"}"#, true)]
    #[case(r#"{"to":"2024-07-31"}"#, false)]
    #[case(r#"{"from":"2024-07-01","to":"2024-08-31"}"#, true)]
    #[case(r#"{"custom_fields":{"city":["Pune"]}}"#, true)]
    #[case(r#"{"custom_fields":{"city":["Delhi","Pune"]}}"#, true)]
    #[case(r#"{"custom_fields":{"city":["pune"]}}"#, false)]
    #[case(r#"{"custom_fields":{"city":["Pune"],"size":["44"]}}"#, true)]
    #[case(r#"{"custom_fields":{"city":["Pune"],"size":["45"]}}"#, false)]
    #[case(r#"{"custom_fields":{"street":["Pune"]}}"#, false)]
    #[case(r#"{"custom_fields":{"gender":["Female"]}}"#, false)]
    #[case(r#"{"extended_fields":{"gender":["Female"]}}"#, true)]
    #[case(r#"{"extended_fields":{"gender":["Male"]}}"#, false)]
    #[case(r#"{"referred":false}"#, true)]
    #[case(r#"{"referred":true}"#, false)]
    #[case(r#"{"campaigns":["friends"]}"#, false)]
    #[case::one_of_several_fails(r#"{"sources":["WECHAT"],"tills":["t2"]}"#, false)]
    fn each_condition_asks_for_its_own(#[case] asked: &str, #[case] expected: bool) {
        assert_eq!(holds(&conditions(asked), |_| ()), expected);
    }

    #[test]
    fn what_is_asked_for_is_looked_for_where_it_belongs() {
        let converted = |arrival: &mut Arrival<'_>| {
            arrival.occasion = Occasion::Conversion;
            arrival.came_as = CustomerType::NotInterested;
        };
        let asked = conditions(r#"{"occasion":"conversion","types":["NOT_INTERESTED"]}"#);
        assert!(holds(&asked, converted));
        let referred = |arrival: &mut Arrival<'_>| arrival.campaign = Some("friends");
        assert!(holds(&conditions(r#"{"referred":true}"#), referred));
        assert!(holds(&conditions(r#"{"campaigns":["family","friends"]}"#), referred));
        assert!(!holds(&conditions(r#"{"campaigns":["family"]}"#), referred));
        assert!(!holds(&conditions(r#"{"referred":false}"#), referred));
        // Whoever has none has none of those that are asked for.
        let nowhere = |arrival: &mut Arrival<'_>| {
            (arrival.account, arrival.till, arrival.store) = (None, None, None);
        };
        assert!(!holds(&conditions(r#"{"accounts":["A"]}"#), nowhere));
        assert!(!holds(&conditions(r#"{"tills":["t1"]}"#), nowhere));
        assert!(!holds(&conditions(r#"{"stores":["s1"]}"#), nowhere));
        assert!(holds(&conditions("{}"), nowhere));
    }
}
