//! As which till a request is posted, where its body does not say.
//!
//! Headers outrank who calls: "TILL (default), STORE_CODE, STORE_NAME, STORE_EXTERNAL_ID,
//! STORE_EXTERNAL_ID_1, STORE_EXTERNAL_ID_2; anything else = till". A till is called by its name or
//! its code. A store posts as its first till: the one of the lowest number that is in use.

use crate::codes::{self, Code};
use crate::organisation::{CallerId, Organisation, Store, Till, TillId};

/// The till as which a request is posted, or why as none.
pub type PostedAs = Result<TillId, &'static Code>;

/// By what a till or a store is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntityType {
    /// A till.
    #[default]
    Till,
    /// A store, by its code.
    StoreCode,
    /// A store, by its name.
    StoreName,
    /// A store, by what another system calls it.
    StoreExternalId,
    /// A store, by what a second system calls it.
    StoreExternalId1,
    /// A store, by what a third system calls it.
    StoreExternalId2,
}

/// A till or a store, as it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// By what.
    pub entity_type: EntityType,
    /// How.
    pub code: String,
}

impl EntityType {
    /// The type of this name, in whatever case.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name.trim().to_ascii_uppercase().as_str() {
            "STORE_CODE" => Self::StoreCode,
            "STORE_NAME" => Self::StoreName,
            "STORE_EXTERNAL_ID" => Self::StoreExternalId,
            "STORE_EXTERNAL_ID_1" => Self::StoreExternalId1,
            "STORE_EXTERNAL_ID_2" => Self::StoreExternalId2,
            _ => Self::Till,
        }
    }
}

/// The till as which a caller posts: the one that is asked for, else the caller's own or default one.
///
/// # Errors
/// 91021 when none is meant by what is asked for, unless the caller is a client that then posts as
/// its default till.
pub fn till(asked: Option<&Entity>, caller: CallerId, organisation: &Organisation) -> PostedAs {
    let (default, for_invalid) = match caller {
        CallerId::Till(id) => (Some(id), false),
        CallerId::ApiClient(id) => {
            let client = organisation.api_clients.active_with_id(id.0);
            let default = client.and_then(|client| organisation.till_named(&client.default_till));
            let for_invalid = client.is_some_and(|client| client.default_till_for_invalid);
            (default.map(|till| till.id), for_invalid)
        }
    };
    let found = match asked {
        None => default,
        Some(asked) => find(asked, organisation).or(default.filter(|_| for_invalid)),
    };
    found.ok_or(codes::INVALID_ASSOCIATED_TILL)
}

fn find(asked: &Entity, organisation: &Organisation) -> Option<TillId> {
    let code = asked.code.as_str();
    let by = |own: fn(&Store) -> Option<&String>| {
        organisation.stores.active().find(|store| own(store).is_some_and(|own| own == code))
    };
    let store = match asked.entity_type {
        EntityType::Till => return till_called(code, organisation).map(|till| till.id),
        EntityType::StoreCode => by(|store| store.code.as_ref()),
        EntityType::StoreName => by(|store| Some(&store.name)),
        EntityType::StoreExternalId => by(|store| store.external_id.as_ref()),
        EntityType::StoreExternalId1 => by(|store| store.external_id_1.as_ref()),
        EntityType::StoreExternalId2 => by(|store| store.external_id_2.as_ref()),
    };
    let store = store?.name.as_str();
    let tills = organisation.tills.active().filter(|till| till.store.as_deref() == Some(store));
    tills.map(|till| till.id).min_by_key(|id| id.0)
}

