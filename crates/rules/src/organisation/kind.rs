//! The kinds of documents that an organisation is set up with.

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What the organisation is: one document.
    Organisation,
    /// The registration configuration: one document.
    Settings,
    /// Access groups.
    AccessGroups,
    /// Zones, which group stores by place.
    Zones,
    /// Concepts, which group stores by brand or purpose.
    Concepts,
    /// Stores.
    Stores,
    /// Tills.
    Tills,
    /// API clients.
    ApiClients,
    /// How often tills and API clients may call: one document.
    Limits,
    /// Sources of customers, with their accounts.
    Sources,
    /// Custom fields.
    CustomFields,
    /// Extended fields.
    ExtendedFields,
    /// Loyalty programmes.
    Programmes,
    /// Card series.
    CardSeries,
    /// Coupon series.
    CouponSeries,
    /// Alternate currencies.
    Currencies,
    /// Referral campaigns.
    ReferralCampaigns,
    /// What registration earns.
    RewardRules,
}

impl Kind {
    /// Every kind; those that others refer to come first.
    pub const ALL: [Self; 18] = [
        Self::Organisation,
        Self::Settings,
        Self::AccessGroups,
        Self::Zones,
        Self::Concepts,
        Self::Stores,
        Self::Tills,
        Self::ApiClients,
        Self::Limits,
        Self::Sources,
        Self::CustomFields,
        Self::ExtendedFields,
        Self::Programmes,
        Self::CardSeries,
        Self::CouponSeries,
        Self::Currencies,
        Self::ReferralCampaigns,
        Self::RewardRules,
    ];

    /// The kind's name in the store, in the admin API's paths and in an organisation's file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Settings => "settings",
            Self::AccessGroups => "access_groups",
            Self::Zones => "zones",
            Self::Concepts => "concepts",
            Self::Stores => "stores",
            Self::Tills => "tills",
            Self::ApiClients => "api_clients",
            Self::Limits => "limits",
            Self::Sources => "sources",
            Self::CustomFields => "custom_fields",
            Self::ExtendedFields => "extended_fields",
            Self::Programmes => "programmes",
            Self::CardSeries => "card_series",
            Self::CouponSeries => "coupon_series",
            Self::Currencies => "currencies",
            Self::ReferralCampaigns => "referral_campaigns",
            Self::RewardRules => "reward_rules",
        }
    }

    /// What one document of the kind is called.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Settings => "settings",
            Self::AccessGroups => "access group",
            Self::Zones => "zone",
            Self::Concepts => "concept",
            Self::Stores => "store",
            Self::Tills => "till",
            Self::ApiClients => "API client",
            Self::Limits => "limits",
            Self::Sources => "source",
            Self::CustomFields => "custom field",
            Self::ExtendedFields => "extended field",
            Self::Programmes => "programme",
            Self::CardSeries => "card series",
            Self::CouponSeries => "coupon series",
            Self::Currencies => "alternate currency",
            Self::ReferralCampaigns => "referral campaign",
            Self::RewardRules => "reward rule",
        }
    }

    /// What several documents of the kind are called.
    #[must_use]
    pub fn plural(self) -> String {
        let noun = self.noun();
        match self {
            Self::Settings | Self::Limits | Self::CardSeries | Self::CouponSeries => {
                noun.to_owned()
            }
            Self::Currencies => "alternate currencies".to_owned(),
            _ => format!("{noun}s"),
        }
    }

    /// One document of the kind with its article: `a till`, `an access group`, `the settings`.
    #[must_use]
    pub fn with_article(self) -> String {
        let noun = self.noun();
        let article = match noun.as_bytes().first() {
            _ if self.is_single() => "the",
            Some(b'A' | b'a' | b'e' | b'i' | b'o' | b'u') => "an",
            _ => "a",
        };
        format!("{article} {noun}")
    }

    /// The document of this name as messages name it: ``store `Leeds` ``, `` `settings` ``.
    #[must_use]
    pub fn label(self, name: &str) -> String {
        let noun = self.noun();
        if self.is_single() { format!("`{noun}`") } else { format!("{noun} `{name}`") }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether an organisation has exactly one document of this kind, named like the kind itself.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(self, Self::Organisation | Self::Settings | Self::Limits)
    }
}
