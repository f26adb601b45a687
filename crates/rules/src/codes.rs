//! The table of codes: the only place that knows a number or its message.

use std::borrow::Cow;
use std::fmt;

use crate::submission::Member;

/// What a code says about the item or the request that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The item was carried out.
    Success,
    /// The item was refused; nothing of it was stored.
    Error,
    /// The item was carried out, but not all of it.
    Warning,
    /// The whole request, not one of its items.
    Request,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The number on the wire.
    pub number: u32,
    /// What it is said of.
    pub kind: Kind,
    /// The message on the wire. `{x}` and `{y}` stand for what the occasion fills in.
    pub message: &'static str,
    /// Where the number and its wording come from.
    pub source: &'static str,
    /// What it means, who acts on it, and how.
    pub meaning: &'static str,
}

macro_rules! table {
    ($($name:ident = $number:literal $kind:ident $message:literal, $source:literal, $meaning:literal;)*) => {
        $(#[doc = $message]
        pub const $name: &Code = &Code {
            number: $number,
            kind: Kind::$kind,
            message: $message,
            source: $source,
            meaning: $meaning,
        };)*
        /// Every row, in the order of the table.
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

table! {
    REGISTERED = 1000 Success "Customer registration successful",
        "Add Customer, sample responses",
        "The customer is registered, or was known and is updated. Nobody needs to act.";
    NO_IDENTIFIER_TO_GET = 1015 Request "No identifier provided to get loyalty users.",
        "v1.1 customer codes",
        "A look-up has none of `mobile`, `email`, `external_id`, `id`, `card_number` and `card_external_id`. The caller passes one of them in the query.";
    SOME_FAILED = 201 Request "Some requests have failed due to errors",
        "v1.1 request status table",
        "At least one customer went through and at least one did not. The caller looks at each `item_status`.";
    SUCCESS = 200 Request "Success",
        "Add Customer, sample responses",
        "Every customer went through. Nobody needs to act.";
    UNREADABLE = 400 Request "Input is invalid, Please check request parameters or input xml/json",
        "v1.1 request status table",
        "The body is not in the format or content coding that the request names, or has no customer in `root`; or a header or a parameter of the query is not valid. No customer was read. The message names the line and column, the header or the parameter; the caller corrects it.";
    UNAUTHORISED = 401 Request "Please check your username/password or authentication token",
        "v1.1 request status table",
        "No till and password digest came with the request, or wrong ones. The caller sends `Authorization: Basic`, with the till's name and the lower-case hexadecimal MD5 or SHA-256 of its password.";
    UNAUTHORISED_TOKEN = 401 Request "Unauthorized",
        "Authentication, error codes",
        "The access token is not one that was issued, was revoked, or its client is out of use. The caller generates another by `POST /v3/oauth/token/generate`.";
    CLIENT_DENIED = 403 Request "Client doesn't have access to the requested resource",
        "Authentication, error codes",
        "The API client's access group does not permit what was asked for. The operator gives it another group, or changes the group.";
    TOKEN_EXPIRED = 498 Request "Token expired at {x}",
        "Authentication, error codes",
        "The access token was good until then. The caller generates another by `POST /v3/oauth/token/generate`.";
    TILL_DENIED = 4000 Request "Not authorized. Access is denied!",
        "Authentication, error codes",
        "The access group of the till's store does not permit what was asked for. The operator gives the store another group, or changes the group.";
    ACCESS_UNKNOWN = 4001 Request "Authorization status unavailable!",
        "Authentication, error codes",
        "Credentials cannot be looked up or verified at the moment. The caller waits for as many seconds as `Retry-After` says and asks again.";
    INVALID_CLIENT = 320_001 Request "Invalid client key and secret",
        "Authentication, token generation",
        "There is no such key, or the secret is not its own, or the client is out of use. The caller mends them; the operator can give the client another secret.";
    UNKNOWN_RESOURCE = 404 Request "Incorrect resource",
        "v1.1 request status table",
        "No endpoint has the path that the message names. The caller corrects the URL.";
    WRONG_METHOD = 405 Request "Incorrect HTTP Method",
        "v1.1 request status table",
        "There is something at this path, for another HTTP method. The caller mends the method.";
    UNEXPECTED = 407 Request "Unknown Error happened while processing the request",
        "v1.1 request status table",
        "A fault of Patron's own. The operator looks for the request id in the log and reports it.";
    TOO_LARGE = 413 Request "Request body is too large",
        "Patron",
        "The body exceeds `body_limit_bytes`, as it was sent or without its content coding. The caller sends fewer customers a call.";
    UNSUPPORTED_MEDIA_TYPE = 415 Request "Unsupported media type",
        "v2 request status table",
        "The request names a format other than JSON and XML, or a `Content-Encoding` other than gzip and deflate. The caller sends the format or coding that the message names.";
    KEY_REUSED = 422 Request "The idempotency key is that of another request",
        "Patron",
        "The caller has sent this `Idempotency-Key` in the last 24 hours with another body, format, `explain`, attribution or client country code, and that request was carried out; of this one nothing was looked at. The caller gives each request a key of its own, and sends it again with the same key only as it was.";
    TOO_MANY_REQUESTS = 429 Request "Rate limit exceeded",
        "v1.1 one-time password codes",
        "The till has made as many calls as a minute admits, there were too many wrong passwords for it or from its address, or no further replies are kept for it, as the message then says. The caller waits for as many seconds as `Retry-After` says; the operator may raise the limit.";
    ALL_FAILED = 500 Request "All requests have failed due to errors",
        "Add Customer, error codes and sample response",
        "No customer went through. The caller looks at each `item_status`.";
    UNAVAILABLE = 503 Request "The registry is not available at the moment",
        "Patron",
        "The store cannot be written or read, or too much work is waiting; nothing is known to be stored. The caller waits for as many seconds as `Retry-After` says and sends the request again, which makes no duplicates.";
    BATCH_LIMIT = 1060 Request "Batch limit exceeded.",
        "v1.1 customer codes",
        "More customers in one call than the setting `BATCH_LIMIT` allows; none was looked at. The caller sends fewer a call, or the operator raises the setting.";
    INVALID_MOBILE = 1001 Error "Unable to register. Invalid mobile number.",
        "v1.1 customer codes",
        "The mobile number fits no rule of the organisation's countries (`COUNTRY`, `SUPPORTED_COUNTRIES`, `MOBILE_VALIDATION`); `?explain=true` says why. The caller corrects the number, or the operator the settings.";
    INVALID_EMAIL = 1002 Error "Unable to register. Invalid email ID.",
        "v1.1 customer codes",
        "The email address has not the form of one, or characters besides a-z A-Z 0-9 - _ + . and @. The caller mends it.";
    INVALID_EXTERNAL_ID = 1003 Error "Unable to register. Invalid external ID.",
        "v1.1 customer codes",
        "The external id is longer than 250 characters, holds a control character, or has not the organisation's prefix and length. The caller mends it.";
    MOBILE_REQUIRED = 1006 Error "Unable to register. Mobile number is required.",
        "v1.1 customer codes",
        "The mobile number identifies customers here, or `CONF_USERS_IS_MOBILE_REQUIRED` asks for it, and there is none. The caller passes it, or the operator changes the setting.";
    NO_IDENTIFIER = 1007 Error "Error in customer registration: No Valid Mobile Number or External ID or Email provided required for registration",
        "Add Customer, error codes",
        "Neither mobile, email nor external id was passed. The caller passes at least one.";
    NO_EXTERNAL_IDS = 1008 Error "Unable to register with external ID.",
        "v1.1 customer codes",
        "An external id was passed, and customers of the organisation have none (`CONF_USERS_USE_EXTERNAL_ID`). The caller leaves it out, or the operator switches them on.";
    CUSTOMER_NOT_FOUND = 1012 Error
        "Cannot find customer with the provided mobile number, external ID, or email ID.",
        "v1.1 customer codes",
        "The organisation has no customer of this identifier or id. The caller mends it, or registers the customer.";
    ALREADY_REGISTERED = 1014 Error "Customer is already registered.",
        "v1.1 customer codes",
        "The customer is known, and the setting `KNOWN_CUSTOMER` is REFUSE. The caller treats the customer as registered.";
    EMAIL_NOT_ENOUGH = 1019 Error
        "Mobile number or external ID is required along with the email ID to register.",
        "v1.1 customer codes",
        "Only an email address was passed, and customers are not found by it (`CONF_USERS_IS_EMAIL_UNIQUE`). The caller passes another identifier as well.";
    EMAIL_TAKEN = 1016 Error "Unable to register. Email ID already exists for another user.",
        "v1.1 customer codes",
        "The identifiers passed belong to different customers, the email address to the second of them. The caller finds out which is right.";
    MOBILE_TAKEN = 1032 Error "A customer already exists with the same mobile number.",
        "v1.1 customer codes",
        "The identifiers passed belong to different customers, the mobile number to the second of them. The caller finds out which is right.";
    EXTERNAL_ID_TAKEN = 1033 Error "A customer already exists with the same external ID.",
        "v1.1 customer codes",
        "The identifiers passed belong to different customers, the external id to the second of them. The caller finds out which is right.";
    DATE_OUT_OF_RANGE = 1034 Error "Unable to register. Registration date is not within the allowed past or future date limit.",
        "v1.1 customer codes",
        "`registered_on` is not a date of the form YYYY-MM-DD HH:MM:SS, is earlier than `CONF_MIN_REGISTRATION_DATE`, or lies further ahead than `FUTURE_REGISTRATION_DAYS`; the message says which. The caller corrects it, or the operator changes the settings.";
    EMAIL_REQUIRED = 1039 Error "Unable to register. Email ID is required.",
        "v1.1 customer codes",
        "The email address identifies customers here, or `CONF_USERS_IS_EMAIL_REQUIRED` asks for it, and there is none; the message says if the one passed was left out, and why. The caller passes it, or the operator changes the setting.";
    EXTERNAL_ID_REQUIRED = 1043 Error "Unable to register. Customer's external ID is required.",
        "v1.1 customer codes",
        "The external id identifies customers here, or `CONF_USERS_IS_EXTERNAL_ID_REQUIRED` asks for it, and there is none. The caller passes it, or the operator changes the setting.";
    NON_LOYALTY_NEEDS_CONTACT = 1045 Error "No valid identifier (mobile or email) passed for non-loyalty customer.",
        "v1.1 customer codes",
        "A customer of type NON_LOYALTY came without mobile and email. The caller passes one of them.";
    LOYALTY_STAYS = 1046 Error "Conversion of loyalty customer to non-loyalty is not allowed.",
        "v1.1 customer codes",
        "A loyalty customer was to become one of another type. The caller leaves the type out.";
    PRIMARY_MISMATCH = 1047 Error "Customer's primary identifier does not match other identifiers.",
        "v1.1 customer codes",
        "A secondary identifier belongs to another customer than the primary one, and `CONF_PRIMARY_IDENTIFIER_STRICT_CHECK` is on. The caller finds out which is right.";
    EMAIL_NEEDED_FOR_LOYALTY = 1048 Error
        "Customer's email ID is required to convert to a loyalty customer.",
        "v1.1 customer codes",
        "A customer of another type is to become a loyalty customer and has no email address, which `CONF_USERS_IS_EMAIL_REQUIRED` asks for. The caller passes it.";
    EXTERNAL_ID_NEEDED_FOR_LOYALTY = 1049 Error
        "Customer's external ID is required to convert to a loyalty customer.",
        "v1.1 customer codes",
        "A customer of another type is to become a loyalty customer and has no external id, which `CONF_USERS_IS_EXTERNAL_ID_REQUIRED` asks for. The caller passes it.";
    COUNTRY_MISSING = 8014 Error "Unable to register. Country configuration is missing or invalid.",
        "v1.1 customer codes",
        "The organisation has no country by which to complete mobile numbers. The operator sets `COUNTRY`.";
    FAILED_TO_ADD = 10001 Error "Failed to add customer: {x}",
        "v1.1 customer codes",
        "An identifier, `type`, `source` or `accountId` has a form or a value that is not accepted, or, by `STRICT_EXTRAS`, another member; the message names it. The caller corrects it.";
    INVALID_REGISTERED_TILL = 91020 Error "Invalid TILL passed for registration.",
        "v1.1 customer codes",
        "`registered_till` names no till of the organisation. The caller mends the name, or the operator adds the till.";
    INVALID_ASSOCIATED_TILL = 91021 Error "Invalid attribution TILL passed.",
        "v1.1 customer codes",
        "`associated_with`, or an attribution header, names no till of the organisation, or no store that has one. The caller mends the name, or the operator adds the till, or lets the API client fall back to its default till.";
    UNEXPECTED_ITEM = 999_999 Error "Unexpected fault, nothing was stored for this customer",
        "v1.1 preferences reply (number); the wording is Patron's",
        "A fault of Patron's own with this customer alone. The operator looks for the request id in the log and reports it.";
    INVALID_CUSTOM_FIELD = 1017 Warning "Provided Custom Field is invalid",
        "Add Customer, sample responses",
        "At least one custom field was dropped: it is not defined, its value is not valid, or its value is too long for its pattern. The rest was registered. The caller corrects the field, or the operator defines it.";
    VALIDATION_FAILED = 91003 Warning "Validation failed: {x}.",
        "v1.1 customer codes (Patron adds what it is about)",
        "What the message names was not valid or is unknown, and was left out; the rest is registered. The caller corrects it. For unknown members and fraud statuses, `WARN_EXTRAS` = 0 switches the warning off.";
    PRIMARY_KEPT = 91005 Warning "{x} is a primary key. {y} cannot be updated.",
        "v1.1 customer codes",
        "The customer is known by another primary identifier, which never changes; the one passed was ignored. The caller finds out which is right.";
    IDENTIFIER_KEPT = 91006 Warning "{x} update is not allowed.",
        "v1.1 customer codes",
        "The customer has another identifier of this kind, and its setting does not allow to replace it; the one passed was ignored. The operator allows it where that is wanted.";
    IDENTIFIER_OCCUPIED = 91007 Warning "{x} is already occupied by another user. Ignoring it.",
        "v1.1 customer codes",
        "The identifier or the card belongs to another customer and was left to them. The caller finds out which is right.";
    SURVIVOR_FOUND = 91009 Warning "Retrieved survivor account for the requested merge victim.",
        "v1.1 customer codes",
        "The identifier belonged to a customer who was merged into the one told of. Nobody needs to act.";
    CUSTOMERS_MERGED = 8051 Warning "Merged the customer with userId {x} into the one with userId {y}",
        "v2 customer codes (the wording is Patron's)",
        "The identifiers passed belonged to two customers, and `MERGE_ON_CONFLICT` is on. The first customer named was merged into the second one, for good. Callers replace the first `user_id` that they keep by the second.";
    INVALID_EXTENDED_FIELD = 91015 Warning "Failed to update extended fields or field length is too long: {x}.",
        "v1.1 customer codes",
        "The extended field named was dropped: it is not defined, its value is not valid, or its value is too long for its patterns. The rest was registered. The caller corrects the field, or the operator defines it.";
    INVALID_FRAUD_STATUS = 1061 Error "Invalid fraud status",
        "v1.1 customer codes of 2017",
        "No document lists this `fraud_status`, and `STRICT_EXTRAS` is on. The caller corrects it, or the operator switches `STRICT_EXTRAS` off, which stores it as NONE with a warning (91003).";
    INVALID_TEST_CONTROL_STATUS = 1062 Error "Invalid test and control status.",
        "v1.1 customer codes",
        "`test_control_status` is neither TEST nor CONTROL, and `STRICT_EXTRAS` is on. The caller mends it, or the operator switches `STRICT_EXTRAS` off, which keeps it as it is.";
    STORE_NOT_FOUND = 1053 Warning "Preferred store specified is not found.",
        "v1.1 customer codes",
        "An extended field that names a store, such as `preferred_store`, names no store or till in use; it was dropped and the rest registered. The caller mends the name, or the operator adds the store.";
    NOT_ENROLLED = 1023 Warning "Unable to register customer to loyalty program.",
        "v1.1 customer codes",
        "The customer is registered as a loyalty customer and is not enrolled, because no programme in use is the default one. The operator makes one the default; the customer's next registration enrols them.";
    AWARD_FAILED = 1086 Warning "Points processing failed: {x}.",
        "v1.1 customer codes (Patron adds what it is about)",
        "The reward rule named could not be awarded: it gives a tier or a currency that is not there, or from a coupon series that is used up. Nothing of the rule was given; everything else is registered. The operator mends the rule.";
    POINTS_NOT_ISSUED = 1088 Warning "Unable to issue points, report to support: {x}.",
        "v1.1 customer codes (Patron adds what it is about)",
        "A balance would have more digits than can be kept exactly. Nothing of the reward rule named was given, or the customers were not merged; everything else is registered. The operator looks at the customer's ledger.";
    REFERRER_NOT_FOUND = 1205 Warning "Unable to find the referrer in the specified campaign.",
        "v1.1 customer codes",
        "The `referral_code` is nobody's or the customer's own, its campaign does not run, or it has brought as many customers as it may; nobody was rewarded by it, and everything else is registered. The caller asks for another code.";
    INVALID_SUBSCRIPTION_CHANNEL = 1101 Warning "Invalid subscription channel",
        "v1.1 subscription codes (number); the wording is Patron's",
        "A subscription's `channel` is neither sms nor email; the subscription was left out. The caller mends it.";
    INVALID_SUBSCRIPTION_PRIORITY = 1102 Warning "Invalid subscription priority",
        "v1.1 subscription codes (number); the wording is Patron's",
        "A subscription's `priority` is neither TRANS nor BULK; the subscription was left out. The caller mends it.";
    INVALID_SUBSCRIPTION_SCOPE = 1103 Warning "Invalid subscription scope",
        "v1.1 subscription codes (number); the wording is Patron's",
        "A subscription's `scope` is not all; the subscription was left out. The caller mends it.";
    SEVERAL_SUBSCRIPTION_SCOPES = 1105 Warning "Several subscription scopes are not allowed",
        "v1.1 subscription codes (number); the wording is Patron's",
        "A subscription's `scope` names several; the subscription was left out. The caller passes all.";
    INVALID_SUBSCRIPTION_STATUS = 1106 Warning "Invalid subscription status",
        "v1.1 subscription codes (number); the wording is Patron's",
        "A subscription's `is_subscribed` is none of 1, 0, true and false; the subscription was left out. The caller corrects it.";
    SUBSCRIPTION_KEPT = 91022 Warning "Failed to update subscription for {x} channel and priority {y}",
        "v1.1 customer codes",
        "The subscription named was not valid and was left out; the warning before it says why. The caller mends it.";
}

/// The message of 1000 where a customer was asked for.
pub const RETRIEVED_MESSAGE: &str = "Customer successfully retrieved";

/// A documented code of registration that no reply of Patron carries.
pub struct Unused {
    /// The numbers, as the documents give them.
    pub numbers: &'static str,
    /// What they say.
    pub message: &'static str,
    /// Why that does not happen here.
    pub reason: &'static str,
}

/// Every documented code of registration that no reply carries.
pub const UNUSED: &[Unused] = &[
    Unused {
        numbers: "618",
        message: "Not allowed - customer is marked as fraud.",
        reason: "A fraud status is kept and told, and forbids nothing.",
    },
    Unused {
        numbers: "816",
        message: "Customer not found for organization.",
        reason: "Registration makes the customer where there is none; look-up says 1012.",
    },
    Unused {
        numbers: "1004",
        message: "Failed to populate store.",
        reason: "A till that signs in always has its organisation; a till that is named and unknown is 91020 or 91021.",
    },
    Unused {
        numbers: "1005",
        message: "Unable to register with mobile number.",
        reason: "A mobile number always identifies.",
    },
    Unused {
        numbers: "1009, 1010",
        message: "Unable to add registered customer to MLM; unable to update loyalty points.",
        reason: "The customer, the enrolment and the points are one commit: all of it, or 503.",
    },
    Unused {
        numbers: "1011",
        message: "Cannot find customer for provided identifier.",
        reason: "Look-up says 1012, whatever it was asked by.",
    },
    Unused {
        numbers: "1013, 1020",
        message: "Customer is not registered for the loyalty program.",
        reason: "Said by calls that need a loyalty customer; registration makes one.",
    },
    Unused {
        numbers: "1018",
        message: "Unable to update custom field",
        reason: "What is valid is stored with the customer or not at all.",
    },
    Unused {
        numbers: "1024, 10002",
        message: "Unable to update customer.",
        reason: "Said by the update call; registration says 10001.",
    },
    Unused {
        numbers: "1038",
        message: "Unable to register with external ID.",
        reason: "The same text as 1008, which is used.",
    },
    Unused {
        numbers: "1040-1042, 9028",
        message: "Identity change requests.",
        reason: "Registration raises no request for approval; it changes an identifier or says 91005 or 91006.",
    },
    Unused {
        numbers: "1059",
        message: "Error in customer registration. Email or Mobile is required.",
        reason: "1007 without any identifier, 1045 for a non-loyalty customer with an external id alone.",
    },
    Unused {
        numbers: "1087, 1089-1099",
        message: "Points processing failed.",
        reason: "1086 and 1088 say what of it can happen.",
    },
    Unused {
        numbers: "91001, 91002, 91004",
        message: "Failed to get point, subscription or segmentation details.",
        reason: "The reply is made from what the commit wrote; there is nothing further to get.",
    },
    Unused {
        numbers: "91010-91014",
        message: "Tier downgrade, renewal and upgrade information.",
        reason: "Asked for by flags of the look-up that are not supported.",
    },
    Unused {
        numbers: "91016-91019",
        message: "WeChat and Web Engage profiles and notifications.",
        reason: "Patron keeps one profile of a customer, whatever the source.",
    },
];

/// Why one customer was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The row of the table.
    pub code: &'static Code,
    /// The member that was not right, where it is one.
    pub member: Option<Member>,
    reason: Cow<'static, str>,
}

impl Failure {
    /// A failure with what exactly was wrong: in the gap of its message, or behind it.
    #[must_use]
    pub fn because(code: &'static Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, member: None, reason: reason.into() }
    }

    /// A failure of this member.
    #[must_use]
    pub fn at(self, member: Member) -> Self {
        Self { member: Some(member), ..self }
    }

    /// The message, in whose gap stands what was wrong and where; `place` says where a member is.
    #[must_use]
    pub fn message(&self, place: impl Fn(&Member) -> String) -> Cow<'static, str> {
        if self.reason.is_empty() {
            return Cow::Borrowed(self.code.message);
        }
        let place = self.member.as_ref().map(|member| format!(" at {}", place(member)));
        let reason = format!("{}{}", self.reason, place.unwrap_or_default());
        if self.code.message.contains("{x}") {
            return filled(self.code, &reason, "");
        }
        with_reason(self.code.message, &reason)
    }
}

