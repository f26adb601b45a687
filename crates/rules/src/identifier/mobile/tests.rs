//! Which texts are which number.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const VALIDATIONS: [Validation; 4] =
    [Validation::Country, Validation::CountryThenGeneric, Validation::Generic, Validation::Off];

fn rules(base: &str, supported: &[&str], validation: Validation) -> Rules {
    Rules {
        base: Some(base.parse().unwrap()),
        supported: supported.iter().map(|iso| iso.parse().unwrap()).collect(),
        validation,
        preferred: None,
    }
}

/// The canonical form under each validation; `None` where the number is refused.
fn read(base: &str, sent: &str) -> [Option<String>; 4] {
    VALIDATIONS.map(|validation| {
        let mobile = Mobile::parse(sent, &rules(base, &[], validation));
        mobile.ok().map(|mobile| mobile.digits)
    })
}

#[rstest]
// India: 10 digits from 6, or 12 digits from 91.
#[case("IN", "9876543210", Some("919876543210"))]
#[case("IN", "6000000000", Some("916000000000"))]
#[case("IN", "919876543210", Some("919876543210"))]
#[case("IN", "+91 98765 43210", Some("919876543210"))]
#[case("IN", "+91-98765-43210", Some("919876543210"))]
#[case("IN", "00919876543210", Some("919876543210"))]
#[case("IN", "09876543210", Some("919876543210"))]
#[case("IN", " 9876543210 ", Some("919876543210"))]
#[case("IN", "(987) 654-3210", Some("919876543210"))]
#[case("IN", "5876543210", None)]
#[case("IN", "987654321", None)]
#[case("IN", "98765432101", None)]
#[case("IN", "91987654321", None)]
#[case("IN", "9198765432101", None)]
#[case("IN", "+9876543210", None)]
#[case("IN", "9177xx811213", None)]
#[case("IN", "98765+43210", None)]
#[case("IN", "++919876543210", None)]
#[case("IN", "", None)]
#[case("IN", "+", None)]
#[case("IN", "0", None)]
#[case("IN", "९८७६५४३२१०", Some("919876543210"))]
#[case("IN", "+91 09812888004", Some("919812888004"))]
#[case("IN", "0919812888004", Some("919812888004"))]
#[case("IN", "+91 98765.43210", Some("919876543210"))]
#[case("IN", "(+91) 98765 43210", Some("919876543210"))]
#[case("IN", "+0091 98765 43210", Some("919876543210"))]
#[case("IN", "+09876543210", None)]
#[case("IN", "\u{2212}9876543210", None)]
#[case("IN", "9876543210;DROP", None)]
#[case("IN", "-9876543210", None)]
#[case("IN", "9.876543210", None)]
#[case("FR", "06.12.34.56.78", Some("33612345678"))]
// Every other country: its numbering plan.
#[case("DE", "0176 12345678", Some("4917612345678"))]
#[case("DE", "+49 176 12345678", Some("4917612345678"))]
#[case("DE", "0049 176 12345678", Some("4917612345678"))]
#[case("DE", "4917612345678", Some("4917612345678"))]
#[case("DE", "+49 (0)176 12345678", Some("4917612345678"))]
#[case("DE", "030 901820", None)]
#[case("GB", "07400 123456", Some("447400123456"))]
#[case("GB", "+447400123456", Some("447400123456"))]
#[case("GB", "447400123456", Some("447400123456"))]
#[case("GB", "020 7946 0018", None)]
#[case("US", "(202) 555-0143", Some("12025550143"))]
#[case("US", "(102) 555-0143", None)]
#[case("US", "201-555-0123", Some("12015550123"))]
#[case("US", "12015550123", Some("12015550123"))]
#[case("US", "+1 201 555 0123", Some("12015550123"))]
#[case("FR", "06 12 34 56 78", Some("33612345678"))]
#[case("FR", "+33 6 12 34 56 78", Some("33612345678"))]
#[case("FR", "33612345678", Some("33612345678"))]
#[case("IT", "312 345 6789", Some("393123456789"))]
#[case("IT", "+39 312 345 6789", Some("393123456789"))]
#[case("ES", "612 34 56 78", Some("34612345678"))]
#[case("ES", "34612345678", Some("34612345678"))]
#[case("SG", "8123 4567", Some("6581234567"))]
#[case("SG", "6581234567", Some("6581234567"))]
#[case("AE", "050 123 4567", Some("971501234567"))]
#[case("AE", "971501234567", Some("971501234567"))]
#[case("SA", "0512345678", Some("966512345678"))]
#[case("SA", "+966 51 234 5678", Some("966512345678"))]
#[case("ID", "0812 345 678", Some("62812345678"))]
#[case("ID", "62812345678", Some("62812345678"))]
#[case("MY", "012-345 6789", Some("60123456789"))]
#[case("MY", "60123456789", Some("60123456789"))]
#[case("TH", "081 234 5678", Some("66812345678"))]
#[case("CN", "131 2345 6789", Some("8613123456789"))]
#[case("CN", "+86 131 2345 6789", Some("8613123456789"))]
#[case("BR", "(11) 96123-4567", Some("5511961234567"))]
#[case("ZA", "071 123 4567", Some("27711234567"))]
#[case("AU", "0412 345 678", Some("61412345678"))]
#[case("JP", "090-1234-5678", Some("819012345678"))]
#[case("NG", "0802 123 4567", Some("2348021234567"))]
#[case("PH", "0905 123 4567", Some("639051234567"))]
#[case("NL", "06 12345678", Some("31612345678"))]
#[case("GB", "+44 07400 123456", Some("447400123456"))]
#[case("GB", "0447400123456", Some("447400123456"))]
#[case("AU", "0011 61 412 345 678", Some("61412345678"))]
#[case("MX", "5215512345678", Some("525512345678"))]
#[case("MX", "+52 1 55 1234 5678", Some("525512345678"))]
#[case("MX", "044 55 1234 5678", Some("525512345678"))]
#[case("MX", "5512345678", Some("525512345678"))]
#[case("AR", "541123456789", Some("5491123456789"))]
#[case("AR", "+54 11 2345-6789", Some("5491123456789"))]
#[case("AR", "1123456789", Some("5491123456789"))]
#[case("AR", "011 15-2345-6789", Some("5491123456789"))]
#[case("AR", "5491123456789", Some("5491123456789"))]
fn by_country(#[case] base: &str, #[case] sent: &str, #[case] expected: Option<&str>) {
    let parsed = Mobile::parse(sent, &rules(base, &[], Validation::Country));
    match expected {
        Some(digits) => assert_eq!(parsed.map(|mobile| mobile.digits), Ok(digits.to_owned())),
        None => assert_eq!(parsed, Err(codes::INVALID_MOBILE)),
    }
}

