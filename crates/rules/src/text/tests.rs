use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// The one table of cases: a text as sent, and its canonical form, readable form and line.
#[rstest]
#[case::ascii("C-77", "C-77", "C-77", "C-77")]
#[case::byte_order_mark("\u{feff}C-77", "C-77", "C-77", "C-77")]
#[case::zero_width_space("C-77\u{200b}", "C-77", "C-77", "C-77")]
#[case::word_joiner("C\u{2060}-77", "C-77", "C-77", "C-77")]
#[case::soft_hyphen("C-\u{ad}77", "C-77", "C-77", "C-77")]
#[case::grapheme_joiner("C-\u{34f}77", "C-77", "C-77", "C-77")]
#[case::hangul_filler("\u{3164}C-77", "C-77", "C-77", "C-77")]
#[case::noncharacter("C-77\u{fffe}\u{1ffff}\u{fdd0}", "C-77", "C-77", "C-77")]
#[case::tag("C-77\u{e0041}\u{e007f}", "C-77", "C-77", "C-77")]
#[case::direction("\u{202e}C\u{2066}-\u{200f}77\u{2069}", "C-77", "C-77", "C-77")]
#[case::composed("CAF\u{c9}-7", "CAFÉ-7", "CAFÉ-7", "CAFÉ-7")]
#[case::decomposed("CAFE\u{301}-7", "CAFÉ-7", "CAFÉ-7", "CAFÉ-7")]
#[case::mark_behind_invisible("CAFE\u{200b}\u{301}", "CAFÉ", "CAFÉ", "CAFÉ")]
#[case::singleton("\u{212b}", "Å", "Å", "Å")]
#[case::compatible("ﬁ①", "ﬁ①", "ﬁ①", "ﬁ①")]
#[case::number_sign("\u{600}7", "7", "\u{600}7", "\u{600}7")]
#[case::white_space(" a\t\u{a0}b\n", " a\t\u{a0}b\n", " a\t\u{a0}b\n", "a b")]
#[case::control("a\0b\u{7f}\u{85}c", "a\0b\u{7f}\u{85}c", "a\0b\u{7f}\u{85}c", "ab c")]
#[case::control_between_blanks("a \0 b", "a \0 b", "a \0 b", "a b")]
#[case::non_joiner_in_word("می\u{200c}خواهم", "میخواهم", "می\u{200c}خواهم", "می\u{200c}خواهم")]
#[case::joiner_in_word("ශ්\u{200d}රී", "ශ්රී", "ශ්\u{200d}රී", "ශ්\u{200d}රී")]
#[case::joiner_at_an_end("\u{200d}a \u{200c}b\u{200d}", "a b", "a b", "a b")]
#[case::joiners_in_a_row("a\u{200d}\u{200c}\u{200b}b", "ab", "a\u{200d}b", "a\u{200d}b")]
#[case::family("👩\u{200d}👧", "👩👧", "👩\u{200d}👧", "👩\u{200d}👧")]
#[case::selector("❤\u{fe0f}", "❤", "❤\u{fe0f}", "❤\u{fe0f}")]
#[case::selector_and_joiner(
    "❤\u{fe0f}\u{200d}🔥",
    "❤🔥",
    "❤\u{fe0f}\u{200d}🔥",
    "❤\u{fe0f}\u{200d}🔥"
)]
#[case::selector_alone("\u{fe0f} \u{fe0f}a\u{200d}\u{fe0f}", " a", " a", "a")]
fn forms(
    #[case] sent: &str,
    #[case] of_identifiers: &str,
    #[case] of_fields: &str,
    #[case] of_names: &str,
) {
    assert_eq!(canonical(sent), of_identifiers);
    assert_eq!(readable(sent), of_fields);
    assert_eq!(line(sent), of_names);
}

