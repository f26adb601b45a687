//! Merging: one customer of two, where the organisation has switched that on.
//!
//! The survivor keeps their id and everything they have, and gains what they lack. Balances add up,
//! told by entries in the ledger of each, and what ends goes on to end when it did. What the victim was awarded counts as awarded to the
//! survivor, so that no rule is awarded to both. The victim's identifiers lead to the survivor from
//! then on. Both are kept as they were before, so that it can be undone.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::customer::{Customer, Enrolment};
use crate::identifier::IdentifierKind;
use crate::ledger::{Award, Balances, Currency, Ending, EntryKind, LedgerEntry, Reason, exact_sum};
use crate::organisation::ProgrammeId;
use crate::profile::{CustomerType, channel, field};
use crate::submission::Kept;

/// Merges the victim into the survivor and returns what the ledger gains. The victim is left with
/// empty balances, and the survivor's awards gain the victim's. `None` where a balance could not be
/// exact; then nothing has changed.
#[must_use]
pub fn merge(
    survivor: &mut Customer,
    victim: &mut Customer,
    awards: &mut Vec<Award>,
    endings: &[Ending],
) -> Option<Vec<LedgerEntry>> {
    let mut merged = survivor.clone();
    for enrolment in &victim.enrolments {
        add_enrolment(&mut merged.enrolments, enrolment)?;
    }
    for kind in IdentifierKind::ALL {
        if merged.identifiers.key(kind).is_none() {
            merged.identifiers.take_over(kind, &victim.identifiers);
        }
    }
    fill_profile(&mut merged, victim);
    let mut ledger = transfers(survivor, victim, parts(victim, endings)?);
    ledger.extend(take_over_awards(survivor, victim, awards));
    *survivor = merged;
    for enrolment in &mut victim.enrolments {
        enrolment.balances = Balances::default();
    }
    Some(ledger)
}

/// The higher of both tiers stays, with its expiry.
fn add_enrolment(held: &mut Vec<Enrolment>, further: &Enrolment) -> Option<()> {
    let Some(enrolment) = held.iter_mut().find(|held| held.programme == further.programme) else {
        held.push(further.clone());
        return Some(());
    };
    for (currency, balance) in further.balances.all() {
        for kind in EntryKind::ALL {
            enrolment.balances.enter(&currency, kind, balance.sum(kind))?;
        }
    }
    if further.tier > enrolment.tier {
        (enrolment.tier, enrolment.tier_expires_at) = (further.tier, further.tier_expires_at);
    }
    Some(())
}

/// What the victim loses, and the survivor gains: each part of their balances.
fn transfers(survivor: &Customer, victim: &Customer, parts: Vec<Part>) -> Vec<LedgerEntry> {
    let mut ledger = Vec::new();
    for (line, part) in (0..).zip(parts) {
        let Part { programme, currency, kind, amount, expires_at } = part;
        for (customer, with, amount) in
            [(victim.id, survivor.id, -amount), (survivor.id, victim.id, amount)]
        {
            let (reason, currency) = (Reason::Merge { with }, currency.clone());
            ledger.push(LedgerEntry {
                customer,
                reason,
                line,
                programme,
                currency,
                kind,
                amount,
                expires_at,
            });
        }
    }
    ledger
}

/// A part of a sum of a balance.
struct Part {
    programme: ProgrammeId,
    currency: Currency,
    kind: EntryKind,
    amount: Decimal,
    expires_at: Option<Timestamp>,
}

/// Each sum of each balance: what of it ends at one time, and the rest. `None` where a part cannot be
/// exact.
fn parts(victim: &Customer, endings: &[Ending]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for Enrolment { programme, balances, .. } in &victim.enrolments {
        for (currency, balance) in balances.all() {
            for kind in EntryKind::ALL {
                let part = |amount, expires_at| {
                    let (programme, currency) = (*programme, currency.clone());
                    Part { programme, currency, kind, amount, expires_at }
                };
                let is_of_sum = |ending: &&Ending| {
                    ending.customer == victim.id
                        && ending.programme == *programme
                        && ending.currency == currency
                        && ending.kind == kind
                };
                let mut rest = balance.sum(kind);
                for ending in endings.iter().filter(is_of_sum) {
                    rest = exact_sum(rest, -ending.amount)?;
                    parts.push(part(ending.amount, Some(ending.expires_at)));
                }
                parts.push(part(rest, None));
            }
        }
    }
    parts.retain(|part| !part.amount.is_zero());
    Some(parts)
}