#[rstest]
#[case("9876543210", Some("919876543210"))]
#[case("+65 8123 4567", Some("6581234567"))]
#[case("81234567", Some("6581234567"))]
#[case("+49 176 12345678", Some("4917612345678"))]
#[case("+33 6 12 34 56 78", None)]
// With the country code, as the specification asks, although India could complete it as well.
#[case("6581234567", Some("6581234567"))]
#[case("6591", None)]
fn supported_countries_follow_in_order(#[case] sent: &str, #[case] expected: Option<&str>) {
    let parsed = Mobile::parse(sent, &rules("IN", &["SG", "DE"], Validation::Country));
    assert_eq!(parsed.ok().map(|mobile| mobile.digits).as_deref(), expected);
}

#[rstest]
#[case(Validation::Country, "919876543210", Step::CodeOfBase)]
#[case(Validation::Country, "6581234567", Step::CodeOfSupported)]
#[case(Validation::Country, "9876543210", Step::CompletedByBase)]
#[case(Validation::Country, "81234567", Step::CompletedBySupported)]
#[case(Validation::Country, "123", Step::MobileRefused(Fault::NotOfCountry("IN".parse().unwrap())))]
#[case(Validation::CountryThenGeneric, "9876543210", Step::CompletedByBase)]
#[case(Validation::CountryThenGeneric, "447400123456", Step::GenericNumber)]
#[case(Validation::Generic, "9876543210", Step::GenericNumber)]
#[case(Validation::Off, "5000000000", Step::NumberOfLength)]
#[case(Validation::Off, "0", Step::MobileRefused(Fault::Length))]
fn the_setting_that_decided_is_told(
    #[case] validation: Validation,
    #[case] sent: &str,
    #[case] expected: Step,
) {
    let step = |sent, rules: &Rules| Mobile::read(sent, rules).0;
    let rules = rules("IN", &["SG"], validation);
    assert_eq!(step(sent, &rules), expected);
    assert_eq!(step("pigeon", &rules), Step::MobileRefused(Fault::Character('p')));
    assert_eq!(step(sent, &Rules::default()), Step::NoCountry);
}

