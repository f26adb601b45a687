//! Texts by chance. Where the chance comes from is an argument: a source of words of 64 bits, each
//! bit as likely 1 as 0, that nobody can foretell.

/// A source of chance.
pub type Random<'a> = dyn FnMut() -> u64 + 'a;

/// So many symbols of an alphabet, each as likely as any other.
#[must_use]
pub fn symbols(alphabet: &[u8], count: usize, random: &mut Random<'_>) -> String {
    let mut text = String::with_capacity(count);
    // An alphabet of one symbol leaves nothing to chance.
    let Some(size) = u64::try_from(alphabet.len()).ok().filter(|size| *size > 1) else {
        return alphabet.iter().copied().map(char::from).cycle().take(count).collect();
    };
    let a_word = u64::MAX.ilog(size);
    let whole = size.saturating_pow(a_word);
    // The words past the last whole multiple would make some symbols likelier.
    let limit = u64::MAX - u64::MAX % whole;
    while text.len() < count {
        let mut word = random();
        if word >= limit {
            continue;
        }
        for _ in 0..a_word.min(u32::try_from(count - text.len()).unwrap_or(u32::MAX)) {
            let symbol = usize::try_from(word % size).ok().and_then(|place| alphabet.get(place));
            text.extend(symbol.copied().map(char::from));
            word /= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Words that are all different, and the same in every run.
    fn words() -> impl FnMut() -> u64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state ^ (state >> 33)
        }
    }

    #[rstest]
    #[case("0123456789", 50)]
    #[case("01", 200)]
    #[case("x", 3)]
    #[case("", 0)]
    #[case("abc", 0)]
    fn as_many_as_asked_for_and_none_besides(#[case] alphabet: &str, #[case] count: usize) {
        let text = symbols(alphabet.as_bytes(), count, &mut words());
        assert_eq!(text.len(), count);
        assert!(text.chars().all(|symbol| alphabet.contains(symbol)), "{text}");
    }

    #[test]
    fn every_symbol_is_as_likely() {
        let alphabet = b"0123456789";
        let text = symbols(alphabet, 100_000, &mut words());
        for symbol in alphabet {
            let count = text.bytes().filter(|byte| byte == symbol).count();
            assert!((9_500..10_500).contains(&count), "{}: {count}", char::from(*symbol));
        }
    }

    #[test]
    fn a_word_that_would_favour_some_symbols_is_passed_over() {
        let mut words = [u64::MAX, 7].into_iter();
        assert_eq!(symbols(b"0123456789", 1, &mut || words.next().unwrap()), "7");
        assert_eq!(words.next(), None);
    }
}