impl From<&'static Code> for Failure {
    fn from(code: &'static Code) -> Self {
        Self { code, member: None, reason: Cow::Borrowed("") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.number, self.message(|member| format!("{member:?}")))
    }
}

/// What of a customer that was registered could not be taken as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The row of the table.
    pub code: &'static Code,
    /// The member that could not be taken, where it is one.
    pub member: Option<Member>,
    gaps: Option<[String; 2]>,
    reason: Cow<'static, str>,
}

impl Warning {
    /// A warning whose message has gaps for what it is about.
    #[must_use]
    pub fn about(code: &'static Code, x: &str, y: &str) -> Self {
        Self { gaps: Some([x.to_owned(), y.to_owned()]), ..code.into() }
    }

    /// A warning of this member.
    #[must_use]
    pub fn at(self, member: Member) -> Self {
        Self { member: Some(member), ..self }
    }

    /// A warning with what exactly was wrong, behind its message.
    #[must_use]
    pub fn because(self, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// The message. Unless it was said what fills its gaps, the member does; `name` says what a
    /// member is called.
    #[must_use]
    pub fn message(&self, name: impl Fn(&Member) -> String) -> Cow<'static, str> {
        let message = self.without_reason(name);
        if self.reason.is_empty() { message } else { with_reason(&message, &self.reason) }
    }

