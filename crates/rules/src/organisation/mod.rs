//! An organisation (the tenant) as its rules see it: what an operator has set up.
//!
//! Each thing that is set up is a [`Resource`]: a typed document with a name. [`Kind`] lists the
//! kinds; this file says where the organisation keeps each.

mod access_group;
mod amount;
mod api_client;
mod caller;
mod card_series;
mod collection;
mod concept;
mod coupon_series;
mod currency;
mod custom_field;
mod details;
mod distinct;
mod document;
mod extended_field;
mod kind;
mod limits;
mod patch;
mod programme;
mod referral_campaign;
mod resource;
mod reward_rule;
mod settings;
mod source;
mod store;
mod tier_expiry;
mod till;
mod time_zone;
mod zone;

pub use access_group::{AccessGroup, Action, Api, ApiResource, Need, Permission};
pub use amount::Amount;
pub use api_client::{ApiClient, ApiClientId};
pub use caller::CallerId;
pub use card_series::CardSeries;
pub use collection::Collection;
pub use concept::Concept;
pub use coupon_series::CouponSeries;
pub use currency::AlternateCurrency;
pub use details::Details;
pub use document::{Document, Documents};
pub use kind::Kind;
pub use limits::Limits;
pub use programme::{Programme, ProgrammeId, Tier};
pub use referral_campaign::ReferralCampaign;
pub use resource::{Invalid, Refused, Resource, check_name, read};
pub use reward_rule::{Conditions, Effect, Occasion, RewardRule};
pub use source::{CustomerSource, SourceAccount};
pub use store::Store;
pub use tier_expiry::{TierExpiry, end_of};
pub use till::{Till, TillId};
pub use zone::Zone;

use crate::profile::Pattern;
use crate::profile::extended_field::Rule;
pub use crate::profile::{CustomField, ExtendedField};
use crate::settings::Settings;
use crate::text;
use jiff::tz::TimeZone;

/// The most that all patterns of an organisation's fields take compiled, in bytes.
pub const PATTERNS_LIMIT_BYTES: usize = 4 << 20;

/// What an operator has set up for one organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// What the organisation is.
    pub details: Details,
    /// The registration configuration.
    pub settings: Settings,
    /// The access groups besides those that are built in.
    pub access_groups: Collection<AccessGroup>,
    /// The zones, which group stores by place.
    pub zones: Collection<Zone>,
    /// The concepts, which group stores by brand or purpose.
    pub concepts: Collection<Concept>,
    /// The stores.
    pub stores: Collection<Store>,
    /// The tills.
    pub tills: Collection<Till>,
    /// The API clients.
    pub api_clients: Collection<ApiClient>,
    /// How often tills and API clients may call.
    pub limits: Limits,
    /// The sources of its own, and those that have accounts.
    pub sources: Collection<CustomerSource>,
    /// The custom fields that customers may have.
    pub custom_fields: Collection<CustomField>,
    /// The extended fields that customers may have.
    pub extended_fields: Collection<ExtendedField>,
    /// The loyalty programmes.
    pub programmes: Collection<Programme>,
    /// The card series.
    pub card_series: Collection<CardSeries>,
    /// The coupon series.
    pub coupon_series: Collection<CouponSeries>,
    /// The currencies besides points.
    pub currencies: Collection<AlternateCurrency>,
    /// The campaigns under which customers bring others.
    pub referral_campaigns: Collection<ReferralCampaign>,
    /// What registration earns.
    pub reward_rules: Collection<RewardRule>,
}

impl Organisation {
    /// The documents of a kind.
    #[must_use]
    pub fn documents(&self, kind: Kind) -> &dyn Documents {
        match kind {
            Kind::Organisation => &self.details,
            Kind::Settings => &self.settings,
            Kind::AccessGroups => &self.access_groups,
            Kind::Zones => &self.zones,
            Kind::Concepts => &self.concepts,
            Kind::Stores => &self.stores,
            Kind::Tills => &self.tills,
            Kind::ApiClients => &self.api_clients,
            Kind::Limits => &self.limits,
            Kind::Sources => &self.sources,
            Kind::CustomFields => &self.custom_fields,
            Kind::ExtendedFields => &self.extended_fields,
            Kind::Programmes => &self.programmes,
            Kind::CardSeries => &self.card_series,
            Kind::CouponSeries => &self.coupon_series,
            Kind::Currencies => &self.currencies,
            Kind::ReferralCampaigns => &self.referral_campaigns,
            Kind::RewardRules => &self.reward_rules,
        }
    }

