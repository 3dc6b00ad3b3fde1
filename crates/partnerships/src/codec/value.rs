//! Between the values in events and their stored form.

use contracts::toguna::{partnerships::events::v1 as pb, r#type::v1 as types};
use event_store::{Date, DecodeError, PartialDate, Payload, Stored, any_payload, date_from_proto, date_to_proto};
use prost_types::Any;

use crate::domain::{
    Confirmation,
    agreement::events::{
        AgreementForm, AgreementScope, BindingNature, ConsentDelivery, ConsentKind, Ground, SignatureKind,
    },
    dialogue::MembershipStatus,
    partner::{MigrationRole, PartnerKind},
};

/// An enumeration of the domain and its twin on the wire, which has one value more: the unspecified one.
pub(crate) trait OnWire: Sized {
    /// The twin.
    type Proto: TryFrom<i32> + Into<i32>;
    /// Its value on the wire.
    fn to_proto(self) -> Self::Proto;
    /// The value of the wire; `None`: unspecified.
    fn from_proto(value: Self::Proto) -> Option<Self>;

    /// The value of a stored field.
    fn stored(field: &'static str, number: i32) -> Result<Self, DecodeError> {
        let value = Self::Proto::try_from(number).map_err(|_| DecodeError::Invalid(field))?;
        Self::from_proto(value).ok_or(DecodeError::Missing(field))
    }
}

/// The twins have the same names for the same values; both matches are exhaustive.
macro_rules! on_wire {
    ($($domain:ident as $proto:path { $($value:ident),+ $(,)? })+) => {$(
        impl OnWire for $domain {
            type Proto = $proto;

            fn to_proto(self) -> $proto {
                use $proto as Proto;
                match self {
                    $(Self::$value => Proto::$value,)+
                }
            }

            fn from_proto(value: $proto) -> Option<Self> {
                use $proto as Proto;
                match value {
                    Proto::Unspecified => None,
                    $(Proto::$value => Some(Self::$value),)+
                }
            }
        }
    )+};
}

on_wire! {
    PartnerKind as pb::PartnerKind {
        State, Ministry, PublicAgency, LocalAuthority, InternationalOrganisation, RegionalOrganisation, Bank, Ngo,
        Company,
    }
    MigrationRole as pb::MigrationRole { Origin, Transit, Host }
    MembershipStatus as pb::MembershipStatus { Member, Observer, JvapPartner, NonMember }
    AgreementForm as pb::AgreementForm {
        Treaty, NonTreatyAgreement, MemorandumOfUnderstanding, JointCommunique, PoliticalDeclaration,
    }
    AgreementScope as pb::AgreementScope { Bilateral, Regional, Global }
    BindingNature as pb::BindingNature { Binding, NonBinding }
    SignatureKind as pb::SignatureKind { Definitive, SubjectToRatification }
    ConsentKind as pb::ConsentKind { Ratification, Acceptance, Approval, Accession }
    ConsentDelivery as pb::ConsentDelivery { Deposited, Notified }
    Ground as pb::OutcomeGround { Rule, Stated }
}

/// A name that may be missing, which is empty on the wire.
pub(crate) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing(field))
}

pub(super) fn day(field: &'static str, date: Option<&types::Date>) -> Result<Date, DecodeError> {
    date_from_proto(required(field, date)?)?.exact().ok_or(DecodeError::Invalid(field))
}

/// What a confirmation holds, whatever the aggregate.
pub(super) struct ConfirmationParts {
    pub version: u64,
    pub confirmed: Option<Any>,
    pub effective_on: Option<types::Date>,
}

impl ConfirmationParts {
    pub fn of<A: Stored>(confirmation: &Confirmation<A::Event>) -> Self {
        let Payload { type_name, bytes } = A::encode(&confirmation.event);
        Self {
            version: confirmation.version,
            confirmed: Some(Any { type_url: format!("type.googleapis.com/{type_name}"), value: bytes }),
            effective_on: confirmation.effective_on.map(date_to_proto),
        }
    }

    pub fn decode<A: Stored>(self) -> Result<Box<Confirmation<A::Event>>, DecodeError> {
        let date = |date: &types::Date| -> Result<PartialDate, DecodeError> { date_from_proto(date) };
        Ok(Box::new(Confirmation {
            version: self.version,
            event: A::decode(&any_payload(required("confirmed", self.confirmed)?))?,
            effective_on: self.effective_on.as_ref().map(date).transpose()?,
        }))
    }
}