#[rstest]
#[case("9876543210", Some("919876543210"))]
#[case("5876543210", Some("915876543210"))]
#[case("123456789012345", Some("123456789012345"))]
#[case("1234567890123456", None)]
#[case("12345678", None)]
#[case("0123456789", None)]
#[case("+44 7400 123456", Some("447400123456"))]
fn india_and_other(#[case] sent: &str, #[case] expected: Option<&str>) {
    let parsed = Mobile::parse(sent, &rules("IN", &[], Validation::CountryThenGeneric));
    assert_eq!(parsed.ok().map(|mobile| mobile.digits).as_deref(), expected);
}

#[test]
fn without_validation_only_the_length_counts() {
    let with_country = rules("IN", &[], Validation::Off);
    let without = Rules { base: None, ..with_country.clone() };
    for (sent, by_length, at_all) in [
        ("012345678", true, true),
        ("12345", false, true),
        ("12x45", false, false),
        ("", false, false),
    ] {
        assert_eq!(Mobile::parse(sent, &with_country).is_ok(), by_length, "{sent}");
        assert_eq!(Mobile::parse(sent, &without).is_ok(), at_all, "{sent}");
    }
}

#[test]
fn without_a_country_only_the_generic_rule_works() {
    let mut rules = Rules::default();
    assert_eq!(Mobile::parse("919876543210", &rules), Err(codes::COUNTRY_MISSING));
    rules.validation = Validation::Generic;
    assert_eq!(Mobile::parse("919876543210", &rules).unwrap().digits(), "919876543210");
}

proptest! {
    #[test]
    fn canonical_stays_canonical(
        sent in "(\\+|00|0)?[0-9]{7,13}",
        base in prop::sample::select(vec!["IN", "DE", "US", "SG", "ID", "AE", "IT", "BR"]),
        validation in prop::sample::select(VALIDATIONS.to_vec()),
    ) {
        let rules = rules(base, &["IN", "SG", "CN", "GB"], validation);
        if let Ok(mobile) = Mobile::parse(&sent, &rules) {
            let again = Mobile::parse(mobile.digits(), &rules).map(|again| again.digits);
            prop_assert_eq!(again, Ok(mobile.digits));
        }
    }

    #[test]
    fn no_text_panics(sent in ".{0,80}") {
        let _ = Mobile::parse(&sent, &rules("DE", &["IN"], Validation::CountryThenGeneric));
    }
}

#[test]
fn the_number_as_sent_is_kept() {
    let rules = rules("IN", &[], Validation::Country);
    assert_eq!(Mobile::parse("98765 43210", &rules).unwrap().sent(), "98765 43210");
}

/// The same telephone, as faults were found with it.
#[rstest]
#[case::national("9876543210")]
#[case::trunk_zero("09876543210")]
#[case::trunk_zero_after_the_code("+91 09876543210")]
#[case::trunk_zero_before_the_code("0919876543210")]
#[case::whole("919876543210")]
#[case::plus("+919876543210")]
#[case::exit_code("00919876543210")]
fn completes_in_one_way_under_every_validation(#[case] sent: &str) {
    assert_eq!(read("IN", sent), [(); 4].map(|()| Some("919876543210".to_owned())));
}

