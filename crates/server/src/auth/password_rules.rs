//! Which passwords are accepted, whether they arrive over HTTP, on the command line or in a file.

use std::ops::RangeInclusive;

/// The most common passwords, without the digits at their end, in lower-case letters and digits.
const COMMON: &str = include_str!("common_passwords.txt");
/// How many different letters and digits a password has at least.
const DIFFERENT_LEAST: usize = 5;

/// Whose password it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// A till.
    Till,
    /// An operator.
    Operator,
}

/// Why a password is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short or too long.
    #[error("a password has {} to {} characters", .0.start(), .0.end())]
    Length(RangeInclusive<usize>),
    /// It is the name of its till or operator.
    #[error("the password is the account's own name; choose another one")]
    Name,
    /// It has too few different letters and digits.
    #[error("a password has at least {DIFFERENT_LEAST} different letters and digits")]
    Repetitive,
    /// It is a row of letters or digits, such as `12345678`.
    #[error("the password is a row of letters or digits; choose another one")]
    Sequence,
    /// It is one of the most common ones, or one of them with digits at its end.
    #[error("the password is one of the most common ones; choose another one")]
    Common,
}

impl Account {
    /// How many characters a password has, at least and at most.
    #[must_use]
    pub const fn lengths(self) -> RangeInclusive<usize> {
        match self {
            Self::Till => 8..=256,
            Self::Operator => 12..=256,
        }
    }

    /// Checks a new password of the account of this name.
    ///
    /// # Errors
    /// Why the password is rejected.
    pub fn check(self, name: &str, password: &str) -> Result<(), WeakPassword> {
        if !self.lengths().contains(&password.chars().count()) {
            return Err(WeakPassword::Length(self.lengths()));
        }
        let plain = plain(password);
        if plain == self::plain(name) {
            return Err(WeakPassword::Name);
        }
        let mut different: Vec<char> = plain.chars().collect();
        different.sort_unstable();
        different.dedup();
        if different.len() < DIFFERENT_LEAST {
            return Err(WeakPassword::Repetitive);
        }
        if is_sequence(&plain) {
            return Err(WeakPassword::Sequence);
        }
        let stem = plain.trim_end_matches(|one: char| one.is_ascii_digit());
        if COMMON.lines().any(|common| common == stem) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }
}

/// The letters and digits of a text, in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether each character follows the one before it, upwards or downwards; 0 follows 9.
fn is_sequence(plain: &str) -> bool {
    let next = |one: char| {
        if one == '9' {
            '0'
        } else {
            char::from_u32(u32::from(one).saturating_add(1)).unwrap_or(one)
        }
    };
    let pairs = || plain.chars().zip(plain.chars().skip(1));
    pairs().all(|(one, other)| next(one) == other) || pairs().all(|(one, other)| next(other) == one)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::empty(Account::Till, "", Some(WeakPassword::Length(8..=256)))]
    #[case::short(Account::Till, "x7#Qp2!", Some(WeakPassword::Length(8..=256)))]
    #[case::for_tills(Account::Till, "x7#Qp2!m", None)]
    #[case::short_for_operators(
        Account::Operator,
        "x7#Qp2!mZ4k",
        Some(WeakPassword::Length(12..=256))
    )]
    #[case::for_operators(Account::Operator, "x7#Qp2!mZ4kb", None)]
    #[case::words(Account::Operator, "a long password", None)]
    #[case::no_latin_letters(Account::Operator, "пароль для кассы", None)]
    #[case::name(Account::Till, "Hamburg1", Some(WeakPassword::Name))]
    #[case::name_otherwise(Account::Till, "hamburg-1", Some(WeakPassword::Name))]
    #[case::one_letter(Account::Operator, "aaaaaaaaaaaa", Some(WeakPassword::Repetitive))]
    #[case::repeated(Account::Operator, "owna owna owna", Some(WeakPassword::Repetitive))]
    #[case::marks_alone(Account::Till, "!§$%&/()=?", Some(WeakPassword::Repetitive))]
    #[case::blanks(Account::Till, "            ", Some(WeakPassword::Repetitive))]
    #[case::upwards(Account::Till, "12345678", Some(WeakPassword::Sequence))]
    #[case::past_nine(Account::Operator, "567890123456", Some(WeakPassword::Sequence))]
    #[case::downwards(Account::Till, "87654321", Some(WeakPassword::Sequence))]
    #[case::alphabet(Account::Till, "abcdefgh", Some(WeakPassword::Sequence))]
    #[case::common(Account::Till, "password", Some(WeakPassword::Common))]
    #[case::common_with_digits(Account::Operator, "Password1234", Some(WeakPassword::Common))]
    #[case::common_with_marks(Account::Operator, "Pass-word 2026!", Some(WeakPassword::Common))]
    #[case::keyboard(Account::Till, "qwertyuiop", Some(WeakPassword::Common))]
    fn checks_passwords(
        #[case] account: Account,
        #[case] password: &str,
        #[case] expected: Option<WeakPassword>,
    ) {
        assert_eq!(account.check("hamburg.1", password).err(), expected);
    }

    #[test]
    fn limits_the_length() {
        let long = "abcdefgij ".repeat(26);
        assert_eq!(long.len(), 260);
        for account in [Account::Till, Account::Operator] {
            assert!(account.check("x", &long[..256]).is_ok());
            assert!(matches!(account.check("x", &long[..257]), Err(WeakPassword::Length(_))));
        }
    }

    /// Each line can match: it is what is compared, and long enough with digits at its end.
    #[test]
    fn lists_common_passwords_in_the_form_compared() {
        let mut seen = std::collections::BTreeSet::new();
        for line in COMMON.lines() {
            assert_eq!(plain(line).trim_end_matches(|one: char| one.is_ascii_digit()), line);
            assert!(seen.insert(line), "{line} occurs twice");
            let password = format!("{line}{}", "2".repeat(12_usize.saturating_sub(line.len())));
            assert!(Account::Operator.check("x", &password).is_err(), "{password}");
        }
        assert!(seen.len() > 100);
    }
}
