//! The members of a request to `customer/add`: what [`super::request`] reads, and what the OpenAPI
//! document says of it.
//!
//! Members are kept as they were sent until each customer is read. A text may come as a number and a
//! list of one as that one, which the document leaves unsaid, since nobody should begin with it.

use patron_rules::profile::CustomerType;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A member as it was sent; `None` where it was not, or was null.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// The customers to register.
#[derive(Deserialize, ToSchema)]
#[schema(as = CustomersToAdd)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    #[schema(value_type = Root)]
    pub(super) root: &'a RawValue,
}

/// The container of what is sent.
#[derive(Deserialize, ToSchema)]
#[schema(as = CustomersToAddRoot, xml(name = "root"))]
pub(super) struct Root<'a> {
    /// The customers, each with at least one identifier; as many as the organisation's setting
    /// `BATCH_LIMIT` allows, 1,000 at most.
    #[serde(borrow)]
    #[schema(value_type = Vec<Customer>, min_items = 1, max_items = 1000)]
    pub(super) customer: &'a RawValue,
}

/// A customer to register. A mobile number, an email address or an external id is required; which of
/// them, the organisation's settings say. What is null or blank is not passed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = CustomerToAdd)]
#[serde(expecting = "a customer, which is an object")]
pub(super) struct Customer<'a> {
    /// The mobile number: digits with the country code; where that is missing, the organisation's
    /// country is completed.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 64, examples("917700811213"))]
    pub(super) mobile: Raw<'a>,
    /// The email address. Case does not matter to whose it is.
    #[schema(value_type = Option<String>, max_length = 255, examples("testing1Nee113@gmail.com"))]
    pub(super) email: Raw<'a>,
    /// The organisation's own identifier. Special characters are not recommended.
    #[schema(value_type = Option<String>, max_length = 250, examples("12on123"))]
    pub(super) external_id: Raw<'a>,
    /// The first name: letters, digits, blanks, hyphens and apostrophes.
    #[schema(value_type = Option<String>, max_length = 100, examples("Raj"))]
    pub(super) firstname: Raw<'a>,
    /// The last name, likewise.
    #[schema(value_type = Option<String>, max_length = 100, examples("loyal"))]
    pub(super) lastname: Raw<'a>,
    /// Whether the customer joins the loyalty programme, in any case of letters; `LOYALTY` unless
    /// said otherwise.
    #[serde(rename = "type")]
    #[schema(value_type = Option<CustomerType>)]
    pub(super) customer_type: Raw<'a>,
    /// From where the customer comes, in any case of letters: `INSTORE`, `FACEBOOK`, `WEB_ENGAGE`,
    /// `WECHAT`, `MARTJACK`, `TMALL`, `TAOBAO`, `JD`, `ECOMMERCE`, `WEBSITE`, `LINE`, `XIAOHONGSHU`,
    /// `GLOBAL_SCANNER`, `SUNING`, `PINDUODUO`, `KAOLA`, `MOBILE_APP`, `WHATSAPP`, `LINKEDIN`, `SMS`,
    /// `INDIAMART`, `VIBER`, `MPUSH_FCM`, `MAPP_SDK`, `OAUTH_EXTERNAL`, `NEWSLETTER`, `CAMPAIGNS`, `NCA`,
    /// `OTHERS`, or one of the organisation's own. `INSTORE` unless said otherwise.
    #[schema(value_type = Option<String>, examples("INSTORE"))]
    pub(super) source: Raw<'a>,
    /// The account of the source.
    #[serde(rename = "accountId")]
    #[schema(value_type = Option<String>, examples("123456"))]
    pub(super) account_id: Raw<'a>,
    /// When the customer registered: `YYYY-MM-DD HH:MM:SS`, local to the till; now by default. At
    /// the earliest `CONF_MIN_REGISTRATION_DATE`.
    #[schema(value_type = Option<String>, max_length = 40, examples("2024-07-29 11:11:11"))]
    pub(super) registered_on: Raw<'a>,
    /// When the customer was last updated, likewise. The details of a request that is older than the
    /// customer's last update are ignored with a warning, or applied (`OLDER_UPDATE`).
    #[schema(value_type = Option<String>, max_length = 40, examples("2025-05-29 09:10:00"))]
    pub(super) updated_on: Raw<'a>,
    /// The name of the till where the customer registered; the caller's unless said otherwise.
    #[schema(value_type = Option<String>, max_length = 50, examples("till.001"))]
    pub(super) registered_till: Raw<'a>,
    /// The name of the till with which the customer is associated.
    #[schema(value_type = Option<String>, max_length = 50, examples("till.001"))]
    pub(super) associated_with: Raw<'a>,
    /// The fraud status.
    #[schema(value_type = Option<FraudStatus>)]
    pub(super) fraud_status: Raw<'a>,
    /// How the customer can be reached; the identifiers unless said otherwise.
    #[serde(rename = "commChannels")]
    #[schema(value_type = Option<Vec<Channel>>, max_items = 20)]
    pub(super) channels: Raw<'a>,
    /// Values of the organisation's custom fields. One that is not valid is left out with a warning.
    #[schema(value_type = Option<Fields>)]
    pub(super) custom_fields: Raw<'a>,
    /// Values of the organisation's extended fields. One that is not valid is left out with a warning.
    #[schema(value_type = Option<Fields>)]
    pub(super) extended_fields: Raw<'a>,
    /// Which messages the customer wants.
    #[schema(value_type = Option<Subscriptions>)]
    pub(super) subscriptions: Raw<'a>,
    /// The code of the customer who referred this one.
    #[schema(value_type = Option<String>, max_length = 50)]
    pub(super) referral_code: Raw<'a>,
    /// The card that the customer gets.
    #[schema(value_type = Option<CardDetails>)]
    pub(super) card_details: Raw<'a>,
    /// Kept as it is sent.
    #[schema(value_type = Option<String>, max_length = 250)]
    pub(super) gender: Raw<'a>,
    /// Kept as it is sent.
    #[schema(value_type = Option<String>, max_length = 250)]
    pub(super) ndnc_status: Raw<'a>,
    /// `TEST` or `CONTROL`: to which group of campaigns the customer belongs.
    #[schema(value_type = Option<String>, max_length = 250)]
    pub(super) test_control_status: Raw<'a>,
}