/// A number that starts with the code of a country of the organisation is brought to its form or
/// refused.
#[rstest]
#[case("IN", "+91 98765 432101", [None, None, None, None])]
#[case("IN", "91987654321", [None, None, None, None])]
#[case("US", "+1 102 555 0143", [None, None, Some("11025550143"), Some("11025550143")])]
#[case("GB", "+44 7700 900123", [None, None, Some("447700900123"), Some("447700900123")])]
#[case("GB", "07700 900123", [None, None, Some("447700900123"), Some("447700900123")])]
#[case("GB", "7700 900123", [None, None, Some("447700900123"), Some("447700900123")])]
#[case("GB", "+44 7700 9001234", [None, None, None, None])]
#[case("DE", "+49 30 901820", [None, None, Some("4930901820"), Some("4930901820")])]
#[case("DE", "030 901820", [None, None, Some("4930901820"), Some("4930901820")])]
#[case("US", "+1 416 555 0123", [None, Some("14165550123"), Some("14165550123"), Some("14165550123")])]
#[case("GB", "07797 123456", [None, Some("447797123456"), Some("447797123456"), Some("447797123456")])]
fn never_takes_a_number_of_its_countries_as_generic(
    #[case] base: &str,
    #[case] sent: &str,
    #[case] expected: [Option<&str>; 4],
) {
    assert_eq!(read(base, sent), expected.map(|digits| digits.map(str::to_owned)));
}

/// Patron returns digits alone. `+65 9123 4567` would come back as the Indian number 65912 34567.
#[test]
fn refuses_a_number_whose_digits_are_another_one() {
    assert_eq!(read("IN", "+65 9123 4567"), [const { None }; 4]);
    for validation in VALIDATIONS {
        let with_singapore = rules("IN", &["SG"], validation);
        let mobile = Mobile::parse("+65 9123 4567", &with_singapore).unwrap();
        assert_eq!(mobile.digits(), "6591234567");
    }
}

/// Marks that people, phone books and phones put into numbers.
#[test]
fn reads_every_separator_and_script() {
    let separators = [
        " ", "\u{a0}", "\u{2009}", "\u{202f}", "\u{3000}", "\t", "-", "\u{2010}", "\u{2011}",
        "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}", "/", "\u{200b}", "\u{200d}",
        "\u{feff}", "\u{ad}", "\u{2060}", "\u{202a}", "\u{2069}", "\u{fe0f}",
    ];
    for separator in separators {
        for sent in [
            format!("+91{separator}98765{separator}43210"),
            format!("98765{separator}43210{separator}"),
        ] {
            assert_eq!(read("IN", &sent)[0].as_deref(), Some("919876543210"), "{sent:?}");
        }
    }
    for zero in ['\u{660}', '\u{6f0}', '\u{966}', '\u{e50}', '\u{ff10}', '\u{1d7ce}', '\u{1e950}'] {
        let digit =
            |digit: char| char::from_u32(u32::from(zero) + digit.to_digit(10).unwrap()).unwrap();
        let sent: String = "9876543210".chars().map(digit).collect();
        assert_eq!(read("IN", &sent)[0].as_deref(), Some("919876543210"), "{sent:?}");
        let sent = format!("\u{ff0b}{}", "919876543210".chars().map(digit).collect::<String>());
        assert_eq!(read("IN", &sent)[0].as_deref(), Some("919876543210"), "{sent:?}");
    }
}

