//! The table of codes: the only place that knows a number or its message.

use std::borrow::Cow;
use std::fmt;

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
}

macro_rules! table {
    ($($name:ident = $number:literal $kind:ident $message:literal, $source:literal;)*) => {
        $(#[doc = $message]
        pub const $name: &Code =
            &Code { number: $number, kind: Kind::$kind, message: $message, source: $source };)*
        /// Every row, in the order of the table.
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

table! {
    REGISTERED = 1000 Success "Customer registration successful",
        "Add Customer, sample responses";

    SOME_FAILED = 201 Request "Some requests have failed due to errors",
        "v1.1 request status table";
    SUCCESS = 200 Request "Success",
        "Add Customer, sample responses";
    UNREADABLE = 400 Request
        "Input is invalid, Please check request parameters or input xml/json",
        "v1.1 request status table";
    UNAUTHORISED = 401 Request "Please check your username/password or authentication token",
        "v1.1 request status table";
    UNKNOWN_RESOURCE = 404 Request "Incorrect resource",
        "v1.1 request status table";
    WRONG_METHOD = 405 Request "Incorrect HTTP Method",
        "v1.1 request status table";
    UNEXPECTED = 407 Request "Unknown Error happened while processing the request",
        "v1.1 request status table";
    TIMED_OUT = 408 Request "The request did not arrive in time",
        "Patron";
    TOO_LARGE = 413 Request "Request body is too large",
        "Patron";
    UNSUPPORTED_MEDIA_TYPE = 415 Request "Unsupported media type",
        "v2 request status table";
    TOO_MANY_REQUESTS = 429 Request "Rate limit exceeded",
        "v1.1 one-time password codes";
    ALL_FAILED = 500 Request "All requests have failed due to errors",
        "Add Customer, error codes and sample response";
    UNAVAILABLE = 503 Request "The registry is not available at the moment",
        "Patron";
    BATCH_LIMIT = 1060 Request "Batch limit exceeded.",
        "v1.1 customer codes";

    INVALID_MOBILE = 1001 Error "Unable to register. Invalid mobile number.",
        "v1.1 customer codes";
    INVALID_EMAIL = 1002 Error "Unable to register. Invalid email ID.",
        "v1.1 customer codes";
    INVALID_EXTERNAL_ID = 1003 Error "Unable to register. Invalid external ID.",
        "v1.1 customer codes";
    MOBILE_REQUIRED = 1006 Error "Unable to register. Mobile number is required.",
        "v1.1 customer codes";
    NO_IDENTIFIER = 1007 Error
        "Error in customer registration: No Valid Mobile Number or External ID or Email provided required for registration",
        "Add Customer, error codes";
    EMAIL_TAKEN = 1016 Error "Unable to register. Email ID already exists for another user.",
        "v1.1 customer codes";
    MOBILE_TAKEN = 1032 Error "A customer already exists with the same mobile number.",
        "v1.1 customer codes";
    EXTERNAL_ID_TAKEN = 1033 Error "A customer already exists with the same external ID.",
        "v1.1 customer codes";
    DATE_OUT_OF_RANGE = 1034 Error
        "Unable to register. Registration date is not within the allowed past or future date limit.",
        "v1.1 customer codes";
    EMAIL_REQUIRED = 1039 Error "Unable to register. Email ID is required.",
        "v1.1 customer codes";
    EXTERNAL_ID_REQUIRED = 1043 Error
        "Unable to register. Customer's external ID is required.",
        "v1.1 customer codes";
    NON_LOYALTY_NEEDS_CONTACT = 1045 Error
        "No valid identifier (mobile or email) passed for non-loyalty customer.",
        "v1.1 customer codes";
    LOYALTY_STAYS = 1046 Error
        "Conversion of loyalty customer to non-loyalty is not allowed.",
        "v1.1 customer codes";
    PRIMARY_MISMATCH = 1047 Error
        "Customer's primary identifier does not match other identifiers.",
        "v1.1 customer codes";
    COUNTRY_MISSING = 8014 Error
        "Unable to register. Country configuration is missing or invalid.",
        "v1.1 customer codes";
    FAILED_TO_ADD = 10001 Error "Failed to add customer: {x}",
        "v1.1 customer codes";
    INVALID_REGISTERED_TILL = 91020 Error "Invalid TILL passed for registration.",
        "v1.1 customer codes";
    INVALID_ASSOCIATED_TILL = 91021 Error "Invalid attribution TILL passed.",
        "v1.1 customer codes";
    UNEXPECTED_ITEM = 999_999 Error "Unexpected fault, nothing was stored for this customer",
        "v1.1 preferences reply (number); the wording is Patron's";

    INVALID_CUSTOM_FIELD = 1017 Warning "Provided Custom Field is invalid",
        "Add Customer, sample responses";
    PRIMARY_KEPT = 91005 Warning "{x} is a primary key. {y} cannot be updated.",
        "v1.1 customer codes";
    IDENTIFIER_KEPT = 91006 Warning "{x} update is not allowed.",
        "v1.1 customer codes";
    IDENTIFIER_OCCUPIED = 91007 Warning
        "{x} is already occupied by another user. Ignoring it.",
        "v1.1 customer codes";
    INVALID_EXTENDED_FIELD = 91015 Warning
        "Failed to update extended fields or field length is too long: {x}.",
        "v1.1 customer codes";
}

/// Why one customer was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The row of the table.
    pub code: &'static Code,
    /// The message with its gaps filled.
    pub message: Cow<'static, str>,
}

impl Failure {
    /// A failure whose message has a gap for what exactly was wrong.
    #[must_use]
    pub fn because(code: &'static Code, x: &str) -> Self {
        Self {
            code,
            message: filled(code, x, ""),
        }
    }
}

impl From<&'static Code> for Failure {
    fn from(code: &'static Code) -> Self {
        Self {
            code,
            message: Cow::Borrowed(code.message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.number, self.message)
    }
}

/// What of a customer that was registered could not be taken as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The row of the table.
    pub code: &'static Code,
    /// The message with its gaps filled.
    pub message: Cow<'static, str>,
}

impl Warning {
    /// A warning whose message names what it is about.
    #[must_use]
    pub fn about(code: &'static Code, x: &str, y: &str) -> Self {
        Self {
            code,
            message: filled(code, x, y),
        }
    }
}

impl From<&'static Code> for Warning {
    fn from(code: &'static Code) -> Self {
        Self {
            code,
            message: Cow::Borrowed(code.message),
        }
    }
}

fn filled(code: &Code, x: &str, y: &str) -> Cow<'static, str> {
    Cow::Owned(code.message.replace("{x}", x).replace("{y}", y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_stands_twice() {
        let mut numbers: Vec<u32> = ALL.iter().map(|code| code.number).collect();
        numbers.sort_unstable();
        let rows = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), rows);
    }

    #[test]
    fn gaps_are_filled() {
        let warning = Warning::about(PRIMARY_KEPT, "mobile", "918812345678");
        assert_eq!(
            warning.message,
            "mobile is a primary key. 918812345678 cannot be updated."
        );
        assert_eq!(
            Failure::because(FAILED_TO_ADD, "x").message,
            "Failed to add customer: x"
        );
    }
}
