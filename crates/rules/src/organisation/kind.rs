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
