//! Access groups: what a caller may read and write.
//!
//! "An access group is a set of Data API and Config API resources with a permission each: None, Read
//! (GET endpoints), Write (POST endpoints)." Writing does not imply reading.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{check_texts, not_in_use};
use super::{Invalid, Kind, Organisation, Resource};

/// What may be read and written, by resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessGroup {
    /// Its name; not that of a group that is built in.
    pub name: String,
    /// What people should know of it; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What of the data API is permitted; what is left out is not.
    #[serde(default)]
    pub data_api: BTreeMap<ApiResource, Permission>,
    /// What of the configuration API is permitted; what is left out is not.
    #[serde(default)]
    pub config_api: BTreeMap<ApiResource, Permission>,
}

macro_rules! api_resources {
    ($($name:ident),* $(,)?) => {
        /// What an endpoint is about, as access groups divide the API.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the documentation names them and says no more")]
        pub enum ApiResource {
            $($name),*
        }

        impl ApiResource {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

api_resources! {
    ActivitySessions,
    BehaviouralEvent,
    Card,
    Communications,
    Companies,
    Coupon,
    Customer,
    EventSimulation,
    Images,
    Labels,
    Leads,
    Organization,
    OrganizationDataFields,
    Otp,
    PartnerProgram,
    Partners,
    Points,
    Product,
    Requests,
    Staff,
    Store,
    Survey,
    TargetLoyalty,
    Task,
    Transaction,
    UserGroups,
    UserTargets,
    Webhooks,
}

/// What may be done with a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing.
    #[default]
    None,
    /// Its GET endpoints.
    Read,
    /// Its POST endpoints, and those of other methods that change something.
    Write,
    /// Both.
    ReadWrite,
}

/// One of the two APIs that an access group tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// What tills and clients do with customers and what belongs to them.
    Data,
    /// What describes the organisation.
    Config,
}

/// What an endpoint does with its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It tells.
    Read,
    /// It changes.
    Write,
}

/// What an endpoint asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Need {
    /// The API that it is part of.
    pub api: Api,
    /// What it is about.
    pub resource: ApiResource,
    /// What it does.
    pub action: Action,
}

impl AccessGroup {
    /// The groups that every organisation has, and that nobody can change.
    pub const BUILT_IN: [&str; 3] = [Self::FULL_ACCESS, Self::READ_ONLY, Self::REGISTRATION];
    /// Everything may be read and written.
    pub const FULL_ACCESS: &str = "full_access";
    /// Everything may be read.
    pub const READ_ONLY: &str = "read_only";
    /// Customers may be registered, changed and looked up; nothing else.
    pub const REGISTRATION: &str = "registration";

    /// The group of this name that every organisation has.
    #[must_use]
    pub fn built_in(name: &str) -> Option<&'static Self> {
        static GROUPS: LazyLock<[AccessGroup; 3]> = LazyLock::new(|| {
            let group = |name: &str, resources: &[ApiResource], permission| {
                let permitted: BTreeMap<_, _> =
                    resources.iter().map(|resource| (*resource, permission)).collect();
                AccessGroup {
                    name: name.to_owned(),
                    description: None,
                    config_api: permitted.clone(),
                    data_api: permitted,
                }
            };
            [
                group(AccessGroup::FULL_ACCESS, ApiResource::ALL, Permission::ReadWrite),
                group(AccessGroup::READ_ONLY, ApiResource::ALL, Permission::Read),
                AccessGroup {
                    config_api: BTreeMap::new(),
                    ..group(
                        AccessGroup::REGISTRATION,
                        &[ApiResource::Customer],
                        Permission::ReadWrite,
                    )
                },
            ]
        });
        GROUPS.iter().find(|group| group.name == name)
    }

    /// Whether its members may do what an endpoint asks for.
    #[must_use]
    pub fn permits(&self, need: Need) -> bool {
        let permitted = match need.api {
            Api::Data => &self.data_api,
            Api::Config => &self.config_api,
        };
        let permission = permitted.get(&need.resource).copied().unwrap_or_default();
        match need.action {
            Action::Read => matches!(permission, Permission::Read | Permission::ReadWrite),
            Action::Write => matches!(permission, Permission::Write | Permission::ReadWrite),
        }
    }
}

impl Resource for AccessGroup {
    const KIND: Kind = Kind::AccessGroups;
    const COUNT_LIMIT: usize = 100;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        let own = Self::built_in(&self.name).is_none();
        Invalid::unless(own, "/name", "a built-in group has this name")?;
        check_texts(&[("/description", &self.description, 250)])
    }
}

/// Checks a member that names an access group.
pub(super) fn check_group(
    pointer: &str,
    name: Option<&str>,
    organisation: &Organisation,
) -> Result<(), Invalid> {
    match name {
        Some(name) if organisation.access_group(name).is_none() => {
            Err(Invalid::at(pointer, not_in_use(Kind::AccessGroups, name)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn need(api: Api, resource: ApiResource, action: Action) -> Need {
        Need { api, resource, action }
    }

    #[rstest]
    #[case::neither("none", false, false)]
    #[case::one("read", true, false)]
    #[case::the_other_alone("write", false, true)]
    #[case::both("read_write", true, true)]
    fn reading_and_writing_are_apart(
        #[case] permission: &str,
        #[case] reads: bool,
        #[case] writes: bool,
    ) {
        let json = format!(r#"{{"name":"x","data_api":{{"customer":"{permission}"}}}}"#);
        let group: AccessGroup = serde_json::from_str(&json).unwrap();
        let customer = |action| need(Api::Data, ApiResource::Customer, action);
        assert_eq!(group.permits(customer(Action::Read)), reads);
        assert_eq!(group.permits(customer(Action::Write)), writes);
        assert!(!group.permits(need(Api::Config, ApiResource::Customer, Action::Read)));
        assert!(!group.permits(need(Api::Data, ApiResource::Points, Action::Write)));
    }

    #[rstest]
    #[case(AccessGroup::FULL_ACCESS, &[true, true, true, true])]
    #[case(AccessGroup::READ_ONLY, &[true, false, true, false])]
    #[case(AccessGroup::REGISTRATION, &[true, true, false, false])]
    fn built_in_groups(#[case] name: &str, #[case] permitted: &[bool]) {
        let group = AccessGroup::built_in(name).unwrap();
        let needs = [
            need(Api::Data, ApiResource::Customer, Action::Read),
            need(Api::Data, ApiResource::Customer, Action::Write),
            need(Api::Config, ApiResource::Organization, Action::Read),
            need(Api::Config, ApiResource::Organization, Action::Write),
        ];
        assert_eq!(needs.map(|need| group.permits(need)), permitted);
        assert!(AccessGroup::BUILT_IN.contains(&name));
    }

    #[test]
    fn every_resource_is_named_in_snake_case() {
        let name = |resource| serde_json::to_string(resource).unwrap();
        let names: Vec<String> = ApiResource::ALL.iter().map(name).collect();
        for name in [r#""customer""#, r#""organization_data_fields""#, r#""behavioural_event""#] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert_eq!(names.len(), 28);
    }
}