#[rstest]
#[case("a", Some("a"))]
#[case("E\u{301}\u{feff}", Some("É"))]
#[case("", Some(""))]
#[case("a\0b", None)]
#[case("\u{85}", None)]
fn keys_have_no_control_characters(#[case] sent: &str, #[case] expected: Option<&str>) {
    assert_eq!(key(sent).as_deref(), expected);
}

#[rstest]
#[case("", true)]
#[case(" \t\u{3000}", true)]
#[case("\0", true)]
#[case("\u{200b}\u{feff}\u{202e}\u{200d}\u{fe0f}\u{3164}\u{fffe}", true)]
#[case("a", false)]
#[case("\u{301}", false)]
fn text_without_a_visible_character_is_blank(#[case] text: &str, #[case] expected: bool) {
    assert_eq!(is_blank(text), expected);
}

#[rstest]
#[case("abc", 2, "ab")]
#[case("abc", 3, "abc")]
#[case("éa", 1, "é")]
#[case("कनि", 2, "क")]
#[case("a👩\u{200d}👩\u{200d}👧", 4, "a")]
#[case("a👩\u{200d}👩\u{200d}👧", 6, "a👩\u{200d}👩\u{200d}👧")]
#[case("🇮🇳🇩🇪", 3, "🇮🇳")]
#[case("e\u{301}\u{301}\u{301}", 2, "")]
fn cuts_between_grapheme_clusters(#[case] text: &str, #[case] most: usize, #[case] expected: &str) {
    assert_eq!(cut(text, most), expected);
}

#[rstest]
#[case("12345", "12345")]
#[case("12345.0", "12345")]
#[case("1.2345e4", "12345")]
#[case("1.2345E+4", "12345")]
#[case("123450e-1", "12345")]
#[case("12.3450e3", "12345")]
#[case("-7.0", "-7")]
#[case("0.07e2", "7")]
#[case("0", "0")]
#[case("-0", "0")]
#[case("-0.00", "0")]
#[case("0e999999999999999999999", "0")]
#[case("98765432109876543210987654321.0", "98765432109876543210987654321")]
#[case("9007199254740993.0", "9007199254740993")]
fn a_whole_number_has_one_text(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(Number::read(json), Number::Whole(expected.into()));
}

#[rstest]
#[case("12.5", Number::Fraction)]
#[case("1e-1", Number::Fraction)]
#[case("123450e-2", Number::Fraction)]
#[case("1e-999999999999999999999", Number::Fraction)]
#[case("1e400", Number::TooLong)]
#[case("1e999999999999999999999", Number::TooLong)]
#[case("1e9223372036854775807", Number::TooLong)]
#[case("1e-9223372036854775808", Number::Fraction)]
fn other_numbers_have_none(#[case] json: &str, #[case] expected: Number<'_>) {
    assert_eq!(Number::read(json), expected);
}

#[test]
fn digits_are_resolved_up_to_the_limit() {
    let longest = format!("1{}", "0".repeat(DIGITS_LIMIT - 1));
    assert_eq!(Number::read(&format!("1e{}", DIGITS_LIMIT - 1)), Number::Whole(longest.into()));
    assert_eq!(Number::read(&format!("1e{DIGITS_LIMIT}")), Number::TooLong);
    let literal = "9".repeat(DIGITS_LIMIT * 2);
    assert_eq!(Number::read(&literal), Number::Whole(literal.as_str().into()));
}

#[rstest]
#[case(r#"{"name":"a"}"#, r#"{"name":"a"}"#)]
#[case(r#"{"name":"caf\u0065\u0301"}"#, r#"{"name":"café"}"#)]
#[case(
    "{\"na\u{200b}me\" : [\"e\u{301}\", 1.50, \"\\\"\\\\\"]}",
    r#"{"name" : ["é", 1.50, "\"\\"]}"#
)]
#[case(r#"{"a":"b\u0000\u200b"}"#, r#"{"a":"b\u0000"}"#)]
#[case("{\"é\":\"\\x\u{200b}\"}", "{\"é\":\"\\x\u{200b}\"}")]
#[case("\"é", "\"é")]
#[case(r#"["\ud800","\u200b"]"#, r#"["\ud800","\u200b"]"#)]
fn documents(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(document(json), expected);
}