/// The entries by which the survivor counts as awarded what the victim was.
fn take_over_awards(
    survivor: &Customer,
    victim: &Customer,
    awards: &mut Vec<Award>,
) -> Vec<LedgerEntry> {
    let of = |id| move |award: &&Award| award.customer == id;
    let held: Vec<String> =
        awards.iter().filter(of(survivor.id)).map(|award| award.rule.clone()).collect();
    let gained: Vec<Award> = awards
        .iter()
        .filter(of(victim.id))
        .filter(|award| !held.contains(&award.rule))
        .map(|award| Award { customer: survivor.id, ..award.clone() })
        .collect();
    awards.extend(gained.iter().cloned());
    gained.into_iter().map(Award::without_amount).collect()
}

fn fill_profile(survivor: &mut Customer, victim: &Customer) {
    fill(&mut survivor.first_name, victim.first_name.as_ref());
    fill(&mut survivor.last_name, victim.last_name.as_ref());
    fill(&mut survivor.account_id, victim.account_id.as_ref());
    fill(&mut survivor.associated_till, victim.associated_till.as_ref());
    fill(&mut survivor.fraud_status, victim.fraud_status.as_ref());
    let (kept, other): (&mut Kept, &Kept) = (&mut survivor.kept, &victim.kept);
    fill(&mut kept.gender, other.gender.as_ref());
    fill(&mut kept.ndnc_status, other.ndnc_status.as_ref());
    fill(&mut kept.test_control_status, other.test_control_status.as_ref());
    survivor.registered_at = survivor.registered_at.min(victim.registered_at);
    survivor.updated_at = survivor.updated_at.max(victim.updated_at);
    // A loyalty customer stays one.
    if victim.customer_type == CustomerType::Loyalty {
        survivor.customer_type = CustomerType::Loyalty;
    }
    for further in &victim.channels {
        let mut further = further.clone();
        further.primary &=
            !survivor.channels.iter().any(|held| held.primary && held.kind == further.kind);
        let known = survivor.channels.iter().any(|held| held.is(&further));
        if survivor.channels.len() < channel::COUNT_LIMIT && !known {
            survivor.channels.push(further);
        }
    }
    for (held, further) in [
        (&mut survivor.custom_fields, &victim.custom_fields),
        (&mut survivor.extended_fields, &victim.extended_fields),
    ] {
        for value in further {
            if !held.iter().any(|known| known.name == value.name) {
                field::put(held, &value.name, &value.value);
            }
        }
    }
    for subscription in &victim.subscriptions {
        if !survivor.subscriptions.iter().any(|held| held.is(*subscription)) {
            survivor.subscriptions.push(*subscription);
        }
    }
}

