//! What replies have promised, and whether what is found keeps it.

use std::collections::BTreeMap;

use super::people::{Identifiers, KINDS};

/// What registration earns.
pub const AWARD: i64 = 100;

/// What is known of one person from the replies.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The customers that replies told of, by id: the identifiers that each was shown with.
    told: BTreeMap<i64, Identifiers>,
    /// How many replies told that the registration earned something.
    awards: usize,
    /// What was sent and not answered: it may have been carried out or not.
    unanswered: Vec<Identifiers>,
}

impl Person {
    /// A registration by these identifiers is sent.
    pub fn send(&mut self, identifiers: Identifiers) {
        self.unanswered.push(identifiers);
    }

    /// It was answered: the customer has this id and these identifiers.
    pub fn answer(&mut self, sent: Identifiers, id: i64, shown: Identifiers, awarded: bool) {
        self.refuse(sent);
        let told = self.told.entry(id).or_default();
        *told = told.and(shown).and(sent);
        self.awards += usize::from(awarded);
    }

    /// It was refused: nothing came of it.
    pub fn refuse(&mut self, sent: Identifiers) {
        let place = self.unanswered.iter().position(|identifiers| *identifiers == sent);
        self.unanswered.swap_remove(place.expect("answered, but not sent"));
    }

    /// How many registrations were sent of which no reply told.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Whether every reply told of the same customer, and one of them that they are new.
    pub fn is_one_customer(&self) -> bool {
        self.told.len() == 1 && self.awards == 1
    }

    /// The ids that replies told of.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.told.keys().copied()
    }
}

/// A customer as they are found afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub id: i64,
    pub identifiers: Identifiers,
    pub points: i64,
    /// What of everything that belongs to a customer is missing.
    pub missing: Option<String>,
}

/// Who is found of one person.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By each of their identifiers, in their order.
    pub by_identifier: [Option<Seen>; 3],
    /// By the ids that replies told of.
    pub by_id: BTreeMap<i64, Option<Seen>>,
}

/// How a promise can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// What was acknowledged is not there.
    Lost,
    /// A person is several customers who were told to be one, or was awarded twice.
    Doubled,
    /// Something is there without the rest of it.
    Half,
}

/// Every promise to a person that is broken.
pub fn judge(person: &Person, found: &Found) -> Vec<(Broken, String)> {
    let mut broken = Vec::new();
    for (id, identifiers) in &person.told {
        told(*id, *identifiers, found, &mut broken);
    }
    explained(person, found, &mut broken);
    living(person, found, &mut broken);
    broken
}

/// Whoever was told of is found, by the id and by all identifiers that were told together, as one.
fn told(id: i64, identifiers: Identifiers, found: &Found, broken: &mut Vec<(Broken, String)>) {
    let Some(customer) = found.by_id.get(&id).and_then(Option::as_ref) else {
        broken.push((Broken::Lost, format!("nobody has the id {id}")));
        return;
    };
    for place in identifiers.places() {
        match &found.by_identifier[place] {
            None => {
                broken.push((Broken::Lost, format!("identifier {place} of {id} leads nowhere")));
            }
            Some(other) if other.id != customer.id => {
                let what =
                    format!("{id} is {}, their identifier {place} is {}", customer.id, other.id);
                broken.push((Broken::Doubled, what));
            }
            Some(_) => {}
        }
    }
    let lacking = identifiers.without(customer.identifiers);
    if !lacking.is_empty() {
        broken.push((Broken::Half, format!("{id} lacks {lacking:?}")));
    }
}

/// Whatever leads to somebody came with a registration that was carried out whole: the identifiers
/// that are there are those of what was answered, and of some of what was not, each wholly.
fn explained(person: &Person, found: &Found, broken: &mut Vec<(Broken, String)>) {
    let held = (0..3).filter(|place| found.by_identifier[*place].is_some());
    let held = Identifiers::of(held);
    let carried_out = |sent: &&Identifiers| sent.without(held).is_empty();
    let may_be = person.unanswered.iter().filter(carried_out);
    let explained =
        person.told.values().chain(may_be).fold(Identifiers::NONE, |all, some| all.and(*some));
    let unexplained = held.without(explained);
    if !unexplained.is_empty() {
        broken.push((Broken::Half, format!("{unexplained:?} without the rest of a registration")));
    }
}

