//! What callers can ask: each request becomes a command, or a read of the log or of the read models.

mod agreement;
mod citations;
mod correction;
mod dialogue;
mod partner;
mod record;
mod status;
mod terms;

use contracts::{
    commands::Command,
    queries::ListQuery,
    toguna::{
        partnerships::v1::{
            agreement_service_server::AgreementServiceServer, correction_service_server::CorrectionServiceServer,
            dialogue_service_server::DialogueServiceServer, partner_service_server::PartnerServiceServer,
            record_service_server::RecordServiceServer,
        },
        r#type::v1 as types,
    },
};
use event_store::{Act, LivePool, Log, Refusal, Stored, StreamName};
use prost::Name;
use service_runtime::{Calls, Fields, Known, Listing, Parts, limited};
use tonic::{Request, Response, Status};

use crate::{projections::on, resource::Resource};

/// Names and titles.
const MAX_TEXT: usize = 500;
/// References, articles.
const MAX_REFERENCE: usize = 200;
/// What an article obliges to.
const MAX_OBLIGATION: usize = 4_000;
/// Parties of one agreement.
const MAX_PARTIES: usize = 300;

/// Answers the calls of this service.
#[derive(Clone)]
pub(crate) struct Partnerships {
    /// Verifies them.
    pub calls: Calls,
    /// Decides them.
    pub log: Log,
    /// Answers lists.
    pub lists: LivePool,
}

impl Partnerships {
    /// Serves all of it.
    pub fn serve(self, parts: &mut Parts) {
        parts.serve(limited!(PartnerServiceServer::new(self.clone())));
        parts.serve(limited!(DialogueServiceServer::new(self.clone())));
        parts.serve(limited!(AgreementServiceServer::new(self.clone())));
        parts.serve(limited!(RecordServiceServer::new(self.clone())));
        parts.serve(limited!(CorrectionServiceServer::new(self)));
    }

    /// A command that concerns one resource alone: its fields are read, the aggregate decides.
    async fn decide<A, Q>(
        &self,
        request: Request<Q>,
        read: impl FnOnce(&mut Fields, &Q, &Act) -> (StreamName, A::Command),
    ) -> Result<Response<Q::Response>, Status>
    where
        A: Stored<Command: Send + Sync, Error: Refusal>,
        Q: Command + Name,
    {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let (name, command) = read(&mut fields, &call.message, &call.act);
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<A>(&name, &command)).await
    }
}

/// A resource as it is on the evening of the day that was asked for, by all that is recorded.
fn shown<A: Resource>(known: &Known<A>) -> Option<A::Shown> {
    known.history.state_as_of(known.evening()).show(known.name.as_str(), &known.history)
}

/// Narrows a list to resources as they are on the evening of a day; unset: today.
fn as_of<Q: ListQuery>(listing: &mut Listing<Q>, fields: &mut Fields, day: Option<&types::Date>) {
    let day = fields.optional_exact_date("as_of", day).unwrap_or_else(|| listing.today());
    listing.only(on(day));
}

/// An organisation that need not be named.
fn optional_organisation(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| fields.organisation(field, text))
}

/// Several organisations, in the order named.
fn organisations(fields: &mut Fields, field: &str, names: &[String]) -> Vec<String> {
    fields.at_most(field, names.len(), MAX_PARTIES);
    let numbered = names.iter().take(MAX_PARTIES).enumerate();
    numbered.map(|(index, name)| fields.organisation(&format!("{field}[{index}]"), name)).collect()
}

/// An id inside a resource: as the id of a name.
fn id(fields: &mut Fields, field: &str, text: &str) -> String {
    if StreamName::new("x", text).is_err() {
        fields.violation(
            field,
            (
                "must be 1 to 63 lower-case letters, digits and inner hyphens",
                "doit compter de 1 à 63 minuscules, chiffres et traits d’union intérieurs",
            ),
        );
    }
    text.to_owned()
}
