//! Lists: which resources, in what order, a page at a time.

use contracts::queries::ListQuery;
use event_store::{Condition, ConsistencyToken, Date, Holds, LivePool, Order, Relation, Selection};
use prost::Message as _;
use tonic::{Request, Response, Status};

use crate::{
    Caller, Calls, Fields,
    call::Asker,
    mask::Mask,
    page::{self, Place, Seal},
    query::Table,
    status::{self, Violation},
};

/// A query for a page of a list, read.
pub struct Listing<Q: ListQuery> {
    /// The request as sent.
    pub message: Q,
    table: &'static Table,
    conditions: Vec<Condition>,
    order: Vec<Order>,
    size: usize,
    place: Option<Place>,
    today: Date,
    seal: Seal,
    seen: String,
    mask: Mask,
    violations: Vec<Violation>,
}

/// A page of a list, before it is answered.
pub struct Page<Q: ListQuery> {
    /// The resources, whole.
    pub resources: Vec<Q::Resource>,
    next_page_token: String,
    consistency_token: String,
    mask: Mask,
}

impl Calls {
    /// Takes a query for a page of the list that a table answers; waits until the read models have seen what the page
    /// before has seen.
    pub async fn list<Q: ListQuery>(&self, request: Request<Q>, table: &'static Table) -> Result<Listing<Q>, Status> {
        let caller = self.query(&request, request.get_ref().at_least_as_fresh()).await?;
        self.listing(&caller, request, table).await
    }

    /// The same of a list of what is each of an organisation, which stands in this field of it: whoever may not ask for
    /// that of all is shown what is of its own.
    pub async fn list_own<Q: ListQuery>(
        &self,
        request: Request<Q>,
        table: &'static Table,
        field: &str,
    ) -> Result<Listing<Q>, Status> {
        let fresh = request.get_ref().at_least_as_fresh();
        let (caller, own) = self.own_query(Asker::ReadModels, &request, fresh).await?;
        let mut listing = self.listing(&caller, request, table).await?;
        listing.narrow(field, own);
        Ok(listing)
    }

    async fn listing<Q: ListQuery>(
        &self,
        caller: &Caller,
        request: Request<Q>,
        table: &'static Table,
    ) -> Result<Listing<Q>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::of(&message);
        let seal = Seal::of::<Q>(self.page_key(), &caller.actor.organisation, &message.clone().content());
        let place = seal.open(&mut fields, message.page_token());
        let mut today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        if let Some(place) = &place {
            today = place.today.parse().unwrap_or(today);
        }
        let mut listing = Listing {
            conditions: vec![table.filter(&mut fields, message.filter())],
            order: table.order(&mut fields, message.order_by()),
            size: page::size(message.page_size()),
            mask: Mask::read::<Q::Resource>(&mut fields, message.read_mask()),
            violations: fields.into_violations(),
            seen: String::new(),
            message,
            table,
            place,
            today,
            seal,
        };
        let seen = listing.place.as_ref().map(|place| place.seen.parse::<ConsistencyToken>());
        if let Some(Ok(seen)) = seen
            && listing.violations.is_empty()
        {
            self.wait_for_read_models(&[seen]).await?;
        }
        listing.seen = self.seen_here();
        Ok(listing)
    }
}

impl<Q: ListQuery> Listing<Q> {
    /// Reads the request's own fields; what is wrong with filter, order, page and mask is told together with what is
    /// wrong with them.
    pub fn fields(&self) -> Fields {
        Fields::after(self.violations.clone())
    }

    /// The day on which the first page was asked for: all pages of a list are as of the same day.
    pub fn today(&self) -> Date {
        self.today
    }

    /// Narrows the list to what this holds of.
    pub fn only(&mut self, condition: Condition) {
        self.conditions.push(condition);
    }

    /// Narrows it to what has this value in a field that the list declares; of a field that holds several, among
    /// them. `None`: it stays as it is.
    pub fn narrow(&mut self, field: &str, value: Option<impl ToString>) {
        let Some(value) = value else { return };
        let declared = self.table.fields.iter().find(|declared| declared.name == field);
        let column = declared.expect("the list declares the field").column();
        self.only(match column.holds {
            Holds::Texts => Condition::Has(column, value.to_string()),
            Holds::Text | Holds::Number | Holds::Day => Condition::Is(column, Relation::Equal, value.to_string()),
        });
    }

    /// Reads the page.
    pub async fn page(self, live: &LivePool) -> Result<Page<Q>, Status> {
        Fields::after(self.violations).finish()?;
        let selection = Selection {
            table: self.table.name,
            condition: Condition::All(self.conditions),
            order: self.order,
            after: self.place.map(|place| place.keys),
            limit: page::limit(self.size),
        };
        let mut rows = selection.rows(&live.pool()).await.map_err(|error| status::store(&error))?;
        let next = page::cut(&mut rows, self.size).map(|last| {
            let keys = last.keys.clone();
            self.seal.close(&Place { keys, seen: self.seen.clone(), today: self.today.to_string() })
        });
        let next_page_token = next.unwrap_or_default();
        let resources = rows.iter().map(|row| Q::Resource::decode(row.resource.as_slice()));
        let resources = resources.collect::<Result<_, _>>().map_err(|error| status::internal(&error))?;
        Ok(Page { resources, next_page_token, consistency_token: self.seen, mask: self.mask })
    }

    /// Answers with the page.
    pub async fn answer(self, live: &LivePool) -> Result<Response<Q::Response>, Status> {
        self.page(live).await?.answer()
    }
}

impl<Q: ListQuery> Page<Q> {
    /// Answers with those fields that were asked for.
    pub fn answer(self) -> Result<Response<Q::Response>, Status> {
        let resources = self.resources.into_iter().map(|resource| self.mask.of(resource));
        let resources = resources.collect::<Result<_, _>>()?;
        Ok(Response::new(Q::answer(resources, self.next_page_token, self.consistency_token)))
    }
}