fn fill<T: Clone>(held: &mut Option<T>, from: Option<&T>) {
    if held.is_none() {
        *held = from.cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::award::tests::customer;
    use crate::customer::CustomerId;
    use crate::profile::Channel;
    use crate::profile::channel::Meta;

    const SURVIVOR: CustomerId = CustomerId(1);
    const VICTIM: CustomerId = CustomerId(2);

    fn enrolment(programme: i64, tier: u32, entered: &[(Currency, EntryKind, &str)]) -> Enrolment {
        let mut balances = Balances::default();
        for (currency, kind, amount) in entered {
            balances.enter(currency, *kind, amount.parse().unwrap()).unwrap();
        }
        let day = Timestamp::from_second(i64::from(tier) * 86_400).unwrap();
        Enrolment { programme: ProgrammeId(programme), tier, tier_expires_at: Some(day), balances }
    }

    fn somebody(id: CustomerId, enrolments: &[Enrolment]) -> Customer {
        Customer { id, enrolments: enrolments.to_vec(), ..customer() }
    }

    fn coins() -> Currency {
        Currency::Alternate("coins".to_owned())
    }

    /// Each entry in short: whose, line, programme, amount, kind, currency.
    fn told(entry: &LedgerEntry) -> String {
        let LedgerEntry { customer, line, programme, currency, kind, amount, .. } = entry;
        format!("{} {line} in {}: {amount} {currency} {}", customer.0, programme.0, kind.name())
    }

    #[test]
    fn the_first_registration_and_the_last_change_stay() {
        let at = |registered: i64, updated: i64| {
            let [registered_at, updated_at] =
                [registered, updated].map(|second| Timestamp::from_second(second).unwrap());
            Customer { registered_at, updated_at, ..customer() }
        };
        for (one, other) in [(at(1, 3), at(2, 4)), (at(2, 4), at(1, 3)), (at(1, 4), at(2, 3))] {
            let (mut survivor, mut victim) = (one, Customer { id: VICTIM, ..other });
            merge(&mut survivor, &mut victim, &mut Vec::new(), &[]).unwrap();
            assert_eq!(survivor, at(1, 4));
        }
    }

    #[test]
    fn an_address_is_one_channel_whatever_its_case() {
        let with = |id, values: &[&str]| {
            let channel = |value: &&str| Channel {
                kind: "email".to_owned(),
                value: (*value).to_owned(),
                primary: true,
                verified: false,
                meta: Meta::default(),
            };
            Customer { channels: values.iter().map(channel).collect(), ..somebody(id, &[]) }
        };
        let mut survivor = with(SURVIVOR, &["A@b.in"]);
        let before = survivor.channels.clone();
        merge(&mut survivor, &mut with(VICTIM, &["a@B.in"]), &mut Vec::new(), &[]).unwrap();
        assert_eq!(survivor.channels, before);
    }

    #[test]
    fn every_sum_of_every_balance_moves() {
        let mut survivor = somebody(
            SURVIVOR,
            &[enrolment(1, 2, &[(Currency::Points, EntryKind::Awarded, "0.1")])],
        );
        let mut victim = somebody(
            VICTIM,
            &[
                enrolment(
                    1,
                    1,
                    &[
                        (Currency::Points, EntryKind::Awarded, "0.2"),
                        (Currency::Points, EntryKind::Redeemed, "-0.15"),
                        (coins(), EntryKind::Awarded, "5"),
                    ],
                ),
                enrolment(2, 1, &[(Currency::Points, EntryKind::Purchased, "99")]),
            ],
        );
        let before = victim.clone();
        let ledger = merge(&mut survivor, &mut victim, &mut Vec::new(), &[]).unwrap();
        assert_eq!(
            ledger.iter().map(told).collect::<Vec<_>>(),
            [
                "2 0 in 1: -0.2 points awarded",
                "1 0 in 1: 0.2 points awarded",
                "2 1 in 1: 0.15 points redeemed",
                "1 1 in 1: -0.15 points redeemed",
                "2 2 in 1: -5 coins awarded",
                "1 2 in 1: 5 coins awarded",
                "2 3 in 2: -99 points purchased",
                "1 3 in 2: 99 points purchased",
            ]
        );
        let [first, second] = survivor.enrolments.as_slice() else { panic!() };
        assert_eq!(first.balances.points.lifetime(), "0.3".parse().unwrap());
        assert_eq!(first.balances.points.available(), "0.15".parse().unwrap());
        assert_eq!(first.balances.of(&coins()).available(), Decimal::from(5));
        assert_eq!(*second, before.enrolments[1]);
        assert!(victim.enrolments.iter().all(|held| held.balances == Balances::default()));
    }

    /// Of 10 points and 5 coins, 3 and 4 points end, on different days; what others have does not matter.
    #[test]
    fn what_ends_goes_on_to_end_when_it_did() {
        let of = |customer, currency: Currency, amount: &str, day: i64| Ending {
            customer,
            programme: ProgrammeId(1),
            currency,
            kind: EntryKind::Awarded,
            amount: amount.parse().unwrap(),
            expires_at: Timestamp::from_second(day * 86_400).unwrap(),
        };
        let endings = [
            of(VICTIM, Currency::Points, "3", 1),
            of(SURVIVOR, Currency::Points, "9", 1),
            of(VICTIM, coins(), "5", 3),
            of(VICTIM, Currency::Points, "4", 2),
        ];
        let awarded = [
            (Currency::Points, EntryKind::Awarded, "10"),
            (coins(), EntryKind::Awarded, "5"),
            (Currency::Points, EntryKind::Redeemed, "-1"),
        ];
        let mut victim = somebody(VICTIM, &[enrolment(1, 1, &awarded)]);
        let mut survivor = somebody(SURVIVOR, &[]);
        let ledger = merge(&mut survivor, &mut victim, &mut Vec::new(), &endings).unwrap();
        let gained = ledger.iter().filter(|entry| entry.customer == SURVIVOR).map(|entry| {
            let day = entry.expires_at.map(|end| end.as_second() / 86_400);
            (told(entry), day)
        });
        let expected = [
            ("1 0 in 1: 3 points awarded", Some(1)),
            ("1 1 in 1: 4 points awarded", Some(2)),
            ("1 2 in 1: 3 points awarded", None),
            ("1 3 in 1: -1 points redeemed", None),
            ("1 4 in 1: 5 coins awarded", Some(3)),
        ];
        let expected = expected.map(|(entry, day)| (entry.to_owned(), day));
        assert_eq!(gained.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_higher_tier_stays_with_its_end() {
        for (held, further, stays) in [(1, 2, 2), (2, 1, 2)] {
            let mut survivor = somebody(SURVIVOR, &[enrolment(1, held, &[])]);
            let mut victim = somebody(VICTIM, &[enrolment(1, further, &[])]);
            assert_eq!(merge(&mut survivor, &mut victim, &mut Vec::new(), &[]), Some(Vec::new()));
            assert_eq!(survivor.enrolments, [enrolment(1, stays, &[])]);
        }
    }

    #[test]
    fn what_the_victim_was_awarded_counts_for_the_survivor() {
        let award = |customer, rule: &str| Award {
            customer,
            rule: rule.to_owned(),
            programme: ProgrammeId(1),
        };
        let mut awards = vec![award(SURVIVOR, "a"), award(VICTIM, "a"), award(VICTIM, "b")];
        let (mut survivor, mut victim) = (somebody(SURVIVOR, &[]), somebody(VICTIM, &[]));
        let ledger = merge(&mut survivor, &mut victim, &mut awards, &[]).unwrap();
        assert_eq!(ledger, [award(SURVIVOR, "b").without_amount()]);
        assert!(awards.contains(&award(SURVIVOR, "b")));

        // Whoever is merged into the same one next brings nothing that is there already.
        let mut third = somebody(CustomerId(3), &[]);
        awards.push(award(third.id, "b"));
        assert_eq!(merge(&mut survivor, &mut third, &mut awards, &[]), Some(Vec::new()));
    }

    #[test]
    fn balances_that_cannot_be_added_change_nothing() {
        let full = (Currency::Points, EntryKind::Awarded, "79228162514264337593543950335");
        let one = (Currency::Points, EntryKind::Awarded, "1");
        let mut survivor = somebody(SURVIVOR, &[enrolment(1, 1, &[full])]);
        let mut victim = somebody(VICTIM, &[enrolment(1, 1, &[one])]);
        let (was, had) = (survivor.clone(), victim.clone());
        let mut awards =
            vec![Award { customer: VICTIM, rule: "a".to_owned(), programme: ProgrammeId(1) }];
        assert_eq!(merge(&mut survivor, &mut victim, &mut awards, &[]), None);
        assert_eq!((survivor, victim, awards.len()), (was, had, 1));
    }
}
