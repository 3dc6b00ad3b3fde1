//! The journal of refusals, listed for auditors.

use contracts::toguna::{
    errors::v1::RefusalKind,
    log::v1::{self as pb, journal_service_server::JournalService},
};
use event_store::{Journal, Refused, RefusedFilter, Timestamp};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{Calls, Fields, Page, status};

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
        self.calls.refusals_query(&request, &request.get_ref().organisation).await?;
        let wanted = request.into_inner();
        let mut fields = Fields::new();
        let filter = RefusedFilter {
            organisation: fields
                .optional_name("organisation", &wanted.organisation, crate::PARTNERS)
                .map(|it| it.to_string()),
            kind: fields
                .optional_enumeration("kind", wanted.kind, |kind| (kind != RefusalKind::Unspecified).then_some(kind)),
            since: time(&mut fields, "since", wanted.since.as_ref()),
            before: time(&mut fields, "before", wanted.before.as_ref()),
        };
        let bound = format!("{filter:?}");
        let page = Page::read(&mut fields, wanted.page_size, &wanted.page_token, &[&bound]);
        fields.finish()?;
        let after = Uuid::try_parse(page.after()).ok();
        let found = self.journal.page(&filter, after, page.limit()).await;
        let mut found = found.map_err(|error| status::store(&error))?;
        let ids: Vec<String> = found.iter().map(|refused| refused.id.to_string()).collect();
        let mut shown: Vec<(String, Refused)> = ids.into_iter().zip(found.drain(..)).collect();
        let next_page_token = page.cut(&mut shown, |(id, _)| id);
        let refusals = shown.into_iter().map(|(id, refused)| refusal(id, refused)).collect();
        Ok(Response::new(pb::ListRefusalsResponse { refusals, next_page_token }))
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

fn refusal(id: String, refused: Refused) -> pb::Refusal {
    let wire = |time: Timestamp| prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() };
    pb::Refusal {
        refused_at: Some(wire(refused.at())),
        id,
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
