//! JSON merge patches (RFC 7396).

use serde_json::{Map, Value};

use super::Invalid;
use super::distinct::Distinct;
use super::resource::read_object;

/// A document after a merge patch, both as JSON.
///
/// # Errors
/// The member of the patch that cannot be read, or that it names twice.
pub(super) fn merged(document: &str, patch: &str) -> Result<String, Invalid> {
    let Distinct(patch) = read_object(patch)?;
    let Distinct(mut document) = read_object(document)?;
    merge(&mut document, patch);
    Ok(document.to_string())
}

/// "MergePatch(Target, Patch)" of RFC 7396, section 2. Its depth is limited by the parser's.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[rstest]
    #[case(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}))]
    #[case(json!({"a": "b"}), json!({"a": null}), json!({}))]
    #[case(json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"}))]
    #[case(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]}))]
    #[case(
        json!({"a": {"b": "c"}}),
        json!({"a": {"b": "d", "c": null}}),
        json!({"a": {"b": "d"}})
    )]
    #[case(json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]}))]
    #[case(json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"]))]
    #[case(json!({"a": "b"}), json!(["c"]), json!(["c"]))]
    #[case(json!({"a": "foo"}), Value::Null, Value::Null)]
    #[case(json!({"a": "foo"}), json!("bar"), json!("bar"))]
    #[case(json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1}))]
    #[case(json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"}))]
    #[case(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}))]
    fn merges_as_the_rfc_shows(
        #[case] mut target: Value,
        #[case] patch: Value,
        #[case] expected: Value,
    ) {
        merge(&mut target, patch);
        assert_eq!(target, expected);
    }

    #[rstest]
    #[case::no_object("[]", "")]
    #[case::null("null", "")]
    #[case::not_json("{", "")]
    #[case::two(r#"{"a":1}{}"#, "")]
    #[case::twice(r#"{"a":1,"a":2}"#, "")]
    #[case::twice_inside(r#"{"a":{"b":1,"b":2}}"#, "/a")]
    #[case::twice_in_a_list(r#"{"a":[{"b":1,"b":2}]}"#, "/a/0")]
    fn rejects_patch_that_cannot_be_read(#[case] patch: &str, #[case] pointer: &str) {
        assert_eq!(merged("{}", patch).unwrap_err().pointer, pointer);
    }

    fn members() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from)];
        let value = leaf.prop_recursive(3, 16, 4, |inner| {
            proptest::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())
        });
        proptest::collection::btree_map("[a-d]", value, 0..5)
            .prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        /// Applying a patch twice is applying it once, and members that it does not name stay.
        #[test]
        fn is_idempotent_and_leaves_the_rest(target in members(), patch in members()) {
            let mut once = Value::Object(target.clone());
            merge(&mut once, patch.clone().into());
            let mut twice = once.clone();
            merge(&mut twice, patch.clone().into());
            prop_assert_eq!(&twice, &once);
            for (name, value) in target.iter().filter(|(name, _)| !patch.contains_key(*name)) {
                prop_assert_eq!(once.get(name), Some(value));
            }
        }
    }
}
