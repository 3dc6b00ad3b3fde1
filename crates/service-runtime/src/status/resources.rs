//! The details of a status that name resources: the one that it is about, and those that have changed meanwhile.

use event_store::{StreamName, Value};
use tonic_types::ErrorDetails;

/// What stands between several resources in one value, and between their etags.
pub(super) const SEPARATOR: &str = ", ";
/// As many as trailers have room for, beside everything else.
const MAX_RESOURCES: usize = 10;

/// Adds `google.rpc.ResourceInfo` where the values name one resource, and `google.rpc.PreconditionFailure` where they
/// name etags too: a violation for each resource, of the reason's name, with the etag that holds now.
pub(super) fn add(details: &mut ErrorDetails, reason: &str, values: &[(&'static str, Value)]) {
    let value = |wanted: &str| values.iter().find(|(key, _)| *key == wanted).map(|(_, value)| value.plain.as_ref());
    let Some(resources) = value("resource") else { return };
    if let Some(etags) = value("etag") {
        for (resource, etag) in resources.split(SEPARATOR).zip(etags.split(SEPARATOR)).take(MAX_RESOURCES) {
            details.add_precondition_failure_violation(reason, resource, etag);
        }
    }
    if let Ok(name) = resources.parse::<StreamName>() {
        details.set_resource_info(name.category(), resources, "", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(values: &[(&'static str, &'static str)]) -> ErrorDetails {
        let values: Vec<_> = values.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
        let mut details = ErrorDetails::new();
        add(&mut details, "STALE_VERSION", &values);
        details
    }

    #[test]
    fn a_refusal_about_one_resource_names_it_and_its_kind() {
        let details = details(&[("resource", "funds/eutf-africa"), ("currency", "EUR")]);
        let about = details.resource_info().expect("it is about one");
        assert_eq!((about.resource_type.as_str(), about.resource_name.as_str()), ("funds", "funds/eutf-africa"));
        assert!(details.precondition_failure().is_none(), "nothing has changed");
    }

    #[test]
    fn resources_that_have_changed_are_told_each_with_its_etag() {
        let details = details(&[("resource", "contracts/a, funds/b"), ("etag", "\"3\", \"7\"")]);
        assert!(details.resource_info().is_none(), "it is about two");
        let told = &details.precondition_failure().expect("they have changed").violations;
        let told: Vec<_> =
            told.iter().map(|it| (it.r#type.as_str(), it.subject.as_str(), it.description.as_str())).collect();
        assert_eq!(told, [("STALE_VERSION", "contracts/a", "\"3\""), ("STALE_VERSION", "funds/b", "\"7\"")]);
    }

    #[test]
    fn what_names_no_resource_gets_no_such_detail() {
        for values in [&[][..], &[("log", "partnerships")], &[("resource", "generation 7")]] {
            let details = details(values);
            assert!(details.resource_info().is_none() && details.precondition_failure().is_none(), "{values:?}");
        }
    }
}