/// Whoever is found is whole, and earned once what each of the registrations that made them did.
fn living(person: &Person, found: &Found, broken: &mut Vec<(Broken, String)>) {
    let mut customers: BTreeMap<i64, &Seen> = BTreeMap::new();
    for (place, seen) in found.by_identifier.iter().enumerate() {
        let Some(seen) = seen else { continue };
        if !seen.identifiers.has(place) {
            broken.push((Broken::Half, format!("{} is found by {place} and lacks it", seen.id)));
        }
        customers.insert(seen.id, seen);
    }
    let mut points = 0;
    for customer in customers.values() {
        if let Some(missing) = &customer.missing {
            broken.push((Broken::Half, format!("{}: {missing}", customer.id)));
        }
        if customer.points < AWARD || customer.points % AWARD != 0 {
            broken.push((Broken::Half, format!("{} has {} points", customer.id, customer.points)));
        }
        points += customer.points;
    }
    let count = |awards: usize| i64::try_from(awards).unwrap() * AWARD;
    // Each customer is made by an identifier that nobody has, and keeps it.
    let made = (person.awards + person.unanswered.len()).min(KINDS.len());
    let (least, most) = (count(person.awards), count(made));
    if points < least {
        broken.push((Broken::Lost, format!("{points} points of {least} that were told")));
    } else if points > most {
        broken.push((Broken::Doubled, format!("{points} points, though {most} were earned")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::people::MOBILE;

    const EMAIL: usize = 1;

    fn both() -> Identifiers {
        Identifiers::of([MOBILE, EMAIL])
    }

    fn seen(id: i64, identifiers: Identifiers) -> Seen {
        Seen { id, identifiers, points: AWARD, missing: None }
    }

    /// Somebody who was told to have the id 1 and two identifiers, and is found so.
    fn known() -> (Person, Found) {
        let mut person = Person::default();
        person.send(both());
        person.answer(both(), 1, both(), true);
        let customer = Some(seen(1, both()));
        let found = Found {
            by_identifier: [customer.clone(), customer.clone(), None],
            by_id: BTreeMap::from([(1, customer)]),
        };
        (person, found)
    }

    /// What else was sent, and what is found otherwise than promised.
    fn broken(sent: &[Identifiers], change: impl FnOnce(&mut Found)) -> Vec<Broken> {
        let (mut person, mut found) = known();
        for identifiers in sent {
            person.send(*identifiers);
        }
        change(&mut found);
        judge(&person, &found).into_iter().map(|(broken, _)| broken).collect()
    }

    #[test]
    fn a_promise_that_is_kept_is_not_called_broken() {
        assert_eq!(broken(&[], |_| {}), []);
        // What was not answered may have been carried out or not.
        assert_eq!(broken(&[Identifiers::ALL], |_| {}), []);
        let carried_out = |found: &mut Found| {
            let customer = Some(seen(1, Identifiers::ALL));
            found.by_identifier = [customer.clone(), customer.clone(), customer.clone()];
            found.by_id = BTreeMap::from([(1, customer)]);
        };
        assert_eq!(broken(&[Identifiers::ALL], carried_out), []);
        assert_eq!(judge(&Person::default(), &Found::default()), []);
    }

    #[test]
    fn a_promise_that_is_broken_is_called_by_its_name() {
        let nobody = |found: &mut Found| {
            *found = Found { by_id: BTreeMap::from([(1, None)]), ..Found::default() };
        };
        assert_eq!(broken(&[], nobody), [Broken::Lost, Broken::Lost]);
        assert_eq!(broken(&[], |found| found.by_identifier[EMAIL] = None), [Broken::Lost]);
        let other = |found: &mut Found| {
            found.by_identifier[EMAIL] = Some(seen(2, Identifiers::of([EMAIL])));
        };
        assert_eq!(broken(&[], other), [Broken::Doubled, Broken::Doubled]);
        let poor = |found: &mut Found| {
            for customer in found.by_identifier.iter_mut().flatten() {
                customer.points = 0;
            }
        };
        assert_eq!(broken(&[], poor), [Broken::Half, Broken::Lost]);
        let rich = |found: &mut Found| {
            for customer in found.by_identifier.iter_mut().flatten() {
                customer.points = 2 * AWARD;
            }
        };
        assert_eq!(broken(&[], rich), [Broken::Doubled]);
        assert_eq!(broken(&[Identifiers::of([MOBILE])], rich), []);
        let nameless = |found: &mut Found| {
            for customer in found.by_identifier.iter_mut().flatten() {
                customer.missing = Some("name".to_owned());
            }
        };
        assert_eq!(broken(&[], nameless), [Broken::Half]);
        let forgetful = |found: &mut Found| {
            found.by_id.insert(1, Some(seen(1, Identifiers::of([MOBILE]))));
        };
        assert_eq!(broken(&[], forgetful), [Broken::Half]);
    }

    #[test]
    fn what_nobody_asked_for_is_half_of_something() {
        // Nothing was sent, or something that is there only in part.
        for sent in [&[][..], &[Identifiers::ALL]] {
            let mut person = Person::default();
            for identifiers in sent {
                person.send(*identifiers);
            }
            let customer = Some(seen(1, both()));
            let by_identifier = [customer.clone(), customer, None];
            let found = Found { by_identifier, ..Found::default() };
            let broken = judge(&person, &found);
            assert!(broken.iter().any(|(broken, _)| *broken == Broken::Half), "{broken:?}");
        }
    }
}