    fn without_reason(&self, name: impl Fn(&Member) -> String) -> Cow<'static, str> {
        match (&self.gaps, &self.member) {
            (Some([x, y]), _) => filled(self.code, x, y),
            (None, Some(member)) => {
                let name = name(member);
                filled(self.code, &name, &name)
            }
            (None, None) => Cow::Borrowed(self.code.message),
        }
    }
}

impl From<&'static Code> for Warning {
    fn from(code: &'static Code) -> Self {
        Self { code, member: None, gaps: None, reason: Cow::Borrowed("") }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.number, self.message(|member| format!("{member:?}")))
    }
}

/// A message with a reason in parentheses before its full stop.
fn with_reason(message: &str, reason: &str) -> Cow<'static, str> {
    Cow::Owned(format!("{} ({reason}).", message.trim_end_matches('.')))
}

/// In one pass, since what fills a gap may look like one.
fn filled(code: &Code, x: &str, y: &str) -> Cow<'static, str> {
    let parts: Vec<String> = code.message.split("{x}").map(|part| part.replace("{y}", y)).collect();
    Cow::Owned(parts.join(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_stands_twice_but_for_two_kinds_of_credentials() {
        let mut numbers: Vec<u32> = ALL.iter().map(|code| code.number).collect();
        numbers.sort_unstable();
        let twice: Vec<_> = numbers.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert_eq!(twice, [[401, 401]]);
    }

    fn place(member: &Member) -> String {
        format!("<{member:?}>")
    }

    #[test]
    fn the_gaps_of_a_warning_are_filled() {
        let about =
            Warning::about(SUBSCRIPTION_KEPT, "{y}", "{x}").at(Member::Subscription(0, None));
        let message = "Failed to update subscription for {y} channel and priority {x}";
        assert_eq!(about.message(place), message);
        let at = Warning::from(PRIMARY_KEPT).at(Member::Gender);
        assert_eq!(at.message(place), "<Gender> is a primary key. <Gender> cannot be updated.");
        assert_eq!(Warning::from(SURVIVOR_FOUND).message(place), SURVIVOR_FOUND.message);
        let because = Warning::from(VALIDATION_FAILED).at(Member::Gender).because("x");
        assert_eq!(because.message(place), "Validation failed: <Gender> (x).");
    }

    #[test]
    fn a_failure_says_what_was_wrong_and_where() {
        let failure = Failure::because(FAILED_TO_ADD, "x");
        assert_eq!(failure.message(place), "Failed to add customer: x");
        let failure = failure.at(Member::Source);
        assert_eq!(failure.message(place), "Failed to add customer: x at <Source>");
        let failure = Failure::because(INVALID_EMAIL, "x").at(Member::Source);
        let message = "Unable to register. Invalid email ID (x at <Source>).";
        assert_eq!(failure.message(place), message);
        let failure = Failure::from(INVALID_EMAIL).at(Member::Source);
        assert_eq!(failure.message(place), INVALID_EMAIL.message);
    }
}
