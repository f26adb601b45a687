//! Who calls, and what the organisation lets them do.

use super::access_group::Need;
use super::{AccessGroup, ApiClientId, Organisation, TillId};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerId {
    /// A till, by its user name and password.
    Till(TillId),
    /// A program, by a token.
    ApiClient(ApiClientId),
}

impl Organisation {
    /// The access group of this name: one that is built in, or one of the organisation's that is in
    /// use.
    #[must_use]
    pub fn access_group(&self, name: &str) -> Option<&AccessGroup> {
        AccessGroup::built_in(name).or_else(|| self.access_groups.named(name))
    }

    /// The name of a caller who is in use, in an organisation that is.
    #[must_use]
    pub fn name_of(&self, caller: CallerId) -> Option<&str> {
        if !self.details.is_active {
            return None;
        }
        match caller {
            CallerId::Till(id) => Some(&self.tills.active_with_id(id.0)?.name),
            CallerId::ApiClient(id) => Some(&self.api_clients.active_with_id(id.0)?.name),
        }
    }

    /// Whether a caller may do what an endpoint asks for.
    #[must_use]
    pub fn permits(&self, caller: CallerId, need: Need) -> bool {
        self.access_group_of(caller).is_some_and(|group| group.permits(need))
    }

    /// A caller's access group. "Stores inherit [the organisation's default], a store may be given
    /// another; tills inherit the store's and cannot override." A client has its own.
    #[must_use]
    pub fn access_group_of(&self, caller: CallerId) -> Option<&AccessGroup> {
        let own = match caller {
            CallerId::Till(id) => {
                let store = self.tills.active_with_id(id.0)?.store.as_deref();
                store.and_then(|store| self.stores.named(store)?.access_group.as_deref())
            }
            CallerId::ApiClient(id) => {
                self.api_clients.active_with_id(id.0)?.access_group.as_deref()
            }
        };
        self.access_group(own.unwrap_or(&self.details.access_group))
    }