fn till_called<'a>(code: &str, organisation: &'a Organisation) -> Option<&'a Till> {
    let coded = || organisation.tills.active().find(|till| till.code.as_deref() == Some(code));
    organisation.till_named(code).or_else(coded)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::{ApiClientId, Kind};

    /// Store `north` has the tills 2 and 1, `south` has none in use.
    fn organisation() -> Organisation {
        let mut organisation = Organisation::default();
        for (kind, json) in [
            (Kind::Organisation, r#"{"name":"shop","time_zone":"UTC"}"#),
            (
                Kind::Stores,
                r#"{"name":"north","code":"N","external_id":"e0","external_id_1":"e1","external_id_2":"e2"}"#,
            ),
            (Kind::Stores, r#"{"name":"south","code":"S"}"#),
            (Kind::Tills, r#"{"name":"second","id":2,"code":"T2","store":"north"}"#),
            (Kind::Tills, r#"{"name":"zeroth","id":1,"store":"north"}"#),
            (Kind::Tills, r#"{"name":"gone","id":3,"store":"south"}"#),
            (Kind::Tills, r#"{"name":"web","id":4}"#),
            (Kind::ApiClients, r#"{"name":"strict","id":1,"default_till":"web"}"#),
            (
                Kind::ApiClients,
                r#"{"name":"mild","id":2,"default_till":"web","default_till_for_invalid":true}"#,
            ),
        ] {
            organisation.documents_mut(kind).put(json).unwrap();
        }
        organisation.documents_mut(Kind::Tills).set_active("gone", false).unwrap();
        organisation.check().unwrap();
        organisation
    }

    const TILL: CallerId = CallerId::Till(TillId(2));
    const STRICT: CallerId = CallerId::ApiClient(ApiClientId(1));
    const MILD: CallerId = CallerId::ApiClient(ApiClientId(2));

    #[rstest]
    #[case::by_name("TILL", "web", 4)]
    #[case::by_code("TILL", "T2", 2)]
    #[case::no_type("", "web", 4)]
    #[case::anything_else("REGION", "web", 4)]
    #[case::in_any_case("store_code", "N", 1)]
    #[case::store_name("STORE_NAME", "north", 1)]
    #[case::external_id("STORE_EXTERNAL_ID", "e0", 1)]
    #[case::second_external_id("STORE_EXTERNAL_ID_1", "e1", 1)]
    #[case::third_external_id("STORE_EXTERNAL_ID_2", "e2", 1)]
    fn headers_outrank_who_calls(#[case] named: &str, #[case] code: &str, #[case] wanted: i64) {
        let asked = Entity { entity_type: EntityType::named(named), code: code.to_owned() };
        for caller in [TILL, STRICT, MILD] {
            assert_eq!(till(Some(&asked), caller, &organisation()), Ok(TillId(wanted)));
        }
    }

    #[rstest]
    #[case::no_such_till("TILL", "nowhere")]
    #[case::case_matters("TILL", "WEB")]
    #[case::out_of_use("TILL", "gone")]
    #[case::a_store_is_no_till("TILL", "north")]
    #[case::no_such_store("STORE_CODE", "X")]
    #[case::another_external_id("STORE_EXTERNAL_ID", "e1")]
    #[case::store_without_till("STORE_CODE", "S")]
    #[case::nothing("TILL", "")]
    fn what_is_invalid_is_refused_or_replaced(#[case] named: &str, #[case] code: &str) {
        let asked = Entity { entity_type: EntityType::named(named), code: code.to_owned() };
        let posted_as = |caller| till(Some(&asked), caller, &organisation());
        assert_eq!(posted_as(TILL), Err(codes::INVALID_ASSOCIATED_TILL));
        assert_eq!(posted_as(STRICT), Err(codes::INVALID_ASSOCIATED_TILL));
        assert_eq!(posted_as(MILD), Ok(TillId(4)));
    }

    #[rstest]
    #[case(TILL, 2)]
    #[case(STRICT, 4)]
    #[case(MILD, 4)]
    fn without_headers_it_is_the_callers(#[case] caller: CallerId, #[case] wanted: i64) {
        assert_eq!(till(None, caller, &organisation()), Ok(TillId(wanted)));
    }
}
