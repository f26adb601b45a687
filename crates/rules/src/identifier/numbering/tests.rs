//! The table as generated, and numbers with unusual plans.

use rstest::rstest;

use super::*;

fn kinds(territory: &Territory) -> impl Iterator<Item = &Kind> {
    let lines = [&territory.mobile, &territory.fixed].into_iter();
    lines.chain(&territory.services).flatten().chain([&territory.general])
}

#[test]
fn every_pattern_compiles() {
    for territory in &TERRITORIES {
        let prefixes = [&territory.leading, &territory.exit, &territory.trunk];
        let patterns = kinds(territory).map(|it| &it.pattern);
        for pattern in patterns.chain(prefixes.into_iter().flatten()) {
            assert!(pattern.compiled().is_some(), "{} {}", territory.id, pattern.text);
        }
    }
}

#[test]
fn the_table_is_in_the_order_of_codes_and_lengths() {
    assert!(TERRITORIES.is_sorted_by_key(|it| it.calling_code));
    for territory in &TERRITORIES {
        for kind in kinds(territory) {
            assert!(kind.lengths.is_sorted() && !kind.lengths.is_empty(), "{}", territory.id);
        }
    }
}

#[rstest]
#[case::main("GB", 44)]
#[case::shares_its_code("JE", 44)]
#[case::shares_its_code_with_all_of_north_america("US", 1)]
fn finds_a_territory_by_its_iso_code(#[case] iso: &str, #[case] code: u16) {
    assert_eq!(Territory::by_iso(iso).map(|it| it.calling_code), Some(code));
    assert!(Territory::by_calling_code(code).is_some_and(|it| ["GB", "US"].contains(&it.id)));
}

#[rstest]
#[case::without_trunk_prefix("DE", "15123456789", (49, "15123456789"))]
#[case::trunk_prefix("DE", "015123456789", (49, "15123456789"))]
#[case::own_code("GB", "447400123456", (44, "7400123456"))]
#[case::exit_code("US", "0114915123456789", (49, "15123456789"))]
#[case::zero_that_belongs_to_the_number("IT", "0212345678", (39, "0212345678"))]
#[case::prefix_that_adds_the_area("AG", "4641234", (1, "2684641234"))]
#[case::own_code_of_a_shared_plan("JE", "447797712345", (44, "7797712345"))]
fn reads_numbers_as_dialled(
    #[case] iso: &str,
    #[case] digits: &str,
    #[case] (code, national): (u16, &str),
) {
    let territory = Territory::by_iso(iso).unwrap();
    assert_eq!(parse_national(digits, territory), Some((code, national.to_owned())));
}

#[rstest]
#[case::no_digits("")]
#[case::code_alone("49")]
#[case::one_digit("491")]
#[case::no_such_code("999123456789")]
#[case::zero("0491512345678")]
#[case::too_long("49123456789012345678")]
fn rejects_what_is_no_number_with_a_code(#[case] digits: &str) {
    assert_eq!(parse_whole(digits), None);
}

#[test]
fn names_the_territory_of_a_number() {
    let of = |code, national| Territory::of_number(code, national).map(|it| it.id);
    assert_eq!(of(44, "7797712345"), Some("JE"));
    assert_eq!(of(1, "2684641234"), Some("AG"));
    assert_eq!(of(870, "773111632"), Some("001"));
    assert_eq!(of(1, "1111111111"), None);
}
