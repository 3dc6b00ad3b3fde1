//! Fields that requests about agreements share.

use contracts::toguna::partnerships::{
    events::v1 as events,
    v1::{RecordTerminationRequest, RegisterAgreementRequest},
};
use event_store::{Act, Aggregate as _, StreamName};
use service_runtime::Fields;

use crate::{
    codec::OnWire as _,
    domain::{
        Agreement,
        agreement::events::{AgreementForm, AgreementScope, BindingNature, Registration, TerminationCause},
    },
    grpc::{MAX_REFERENCE, MAX_TEXT, optional_organisation, organisations, terms::terms},
};

pub(super) fn agreement(fields: &mut Fields, name: &str) -> StreamName {
    fields.name("name", name, Agreement::CATEGORY)
}

/// The party that acts: where none is named, the organisation whose act it is.
pub(super) fn party(fields: &mut Fields, name: &str, act: &Act) -> String {
    if name.is_empty() { act.on_behalf_of.clone() } else { fields.organisation("party", name) }
}

pub(super) fn registration(fields: &mut Fields, message: &RegisterAgreementRequest) -> Registration {
    let scope = fields.enumeration("scope", message.scope, AgreementScope::from_proto);
    Registration {
        title: fields.localized("title", message.title.as_ref(), MAX_TEXT),
        reference: fields.optional_text("reference", &message.reference, MAX_REFERENCE),
        form: fields.enumeration("form", message.form, AgreementForm::from_proto),
        scope,
        declared_nature: fields.enumeration("declared_nature", message.declared_nature, BindingNature::from_proto),
        parties: organisations(fields, "parties", &message.parties),
        depositary: optional_organisation(fields, "depositary", &message.depositary),
        terms: terms(fields, message.terms.as_ref(), scope),
    }
}

pub(super) fn termination_cause(fields: &mut Fields, message: &RecordTerminationRequest) -> TerminationCause {
    let by = optional_organisation(fields, "denounced_by", &message.denounced_by);
    let cause = fields.enumeration("cause", message.cause, |cause| match cause {
        events::TerminationCause::Unspecified => None,
        events::TerminationCause::Denunciation => {
            Some(TerminationCause::Denunciation { by: by.clone().unwrap_or_default() })
        }
        events::TerminationCause::Consent => Some(TerminationCause::Consent),
        events::TerminationCause::Other => Some(TerminationCause::Other),
    });
    if by.is_some() != matches!(cause, TerminationCause::Denunciation { .. }) {
        fields.violation(
            "denounced_by",
            ("goes with the cause `denunciation`, and only with it", "va avec la cause `denunciation`, et elle seule"),
        );
    }
    cause
}

/// A value to filter by; unspecified: `None`.
pub(super) fn known<E: TryFrom<i32> + Into<i32> + PartialEq>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    unspecified: &E,
) -> Option<i32> {
    let value = E::try_from(number);
    if value.is_err() {
        fields.violation(field, ("has an unknown value", "a une valeur inconnue"));
    }
    value.ok().filter(|value| value != unspecified).map(Into::into)
}