#[rstest]
#[case(
    "9177xx811213",
    "'x' cannot stand in a mobile number; digits, a leading + and separators can"
)]
#[case(
    "07797 123456",
    "not a valid mobile number for GB (COUNTRY): it belongs to JE. Add JE to SUPPORTED_COUNTRIES to accept it"
)]
#[case(
    "+44 7781 123456",
    "not a valid mobile number for GB (COUNTRY): it belongs to GG. Add GG to SUPPORTED_COUNTRIES to accept it"
)]
#[case(
    "447624123456",
    "not a valid mobile number for GB (COUNTRY): it belongs to IM. Add IM to SUPPORTED_COUNTRIES to accept it"
)]
#[case(
    "07700 900123",
    "not a valid mobile number for GB (COUNTRY): the range is not in use. SUPPORTED_COUNTRIES admits numbers of further countries, MOBILE_VALIDATION = GENERIC or OFF any of a valid length"
)]
#[case(
    "020 7946 0018",
    "not a valid mobile number for GB (COUNTRY): it is a fixed line or a service"
)]
#[case("44123", "not a valid mobile number for GB (COUNTRY), though it starts with +44")]
#[case(
    "6512345678901",
    "not a valid mobile number for SG (SUPPORTED_COUNTRIES), though it starts with +65"
)]
#[case("123", "not a valid mobile number for GB (COUNTRY) or a country of SUPPORTED_COUNTRIES")]
#[case("98765+43210", "the mobile number has a + that is not its first character")]
#[case("-9876543210", "the mobile number is a negative or decimal number")]
#[case("+0 123", "no country code starts with 0, as the mobile number does after + or 00")]
#[case("\u{200b}", "the mobile number has no digits")]
fn says_why_it_refuses(#[case] sent: &str, #[case] why: &str) {
    let (step, mobile) = Mobile::read(sent, &rules("GB", &["SG"], Validation::Country));
    assert_eq!((mobile, step.sentence().as_ref()), (Err(codes::INVALID_MOBILE), why));
}

/// The client's country orders the countries of the organisation, and adds none.
#[test]
fn completes_by_the_preferred_calling_code_first() {
    let rules = rules("SG", &["HK"], Validation::Country);
    let read = |preferred, sent| {
        let mobile = Mobile::parse(sent, &rules.preferring(preferred));
        mobile.ok().map(|mobile| mobile.digits)
    };
    for (preferred, sent, expected) in [
        (None, "91234567", Some("6591234567")),
        (Some(852), "91234567", Some("85291234567")),
        (Some(65), "91234567", Some("6591234567")),
        (Some(91), "91234567", Some("6591234567")),
        (Some(852), "6591234567", Some("6591234567")),
        (Some(91), "9876543210", None),
    ] {
        assert_eq!(read(preferred, sent).as_deref(), expected, "{preferred:?} {sent}");
    }
}

/// Example numbers of a country.
#[derive(Debug, Clone, Copy)]
struct Example {
    country: Country,
    code: &'static str,
    mobile: &'static str,
    mobile_as_dialled: &'static str,
    /// With the country code; `None` where fixed lines share the ranges of mobile telephones.
    fixed: Option<&'static str>,
}

/// The examples of each country with mobile numbers.
fn examples() -> Vec<Example> {
    let example = |line: &'static str| {
        let members: Vec<_> = line.split('\t').collect();
        Example {
            country: members[0].parse().unwrap(),
            code: members[1],
            mobile: members[2],
            mobile_as_dialled: members[3],
            fixed: Some(members[4]).filter(|fixed| *fixed != "-"),
        }
    };
    include_str!("examples.tsv").lines().skip(1).map(example).collect()
}

#[test]
fn accepts_mobile_numbers_and_rejects_fixed_lines_of_every_country() {
    for Example { country, code, mobile, fixed, .. } in examples() {
        let read = |sent: &str| {
            let rules = rules(&country.to_string(), &[], Validation::Country);
            Mobile::parse(sent, &rules).ok().map(|it| it.digits)
        };
        let whole = format!("{code}{mobile}");
        assert_eq!(read(&whole), Some(whole.clone()), "{country}");
        // India's documented rule takes any ten digits after 91; Argentina's numbers get their 9.
        let takes_fixed_lines = ["IN", "AR"].contains(&country.to_string().as_str());
        if let Some(fixed) = fixed.filter(|_| !takes_fixed_lines) {
            assert_eq!(read(&format!("+{fixed}")), None, "{country}");
        }
    }
}

