//! What a customer is described by: one file a body parameter.

mod bounded;
pub mod channel;
pub mod custom_field;
pub mod customer_type;
pub mod date;
pub mod extended_field;
pub mod field;
pub mod fraud;
pub mod moment;
pub mod name;
pub mod pattern;
pub mod source;
pub mod subscription;
pub mod test_control;
pub mod till;

pub use channel::Channel;
pub use custom_field::CustomField;
pub use customer_type::CustomerType;
pub use extended_field::ExtendedField;
pub use field::FieldValue;
pub use fraud::FraudStatus;
pub use name::Name;
pub use pattern::{Budget, Pattern};
pub use source::Source;
pub use subscription::Subscription;

use crate::text::canonical;

/// Finds a word in a list without regard to case, blanks, hyphens and underscores.
fn listed<'a>(sent: &str, list: &[&'a str]) -> Option<&'a str> {
    let sent = canonical(sent);
    list.iter().copied().find(|word| same_word(word, &sent))
}

fn same_word(one: &str, other: &str) -> bool {
    bare(one).eq(bare(other))
}

/// The characters of a word in capitals, without those that separate its parts.
fn bare(word: &str) -> impl Iterator<Item = char> {
    let separates = |character: char| {
        character.is_whitespace() || matches!(character, '-' | '_' | '\u{2010}'..='\u{2015}')
    };
    word.chars().filter(move |character| !separates(*character)).flat_map(char::to_uppercase)
}

/// A flag: `true`, `false`, `1` or `0`, in any case.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The text without blanks around it; `None` where it is longer than so many characters or holds a
/// control character.
pub(crate) fn short(text: &str, most: usize) -> Option<&str> {
    let text = text.trim();
    (text.chars().count() <= most && !text.contains(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifier::mobile;
    use crate::submission::SubmittedChannel;
    use crate::trace::Trace;

    /// A word of the specification in each case and with each separator.
    fn spellings(word: &str) -> Vec<String> {
        let bases = [word.to_owned(), word.replace('_', " "), word.replace('-', " ")];
        let separated = bases.iter().flat_map(|word| {
            ["", " ", "-", "_", "  ", "\u{2013}"].map(|separator| word.replace(' ', separator))
        });
        separated.flat_map(|word| [word.to_uppercase(), word.to_lowercase(), word]).collect()
    }

    fn channel_kind(sent: &str) -> Option<&'static str> {
        let sent = SubmittedChannel {
            kind: Some(sent.to_owned()),
            value: Some("a@b.in".to_owned()),
            ..SubmittedChannel::default()
        };
        let rules = mobile::Rules { base: Some("IN".parse().unwrap()), ..Default::default() };
        let mut warnings = Vec::new();
        let read = channel::read(&[sent], &rules, &mut Trace::default(), &mut warnings);
        // An email address is no mobile number, which is said of the value.
        let of_value =
            crate::submission::Member::Channel(0, Some(crate::submission::ChannelMember::Value));
        let is_mobile = warnings.iter().any(|warning| warning.member.as_ref() == Some(&of_value));
        read.first().map(|channel| channel.kind).or(is_mobile.then_some("mobile"))
    }

    /// The lists of the specification, word by word.
    #[test]
    fn every_word_of_the_specification_is_known_in_every_spelling() {
        for (word, kind) in [
            ("SMS", "mobile"),
            ("email", "email"),
            ("mobile push notifications", "mobilepush"),
            ("WeChat", "wechat"),
            ("LINE", "line"),
            ("WhatsApp", "whatsapp"),
            ("mobile", "mobile"),
            ("card number", "cardnumber"),
        ] {
            for sent in spellings(word) {
                assert_eq!(channel_kind(&sent), Some(kind), "{sent}");
            }
        }
        for (word, name) in [
            ("InStore", "INSTORE"),
            ("Facebook", "FACEBOOK"),
            ("WebEngage", "WEB_ENGAGE"),
            ("Web Engage", "WEB_ENGAGE"),
            ("WeChat", "WECHAT"),
            ("E-commerce", "ECOMMERCE"),
            ("Website", "WEBSITE"),
            ("Line", "LINE"),
            ("Mobile App", "MOBILE_APP"),
        ] {
            for sent in spellings(word) {
                let source = Source::spelt(&sent);
                assert_eq!(source.as_ref().map(Source::name), Some(name), "{sent}");
                assert!(source.unwrap().is_documented());
            }
        }
        for word in ["NORMAL", "OUTLIER", "FRAUD", "INTERNAL", "INVALID", "Fraud_Suspected"] {
            for sent in spellings(word) {
                let status = FraudStatus::parse(&sent);
                assert_eq!((status.name(), status.is_listed()), (&*word.to_uppercase(), true));
            }
        }
        for (word, expected) in
            [("loyalty", CustomerType::Loyalty), ("non_loyalty", CustomerType::NonLoyalty)]
        {
            for sent in spellings(word) {
                assert_eq!(CustomerType::parse(&sent), Some(expected), "{sent}");
            }
        }
    }
}