    /// The documents of a kind, to be changed.
    pub fn documents_mut(&mut self, kind: Kind) -> &mut dyn Documents {
        match kind {
            Kind::Organisation => &mut self.details,
            Kind::Settings => &mut self.settings,
            Kind::AccessGroups => &mut self.access_groups,
            Kind::Zones => &mut self.zones,
            Kind::Concepts => &mut self.concepts,
            Kind::Stores => &mut self.stores,
            Kind::Tills => &mut self.tills,
            Kind::ApiClients => &mut self.api_clients,
            Kind::Limits => &mut self.limits,
            Kind::Sources => &mut self.sources,
            Kind::CustomFields => &mut self.custom_fields,
            Kind::ExtendedFields => &mut self.extended_fields,
            Kind::Programmes => &mut self.programmes,
            Kind::CardSeries => &mut self.card_series,
            Kind::CouponSeries => &mut self.coupon_series,
            Kind::Currencies => &mut self.currencies,
            Kind::ReferralCampaigns => &mut self.referral_campaigns,
            Kind::RewardRules => &mut self.reward_rules,
        }
    }

    /// Puts documents that belong together in place.
    ///
    /// # Errors
    /// The first document that is wrong by itself or clashes with one of its kind.
    pub fn put_all(
        &mut self,
        documents: impl IntoIterator<Item = (Kind, Document)>,
    ) -> Result<(), Refused> {
        for (kind, Document { name, is_active, json }) in documents {
            let target = self.documents_mut(kind);
            let put = target.put(&json).and_then(|name| target.set_active(&name, is_active));
            put.map_err(|invalid| Refused { kind, name, invalid })?;
        }
        Ok(())
    }

