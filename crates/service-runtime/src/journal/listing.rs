//! The journal of refusals, listed for auditors.

use contracts::toguna::{
    errors::v1::RefusalKind,
    log::v1::{self as pb, journal_service_server::JournalService},
};
use event_store::{Journal, Refused, RefusedFilter, Timestamp};
use prost::Message as _;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    Calls, Fields,
    page::{self, Place, Seal},
    status,
};

/// Serves the journal of one service.
pub(crate) struct Refusals {
    journal: Journal,
    calls: Calls,
}

impl Refusals {
    pub fn new(journal: Journal, calls: Calls) -> Self {
        Self { journal, calls }
    }
}

#[tonic::async_trait]
impl JournalService for Refusals {
    async fn list_refusals(
        &self,
        request: Request<pb::ListRefusalsRequest>,
    ) -> Result<Response<pb::ListRefusalsResponse>, Status> {
        let caller = self.calls.refusals_query(&request, &request.get_ref().organisation).await?;
        let wanted = request.into_inner();
        let mut fields = Fields::of(&wanted);
        let filter = RefusedFilter {
            organisation: fields
                .optional_name("organisation", &wanted.organisation, crate::PARTNERS)
                .map(|it| it.to_string()),
            kind: fields
                .optional_enumeration("kind", wanted.kind, |kind| (kind != RefusalKind::Unspecified).then_some(kind)),
            since: time(&mut fields, "since", wanted.since.as_ref()),
            before: time(&mut fields, "before", wanted.before.as_ref()),
        };
        let content = pb::ListRefusalsRequest { page_size: 0, page_token: String::new(), ..wanted.clone() };
        let organisation = &caller.actor.organisation;
        let seal = Seal::of::<pb::ListRefusalsRequest>(self.calls.page_key(), organisation, &content.encode_to_vec());
        let place = seal.open(&mut fields, &wanted.page_token);
        fields.finish()?;
        let size = page::size(wanted.page_size);
        let after = place.and_then(|place| Uuid::try_parse(place.keys.first()?).ok());
        let found = self.journal.page(&filter, after, page::limit(size)).await;
        let mut found = found.map_err(|error| status::store(&error))?;
        let next = page::cut(&mut found, size)
            .map(|last| seal.close(&Place { keys: vec![last.id.to_string()], ..Place::default() }));
        let refusals = found.into_iter().map(refusal).collect();
        Ok(Response::new(pb::ListRefusalsResponse { refusals, next_page_token: next.unwrap_or_default() }))
    }
}

fn time(fields: &mut Fields, field: &str, time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let sent = time?;
    let read = Timestamp::new(sent.seconds, sent.nanos).ok();
    if read.is_none() {
        fields.violation(field, ("is no time", "n’est pas un moment"));
    }
    read
}

fn refusal(refused: Refused) -> pb::Refusal {
    let wire = |time: Timestamp| prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() };
    pb::Refusal {
        refused_at: Some(wire(refused.at())),
        id: refused.id.to_string(),
        count: refused.count,
        first_refused_at: Some(wire(refused.first_at)),
        kind: refused.kind.into(),
        reason: refused.reason,
        values: refused.values.into_iter().map(|(key, value)| pb::RefusalValue { key, value }).collect(),
        actor: Some(pb::Actor {
            issuer: refused.actor.issuer,
            subject: refused.actor.subject,
            organisation: refused.actor.organisation,
            roles: refused.actor.roles,
        }),
        on_behalf_of: refused.on_behalf_of,
        method: refused.method,
        resource: refused.resource,
        request_id: refused.request_id.map(|id| id.to_string()).unwrap_or_default(),
        trace_id: refused.trace_id,
        validate_only: refused.validate_only,
    }
}