    /// How many calls a minute are admitted from a caller; 0 admits any number, and `None` leaves it
    /// to the server.
    #[must_use]
    pub fn calls_per_minute(&self, caller: CallerId) -> Option<u32> {
        let limits = &self.limits;
        let own = match caller {
            CallerId::Till(id) => limits.tills.get(&self.tills.with_id(id.0)?.name),
            CallerId::ApiClient(id) => {
                limits.api_clients.get(&self.api_clients.with_id(id.0)?.name)
            }
        };
        own.copied().or(limits.calls_per_minute)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::{Action, Api, ApiResource, Documents, Invalid, Kind, Limits};

    /// A store whose tills may only read, beside tills and clients that have what everybody has.
    const DOCUMENTS: &[(Kind, &str)] = &[
        (Kind::Organisation, r#"{"name":"shop","time_zone":"UTC","access_group":"cashiers"}"#),
        (Kind::AccessGroups, r#"{"name":"cashiers","data_api":{"customer":"write"}}"#),
        (Kind::Stores, r#"{"name":"kiosk","access_group":"read_only"}"#),
        (Kind::Stores, r#"{"name":"shop"}"#),
        (Kind::Tills, r#"{"name":"kiosk till","id":1,"store":"kiosk"}"#),
        (Kind::Tills, r#"{"name":"shop till","id":2,"store":"shop"}"#),
        (Kind::Tills, r#"{"name":"till","id":3}"#),
        (Kind::ApiClients, r#"{"name":"app","id":1,"default_till":"kiosk till"}"#),
        (
            Kind::ApiClients,
            r#"{"name":"bot","id":2,"default_till":"till","access_group":"full_access"}"#,
        ),
        (
            Kind::Limits,
            r#"{"calls_per_minute":5,"tills":{"kiosk till":1},"api_clients":{"app":0}}"#,
        ),
    ];

    fn organisation(further: &[(Kind, &str)]) -> Result<Organisation, Invalid> {
        let mut organisation = Organisation::default();
        for (kind, json) in DOCUMENTS.iter().chain(further) {
            organisation.documents_mut(*kind).put(json)?;
        }
        Ok(organisation)
    }

    const fn till(id: i64) -> CallerId {
        CallerId::Till(TillId(id))
    }

    const fn client(id: i64) -> CallerId {
        CallerId::ApiClient(ApiClientId(id))
    }

    #[rstest]
    #[case::of_its_store(till(1), Some("read_only"))]
    #[case::of_the_organisation_through_its_store(till(2), Some("cashiers"))]
    #[case::of_the_organisation(till(3), Some("cashiers"))]
    #[case::nobody(till(4), None)]
    #[case::not_of_its_till(client(1), Some("cashiers"))]
    #[case::its_own(client(2), Some("full_access"))]
    #[case::no_client(client(3), None)]
    fn a_caller_has_one_access_group(#[case] caller: CallerId, #[case] group: Option<&str>) {
        let organisation = organisation(&[]).unwrap();
        organisation.check().unwrap();
        let found = organisation.access_group_of(caller);
        assert_eq!(found.map(|group| group.name.as_str()), group);
        let write = Need { api: Api::Data, resource: ApiResource::Customer, action: Action::Write };
        let permitted = matches!(group, Some("cashiers" | "full_access"));
        assert_eq!(organisation.permits(caller, write), permitted);
    }

    #[rstest]
    #[case(till(1), Some(1))]
    #[case(till(2), Some(5))]
    #[case(client(1), Some(0))]
    #[case(client(2), Some(5))]
    fn a_limit_of_its_own_outranks_the_organisations(
        #[case] caller: CallerId,
        #[case] limit: Option<u32>,
    ) {
        let mut organisation = organisation(&[]).unwrap();
        assert_eq!(organisation.calls_per_minute(caller), limit);
        organisation.limits = Limits::default();
        assert_eq!(organisation.calls_per_minute(caller), None);
    }

    #[test]
    fn who_is_out_of_use_has_neither_name_nor_group() {
        let mut organisation = organisation(&[]).unwrap();
        assert_eq!(organisation.name_of(till(1)), Some("kiosk till"));
        assert_eq!(organisation.name_of(client(2)), Some("bot"));
        for (kind, name) in [(Kind::Tills, "kiosk till"), (Kind::ApiClients, "bot")] {
            organisation.documents_mut(kind).set_active(name, false).unwrap();
        }
        for gone in [till(1), client(2), till(9), client(9)] {
            assert_eq!(organisation.name_of(gone), None);
            assert_eq!(organisation.access_group_of(gone), None);
        }
    }

    #[test]
    fn nobody_calls_for_an_organisation_out_of_use() {
        let mut organisation = organisation(&[]).unwrap();
        organisation.details.set_active("organisation", false).unwrap();
        assert_eq!((organisation.name_of(till(1)), organisation.name_of(client(1))), (None, None));
        // What it is may change meanwhile.
        organisation.details.put(r#"{"name":"shop","time_zone":"Asia/Tokyo"}"#).unwrap();
        assert_eq!(organisation.name_of(till(1)), None);
        organisation.details.set_active("organisation", true).unwrap();
        assert_eq!(organisation.name_of(till(1)), Some("kiosk till"));
    }

    #[rstest]
    #[case::built_in(Kind::AccessGroups, r#"{"name":"full_access"}"#, "/name")]
    #[case::group_of_store(Kind::Stores, r#"{"name":"x","access_group":"none"}"#, "/access_group")]
    #[case::group_of_client(
        Kind::ApiClients,
        r#"{"name":"x","default_till":"till","access_group":"none"}"#,
        "/access_group"
    )]
    #[case::till_of_client(
        Kind::ApiClients,
        r#"{"name":"x","default_till":"none"}"#,
        "/default_till"
    )]
    #[case::short_token(
        Kind::ApiClients,
        r#"{"name":"x","default_till":"till","token_seconds":59}"#,
        "/token_seconds"
    )]
    #[case::long_token(
        Kind::ApiClients,
        r#"{"name":"x","default_till":"till","token_seconds":2592001}"#,
        "/token_seconds"
    )]
    #[case::till_with_limit(Kind::Limits, r#"{"tills":{"none":1}}"#, "/tills")]
    #[case::client_with_limit(Kind::Limits, r#"{"api_clients":{"none":1}}"#, "/api_clients")]
    #[case::default_group(
        Kind::Organisation,
        r#"{"name":"shop","time_zone":"UTC","access_group":"none"}"#,
        "/access_group"
    )]
    fn what_cannot_stand_beside_the_rest_is_refused(
        #[case] kind: Kind,
        #[case] json: &str,
        #[case] pointer: &str,
    ) {
        let refused = organisation(&[(kind, json)]).unwrap().check().unwrap_err();
        let found: Vec<_> = refused.iter().map(|one| (one.kind, &*one.invalid.pointer)).collect();
        assert_eq!(found, [(kind, pointer)]);
    }

    /// "A group with stores assigned cannot be deactivated."
    #[test]
    fn a_group_that_is_given_to_somebody_stays_in_use() {
        let mut organisation = organisation(&[]).unwrap();
        organisation.access_groups.set_active("cashiers", false).unwrap();
        assert!(organisation.check().is_err());
    }

    /// "At most 15 clients per org."
    #[test]
    fn there_are_at_most_fifteen_clients() {
        let mut organisation = organisation(&[]).unwrap();
        let mut put = |n: usize| {
            let json = format!(r#"{{"name":"client {n}","default_till":"till"}}"#);
            organisation.api_clients.put(&json)
        };
        assert!((2..15).all(|n| put(n).is_ok()));
        assert!(put(15).is_err());
    }
}