/// The ways in which people write one number: the base country's own, and with the country code.
fn spellings(number: &Example) -> Vec<String> {
    let Example { code, mobile: national, mobile_as_dialled: as_dialled, .. } = *number;
    let dialled: String = as_dialled.chars().filter(char::is_ascii_digit).collect();
    let trunk = dialled.strip_suffix(national).filter(|prefix| (1..3).contains(&prefix.len()));
    let mut all = vec![
        national.to_owned(),
        as_dialled.to_owned(),
        format!("{code}{national}"),
        format!("+{code}{national}"),
        format!("+{code} {national}"),
        format!("(+{code}){national}"),
        format!("00{code}{national}"),
        format!("00 {code} {national}"),
    ];
    if let Some(trunk) = trunk {
        all.push(format!("{trunk}{national}"));
        all.push(format!("+{code}{trunk}{national}"));
        all.push(format!("+{code} ({trunk}) {national}"));
    }
    all
}

/// The text with marks between its characters and its digits in the script that has this zero.
fn decorated(text: &str, mark: &str, zero: u32) -> String {
    let digit =
        |it: char| it.to_digit(10).and_then(|digit| char::from_u32(zero + digit)).unwrap_or(it);
    text.chars().flat_map(|it| [digit(it).to_string(), mark.to_owned()]).collect()
}

/// One telephone is one customer: whatever the spelling and the validation, in every country.
#[test]
fn one_number_has_one_form_in_every_country() {
    let examples = examples();
    assert!(examples.len() > 200, "{}", examples.len());
    for number in &examples {
        let country = number.country;
        let mut forms = BTreeSet::new();
        for spelling in spellings(number) {
            let sent = [
                spelling.clone(),
                decorated(&spelling, "\u{2011}", 0x30),
                decorated(&spelling, "\u{200b}\u{a0}", 0x966),
            ];
            for (sent, validation) in sent.iter().flat_map(|sent| VALIDATIONS.map(|it| (sent, it)))
            {
                let mobile = Mobile::parse(sent, &rules(&country.to_string(), &[], validation));
                if validation == Validation::Country {
                    assert!(mobile.is_ok(), "{country} refuses {sent:?}");
                }
                forms.extend(mobile.ok().map(|mobile| mobile.digits));
            }
        }
        assert_eq!(forms.len(), 1, "{country}: {forms:?}");
    }
}

proptest! {
    /// Other countries, other marks and more of them.
    #[test]
    fn a_spelling_never_changes_the_form(
        number in prop::sample::select(examples()),
        supported in prop::sample::subsequence(vec!["IN", "DE", "US", "SG", "MX", "AR", "GB"], 0..4),
        validation in prop::sample::select(VALIDATIONS.to_vec()),
        mark in "[ \u{a0}\u{2000}-\u{200f}\u{2010}-\u{2015}\u{2028}-\u{202f}\u{2060}-\u{2064}\u{feff}/]?",
        zero in prop::sample::select(vec![0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10, 0x1d7ce]),
        at: prop::sample::Index,
    ) {
        let rules = rules(&number.country.to_string(), &supported, validation);
        let whole = spellings(&number);
        // With the code, so that the number is of no supported country as well.
        let spelling = at.get(&whole[2..8]);
        let sent = format!("{}{}", &spelling[..1], decorated(&spelling[1..], &mark, zero));
        let plain = Mobile::parse(spelling, &rules).map(|mobile| mobile.digits);
        prop_assert_eq!(Mobile::parse(&sent, &rules).map(|mobile| mobile.digits), plain.clone());
        let by_e164 = Mobile::parse(&whole[3], &rules).map(|mobile| mobile.digits);
        if let (Ok(plain), Ok(by_e164)) = (plain, by_e164) {
            prop_assert_eq!(plain, by_e164);
        }
    }

    #[test]
    fn no_script_or_mark_panics(sent in "\\PC{0,70}", base in prop::sample::select(vec!["IN", "AR", "MX"])) {
        for validation in VALIDATIONS {
            let _ = Mobile::parse(&sent, &rules(base, &["DE"], validation));
        }
    }
}
