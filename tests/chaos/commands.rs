//! The commands of the load.

use contracts::toguna::{
    log::v1::Act,
    partnerships::{
        events::v1::{
            AgreementForm, AgreementScope, AgreementTerms, BindingNature, EntryIntoForceRule, OnSignature, PartnerKind,
            SignatureKind, entry_into_force_rule::Rule,
        },
        v1::{RegisterAgreementRequest, RegisterPartnerRequest, RenamePartnerRequest, SignAgreementRequest},
    },
    r#type::v1::{Date, LocalizedText, Text, TextOrigin},
};
use uuid::Uuid;

use crate::load::{Ask, Command};

/// A command of one event, of the secretariat.
fn command(ask: Ask, since: u64, content: &str) -> Command {
    let request_id = Uuid::now_v7();
    let content = content.to_owned();
    Command { ask, organisation: "secretariat", role: "secretariat", request_id, content, events: 1, since }
}

/// A new partner; refused where the name is taken.
pub fn register_partner(since: u64, id: &str, content: &str) -> Command {
    let message = RegisterPartnerRequest {
        act: Some(act(content)),
        name: format!("partners/{id}"),
        kind: PartnerKind::Ngo.into(),
        names: Some(text(content)),
        ..RegisterPartnerRequest::default()
    };
    command(Ask::RegisterPartner(message), since, content)
}

/// Another name of a partner.
pub fn rename_partner(since: u64, id: &str, content: &str) -> Command {
    let message = RenamePartnerRequest {
        act: Some(act(content)),
        name: format!("partners/{id}"),
        names: Some(text(content)),
        ..RenamePartnerRequest::default()
    };
    command(Ask::RenamePartner(message), since, content)
}

/// An agreement that enters into force when `one` and `other` have signed.
pub fn register_agreement(since: u64, content: &str) -> Command {
    let rule = Rule::OnSignature(OnSignature::default());
    let message = RegisterAgreementRequest {
        act: Some(act(content)),
        name: format!("agreements/{content}"),
        title: Some(text(content)),
        form: AgreementForm::Treaty.into(),
        scope: AgreementScope::Bilateral.into(),
        declared_nature: BindingNature::Binding.into(),
        parties: vec!["partners/one".to_owned(), "partners/other".to_owned()],
        terms: Some(AgreementTerms {
            entry_into_force: Some(EntryIntoForceRule { rule: Some(rule) }),
            ..AgreementTerms::default()
        }),
        ..RegisterAgreementRequest::default()
    };
    command(Ask::RegisterAgreement(message), since, content)
}

/// A party signs it for good.
pub fn sign(since: u64, agreement: &str, party: &'static str, request_id: Uuid) -> Command {
    let content = format!("{agreement}-{party}");
    let message = SignAgreementRequest {
        act: Some(act(&content)),
        name: format!("agreements/{agreement}"),
        kind: SignatureKind::Definitive.into(),
        ..SignAgreementRequest::default()
    };
    let ask = Ask::SignAgreement(message);
    Command { ask, organisation: party, role: "signatory", request_id, content, events: 1, since }
}

fn text(words: &str) -> LocalizedText {
    LocalizedText { fr: None, en: Some(Text { text: words.to_owned(), origin: TextOrigin::Official.into() }) }
}

fn act(reason: &str) -> Act {
    let effective_on = Some(Date { year: 2020, month: 1, day: 1 });
    Act { effective_on, reason: reason.to_owned(), ..Act::default() }
}