/// The fraud status of a customer.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = FraudStatusToAdd)]
#[serde(expecting = "an object with `status`")]
pub(super) struct FraudStatus<'a> {
    /// `NORMAL`, `OUTLIER`, `FRAUD`, `INTERNAL`, `INVALID`, `NONE`, `MARKED`, `CONFIRMED`,
    /// `RECONFIRMED`, `NOT_FRAUD`, `ACTIVE`, `SUSPENDED`, `DELETED`, `FRAUD_SUSPECTED`,
    /// `FRAUD_CONFIRMED` or `PENDING_DELETION`, in any case of letters.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, examples("Fraud_Suspected"))]
    pub(super) status: Raw<'a>,
}

/// The subscriptions of a customer.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SubscriptionsToAdd)]
#[serde(expecting = "an object with `subscription`")]
pub(super) struct Subscriptions<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<Subscription>>, max_items = 20)]
    pub(super) subscription: Raw<'a>,
}

/// Whether a customer wants messages. One that is not valid is left out with a warning.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SubscriptionToAdd)]
#[serde(expecting = "an object with `channel`, `priority` and `is_subscribed`")]
pub(super) struct Subscription<'a> {
    /// `SMS` or `EMAIL`.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, examples("SMS"))]
    pub(super) channel: Raw<'a>,
    /// `TRANS` for personal messages, `BULK` for promotional ones.
    #[schema(value_type = Option<String>, examples("BULK"))]
    pub(super) priority: Raw<'a>,
    /// `ALL`.
    #[schema(value_type = Option<String>, examples("ALL"))]
    pub(super) scope: Raw<'a>,
    /// `1` or `0`, `true` or `false`.
    #[schema(value_type = Option<String>, examples("1"))]
    pub(super) is_subscribed: Raw<'a>,
}

/// The card that a customer gets.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = CardToAdd)]
#[serde(expecting = "an object with `card_number` or `series_code`")]
pub(super) struct CardDetails<'a> {
    /// The card's number; the next of the series where there is none.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 50)]
    pub(super) card_number: Raw<'a>,
    /// The series that the card is of.
    #[schema(value_type = Option<String>, max_length = 50)]
    pub(super) series_code: Raw<'a>,
}

/// Values of fields that are defined beforehand.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = FieldsToAdd)]
#[serde(expecting = "an object with `field`")]
pub(super) struct Fields<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<Field>>, max_items = 200)]
    pub(super) field: Raw<'a>,
}

/// The value of a field.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = FieldToAdd)]
#[serde(expecting = "an object with `name` and `value`")]
pub(super) struct Field<'a> {
    /// The field's name.
    #[serde(borrow)]
    #[schema(value_type = String, examples("City_name"))]
    pub(super) name: Raw<'a>,
    /// The value, at most 4,096 bytes.
    #[schema(value_type = Option<String>, max_length = 4096, examples("Bangalore"))]
    pub(super) value: Raw<'a>,
}

/// A way to reach a customer. One that is not valid is left out with a warning.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ChannelToAdd)]
#[serde(expecting = "an object with `type` and `value`")]
pub(super) struct Channel<'a> {
    /// `mobile` (or `SMS`), `email`, `cardnumber`, `wechat`, `ios`, `android`, `mobilepush` (or
    /// `mobile push notifications`), `line`, `whatsapp`, `postmail` or `viber`: of these, those that
    /// the customer's source has. Case, blanks, `-` and `_` do not matter.
    #[serde(rename = "type", borrow)]
    #[schema(value_type = Option<String>, max_length = 50, examples("mobile"))]
    pub(super) kind: Raw<'a>,
    /// The number, address or token.
    #[schema(value_type = Option<String>, max_length = 255, examples("917700811213"))]
    pub(super) value: Raw<'a>,
    /// Whether it is the contact to prefer: `true` or `false`.
    #[schema(value_type = Option<String>, examples("true"))]
    pub(super) primary: Raw<'a>,
    /// Whether the customer proved to own it: `true` or `false`.
    #[schema(value_type = Option<String>, examples("true"))]
    pub(super) verified: Raw<'a>,
    #[schema(value_type = Option<Meta>)]
    pub(super) meta: Raw<'a>,
}

/// What else is known of a channel.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ChannelMetaToAdd)]
#[serde(expecting = "an object")]
pub(super) struct Meta<'a> {
    /// Whether it reaches the customer at home: `true` or `false`.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, examples("true"))]
    pub(super) residence: Raw<'a>,
    /// Whether it reaches the customer at work: `true` or `false`.
    #[schema(value_type = Option<String>)]
    pub(super) office: Raw<'a>,
    /// When the customer last looked at it; kept as it is sent.
    #[serde(rename = "lastViewedDate")]
    #[schema(value_type = Option<String>, max_length = 50)]
    pub(super) last_viewed: Raw<'a>,
}