/// A text that mixes scripts with what the forms treat apart.
fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '\u{200b}', '\u{200c}', '\u{200d}', '\u{fe0f}', '\u{feff}', '\u{202e}', '\u{301}',
        '\u{34f}', '\0', '\t', ' ', '\u{3164}', '\u{fffe}', '\u{600}', '👩', 'न', 'ि', 'e', 'é',
        '가', '\u{1100}', '\u{1161}',
    ]);
    let character = prop_oneof![3 => special, 2 => any::<char>(), 1 => prop::char::range('a', 'f')];
    prop::collection::vec(character, 0..40).prop_map(|characters| characters.into_iter().collect())
}

/// The text with invisible characters between its own, and composed or not.
fn variant() -> impl Strategy<Value = (String, String)> {
    let invisible = prop::sample::select(vec![
        '\u{200b}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{202e}',
        '\u{2069}',
        '\u{fffe}',
        '\u{e0041}',
    ]);
    let inserts = prop::collection::vec((any::<prop::sample::Index>(), invisible), 0..8);
    (text(), inserts, any::<bool>()).prop_map(|(plain, inserts, composed)| {
        let mut characters: Vec<char> =
            if composed { plain.nfc().collect() } else { plain.nfd().collect() };
        for (place, character) in inserts {
            characters.insert(place.index(characters.len() + 1), character);
        }
        (plain, characters.into_iter().collect())
    })
}

proptest! {
    #[test]
    fn each_form_is_its_own_form(sent in text()) {
        let form = canonical(&sent);
        prop_assert_eq!(canonical(&form), form.as_ref());
        prop_assert_eq!(readable(&form), form.as_ref());
        let form = readable(&sent);
        prop_assert_eq!(readable(&form), form.as_ref());
        let form = line(&sent);
        prop_assert_eq!(line(&form), form.as_str());
    }

    #[test]
    fn every_variant_of_a_text_has_one_form((plain, variant) in variant()) {
        prop_assert_eq!(canonical(&plain), canonical(&variant));
        prop_assert_eq!(readable(&plain), readable(&variant));
        prop_assert_eq!(line(&plain), line(&variant));
        prop_assert_eq!(is_blank(&plain), is_blank(&variant));
    }

    #[test]
    fn a_cut_splits_no_grapheme_cluster(sent in text(), most in 0_usize..40) {
        let cut = cut(&sent, most);
        prop_assert!(cut.chars().count() <= most);
        let whole: Vec<&str> = sent.graphemes(true).collect();
        let kept: Vec<&str> = cut.graphemes(true).collect();
        prop_assert_eq!(whole.get(..kept.len()), Some(kept.as_slice()));
    }

    #[test]
    fn a_document_of_readable_texts_stays_the_same_value(texts in prop::collection::vec(text(), 0..5)) {
        let json = serde_json::to_string(&texts).unwrap();
        let read: Vec<String> = serde_json::from_str(&document(&json)).unwrap();
        let expected: Vec<String> = texts.iter().map(|text| readable(text).into_owned()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_whole_number_keeps_its_digits(digits in "[1-9][0-9]{0,40}", zeros in 0_usize..9, split in any::<prop::sample::Index>()) {
        let at = split.index(digits.len());
        let (before, behind) = digits.split_at(at);
        let before = if before.is_empty() { "0" } else { before };
        let behind = format!("{behind}{}", "0".repeat(zeros));
        let scientific = format!("{before}.{behind}e{}", digits.len() - at);
        prop_assert_eq!(Number::read(&scientific), Number::Whole(digits.clone().into()));
    }
}