    /// Checks everything that is active against everything else.
    ///
    /// # Errors
    /// Every document that cannot stand beside the others.
    pub fn check(&self) -> Result<(), Vec<Refused>> {
        let refused = Kind::ALL.into_iter().flat_map(|kind| self.documents(kind).check(self));
        let refused: Vec<Refused> = refused.chain(self.check_patterns().err()).collect();
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    /// Checks that the patterns of all fields together are not too large. Those of fields out of use
    /// count too: they are compiled as well.
    fn check_patterns(&self) -> Result<(), Refused> {
        let custom = self.custom_fields.every().filter_map(|field| field.regex.as_ref());
        let rules = self.extended_fields.every().flat_map(|field| &field.rules);
        let size: usize = custom.chain(rules.filter_map(Rule::pattern)).map(Pattern::size).sum();
        let (size_kib, limit_kib) = (size >> 10, PATTERNS_LIMIT_BYTES >> 10);
        let reason = format!(
            "the patterns of all fields, in use or not, take {size_kib} KiB compiled; at most {limit_kib} KiB"
        );
        Invalid::unless(size <= PATTERNS_LIMIT_BYTES, "", &reason).map_err(|invalid| {
            let kind = Kind::Organisation;
            Refused { kind, name: kind.name().to_owned(), invalid }
        })
    }

    /// The size of the patterns that a value is matched with: the largest of any field in use, in
    /// bytes.
    #[must_use]
    pub fn largest_field(&self) -> usize {
        let custom = self.custom_fields.active();
        let custom = custom.map(|field| field.regex.as_ref().map_or(0, Pattern::size));
        let extended = self.extended_fields.active();
        let extended = extended
            .map(|field| field.rules.iter().filter_map(Rule::pattern).map(Pattern::size).sum());
        custom.chain(extended).max().unwrap_or_default()
    }

    /// The active till of this name, in its canonical form.
    #[must_use]
    pub fn till_named(&self, name: &str) -> Option<&Till> {
        self.tills.named(name)
    }

    /// The zone of date-times that are local to a till: its own, else its store's, else the
    /// organisation's.
    #[must_use]
    pub fn time_zone_of(&self, till: TillId) -> &TimeZone {
        let own = self.till(till).and_then(|till| till.time_zone.as_ref());
        let of_store = || self.store_of(till)?.time_zone.as_ref();
        own.or_else(of_store).unwrap_or(&self.details.time_zone)
    }

    /// The name of a till or an API client, active or not.
    #[must_use]
    pub fn caller_name(&self, caller: CallerId) -> Option<&str> {
        match caller {
            CallerId::Till(id) => self.till(id).map(|till| till.name.as_str()),
            CallerId::ApiClient(id) => {
                self.api_clients.with_id(id.0).map(|client| client.name.as_str())
            }
        }
    }

    /// The store in which a till stands, active or not.
    #[must_use]
    pub fn store_of(&self, till: TillId) -> Option<&Store> {
        self.stores.get_any(self.till(till)?.store.as_deref()?)
    }

    /// The name of the active store or till that is meant by a name, or by a store's code.
    #[must_use]
    pub fn entity_named(&self, name: &str) -> Option<&str> {
        let name = text::canonical(name);
        let name = name.as_ref();
        let coded = || self.stores.active().find(|store| store.code.as_deref() == Some(name));
        let store = self.stores.named(name).or_else(coded).map(|store| store.name.as_str());
        store.or_else(|| self.till_named(name).map(|till| till.name.as_str()))
    }

    /// The till of this id, active or not.
    #[must_use]
    pub fn till(&self, id: TillId) -> Option<&Till> {
        self.tills.with_id(id.0)
    }

    /// The programme in which registration enrols a loyalty customer.
    #[must_use]
    pub fn default_programme(&self) -> Option<&Programme> {
        self.programmes.active().find(|programme| programme.is_default)
    }

    /// The programme of this id, active or not.
    #[must_use]
    pub fn programme(&self, id: ProgrammeId) -> Option<&Programme> {
        self.programmes.with_id(id.0)
    }
    /// What registration earns in a programme, in order.
    #[must_use]
    pub fn reward_rules_of(&self, programme: &Programme) -> Vec<&RewardRule> {
        let is_given = |rule: &&RewardRule| match &rule.programme {
            Some(name) => *name == programme.name,
            None => programme.is_default,
        };
        let mut rules: Vec<&RewardRule> = self.reward_rules.active().filter(is_given).collect();
        // Among those of one position, the order of their names stays.
        rules.sort_by_key(|rule| rule.position);
        rules
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Zones `north` > `east`; a store in Singapore; tills in and out of it.
    const DOCUMENTS: &[(Kind, &str)] = &[
        (Kind::Organisation, r#"{"name":"shop","time_zone":"Asia/Kolkata"}"#),
        (Kind::Zones, r#"{"name":"north","code":"N"}"#),
        (Kind::Zones, r#"{"name":"east","parent":"north"}"#),
        (Kind::Concepts, r#"{"name":"cafe"}"#),
        (
            Kind::Stores,
            r#"{"name":"sg","code":"SG","zone":"east","concept":"cafe","time_zone":"Asia/Singapore"}"#,
        ),
        (Kind::Stores, r#"{"name":"blr","external_id":"1"}"#),
        (Kind::Tills, r#"{"name":"own","store":"sg","time_zone":"Asia/Tokyo"}"#),
        (Kind::Tills, r#"{"name":"of store","store":"sg"}"#),
        (Kind::Tills, r#"{"name":"of organisation","store":"blr","code":"T"}"#),
        (Kind::Tills, r#"{"name":"alone"}"#),
    ];

    fn organisation(further: &[(Kind, &str)]) -> Result<Organisation, Invalid> {
        let mut organisation = Organisation::default();
        for (kind, json) in DOCUMENTS.iter().chain(further) {
            organisation.documents_mut(*kind).put(json)?;
        }
        Ok(organisation)
    }

    #[rstest]
    #[case("own", "Asia/Tokyo")]
    #[case("of store", "Asia/Singapore")]
    #[case("of organisation", "Asia/Kolkata")]
    #[case("alone", "Asia/Kolkata")]
    fn a_till_has_its_own_zone_or_its_stores_or_the_organisations(
        #[case] till: &str,
        #[case] zone: &str,
    ) {
        let organisation = organisation(&[]).unwrap();
        organisation.check().unwrap();
        let till = organisation.till_named(till).unwrap().id;
        assert_eq!(organisation.time_zone_of(till).iana_name(), Some(zone));
    }

    #[rstest]
    #[case::no_such_zone(Kind::Zones, r#"{"name":"x","parent":"nowhere"}"#, "/parent")]
    #[case::a_circle(Kind::Zones, r#"{"name":"north","code":"N","parent":"east"}"#, "/parent")]
    #[case::same_code(Kind::Zones, r#"{"name":"x","code":"N"}"#, "/code")]
    #[case::no_code(Kind::Concepts, r#"{"name":"x","code":""}"#, "/code")]
    #[case::zone_of_store(Kind::Stores, r#"{"name":"x","zone":"nowhere"}"#, "/zone")]
    #[case::concept_of_store(Kind::Stores, r#"{"name":"x","concept":"none"}"#, "/concept")]
    #[case::external_id(Kind::Stores, r#"{"name":"x","external_id":"1"}"#, "/external_id")]
    #[case::store_of_till(Kind::Tills, r#"{"name":"x","store":"nowhere"}"#, "/store")]
    #[case::code_of_till(Kind::Tills, r#"{"name":"x","code":"T"}"#, "/code")]
    #[case::colon(Kind::Tills, r#"{"name":"x:y"}"#, "/name")]
    fn what_cannot_stand_beside_the_rest_is_refused(
        #[case] kind: Kind,
        #[case] json: &str,
        #[case] pointer: &str,
    ) {
        let refused = organisation(&[(kind, json)]).unwrap().check().unwrap_err();
        assert!(refused.iter().all(|one| one.kind == kind), "{refused:?}");
        assert!(refused.iter().all(|one| one.invalid.pointer == pointer), "{refused:?}");
    }

    #[rstest]
    #[case(
        Kind::Organisation,
        r#"{"name":"shop","time_zone":"UTC","currency":"inr"}"#,
        "/currency"
    )]
    #[case(Kind::Organisation, r#"{"name":"shop","time_zone":"Asia/Atlantis"}"#, "/time_zone")]
    #[case(Kind::Organisation, r#"{"name":"another","time_zone":"UTC"}"#, "/name")]
    #[case(Kind::Stores, r#"{"name":"x","time_zone":"Asia/Atlantis"}"#, "/time_zone")]
    fn what_cannot_be_by_itself_is_refused(
        #[case] kind: Kind,
        #[case] json: &str,
        #[case] pointer: &str,
    ) {
        assert_eq!(organisation(&[(kind, json)]).unwrap_err().pointer, pointer);
    }

    #[test]
    fn what_is_referred_to_stays_in_use() {
        let mut organisation = organisation(&[]).unwrap();
        organisation.stores.set_active("sg", false).unwrap();
        let refused = organisation.check().unwrap_err();
        let names: Vec<_> = refused.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["of store", "own"]);
        for till in names {
            organisation.tills.set_active(till, false).unwrap();
        }
        organisation.check().unwrap();
    }

    #[rstest]
    #[case("sg", Some("sg"))]
    #[case("SG", Some("sg"))]
    #[case("alone", Some("alone"))]
    #[case("elsewhere", None)]
    fn entities_are_stores_and_tills(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(organisation(&[]).unwrap().entity_named(name), expected);
    }

    #[test]
    fn all_patterns_of_an_organisation_have_a_limit() {
        // Of 128 KiB each.
        let regex = |n: usize| format!("(?:a?){{900}}a{{900}}{n}");
        let custom =
            |n| (Kind::CustomFields, format!(r#"{{"name":"c{n}","regex":"{}"}}"#, regex(n)));
        let mut organisation = organisation(&[]).unwrap();
        let put = |organisation: &mut Organisation, (kind, json): (Kind, String)| {
            organisation.documents_mut(kind).put(&json).unwrap();
        };
        (0..30).for_each(|n| put(&mut organisation, custom(n)));
        let rules = format!(r#""matches {}","matches {}""#, regex(30), regex(31));
        let extended = format!(r#"{{"name":"e","rules":[{rules}]}}"#);
        put(&mut organisation, (Kind::ExtendedFields, extended));
        organisation.check().unwrap();

        put(&mut organisation, (Kind::CustomFields, r#"{"name":"more","regex":"a"}"#.to_owned()));
        let refused = organisation.check().unwrap_err();
        assert_eq!(
            refused[0].to_string(),
            "`organisation`: the patterns of all fields, in use or not, take 4097 KiB compiled; at most 4096 KiB"
        );
        organisation.custom_fields.set_active("more", false).unwrap();
        assert_eq!(organisation.check(), Err(refused), "out of use");
        put(&mut organisation, (Kind::CustomFields, r#"{"name":"c0"}"#.to_owned()));
        organisation.check().unwrap();
    }

    #[rstest]
    #[case::options(Kind::CustomFields, "options", r#""a""#, 1_000)]
    #[case::values(Kind::ExtendedFields, "values", r#""a""#, 1_000)]
    #[case::rules(Kind::ExtendedFields, "rules", r#""matches a""#, 20)]
    fn lists_of_fields_have_limits(
        #[case] kind: Kind,
        #[case] member: &str,
        #[case] entry: &str,
        #[case] most: usize,
    ) {
        let field = |count| {
            let json = format!(r#"{{"name":"x","{member}":[{}]}}"#, vec![entry; count].join(","));
            organisation(&[(kind, &json)]).map(drop)
        };
        assert_eq!(field(most), Ok(()));
        let refused = field(most + 1).unwrap_err();
        assert_eq!(refused, Invalid::at(format!("/{member}"), format!("at most {most} entries")));
    }
}
