//! Lists: which resources, in what order, a page at a time.
//!
//! A page begins after the place of the last element of the one before, in whatever order was asked for: elements that
//! come or go meanwhile repeat none and hide none. The token that leads to it is sealed: it holds for the same request
//! of the same organisation, and for nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::queries::ListQuery;
use event_store::{Condition, ConsistencyToken, Date, Holds, LivePool, Order, Relation, Selection};
use hmac::{Hmac, KeyInit as _, Mac as _};
use prost::Message as _;
use sha2::Sha256;
use tonic::{Request, Response, Status};

use crate::{
    Calls, Fields,
    mask::Mask,
    query::Table,
    status::{self, Violation},
};

/// Elements of a page where the caller leaves it to us.
const DEFAULT_SIZE: usize = 50;
/// Elements of a page at most; whoever asks for more gets these.
const MAX_SIZE: usize = 500;
/// Bytes of a token that seal the rest.
const SEAL_BYTES: usize = 16;

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

/// Where a page begins, and what it must have seen.
#[derive(Clone, PartialEq, prost::Message)]
struct Place {
    /// Keys of the element before, in the list's order.
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
    /// What the page before has seen.
    #[prost(string, tag = "2")]
    seen: String,
    /// The day on which the first page was asked for.
    #[prost(string, tag = "3")]
    today: String,
}

/// What makes tokens of one request of one organisation.
#[derive(Clone)]
struct Seal(Hmac<Sha256>);

impl Calls {
    /// Takes a query for a page of the list that a table answers; waits until the read models have seen what the page
    /// before has seen.
    pub async fn list<Q: ListQuery>(&self, request: Request<Q>, table: &'static Table) -> Result<Listing<Q>, Status> {
        let caller = self.query(&request, request.get_ref().at_least_as_fresh()).await?;
        let message = request.into_inner();
        let mut fields = Fields::of(&message);
        let seal = Seal::new(self.page_key(), &caller.actor.organisation, &message);
        let place = (!message.page_token().is_empty()).then(|| seal.open(&mut fields, message.page_token()));
        let mut today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        if let Some(place) = &place {
            today = place.today.parse().unwrap_or(today);
        }
        let mut listing = Listing {
            conditions: vec![table.filter(&mut fields, message.filter())],
            order: table.order(&mut fields, message.order_by()),
            size: size(&mut fields, message.page_size()),
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
            // One more than is shown, to know whether there are more.
            limit: i64::try_from(self.size + 1).expect("a page is small"),
        };
        let mut rows = selection.rows(&live.pool()).await.map_err(|error| status::store(&error))?;
        let mut next_page_token = String::new();
        if rows.len() > self.size {
            rows.truncate(self.size);
            let keys = rows.last().map(|row| row.keys.clone()).unwrap_or_default();
            let place = Place { keys, seen: self.seen.clone(), today: self.today.to_string() };
            next_page_token = self.seal.close(&place);
        }
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

fn size(fields: &mut Fields, page_size: i32) -> usize {
    match usize::try_from(page_size) {
        Ok(0) => DEFAULT_SIZE,
        Ok(size) => size.min(MAX_SIZE),
        Err(_) => {
            fields.violation("page_size", ("must not be negative", "ne doit pas être négatif"));
            DEFAULT_SIZE
        }
    }
}

impl Seal {
    fn new<Q: ListQuery>(key: &[u8; 32], organisation: &str, message: &Q) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [Q::full_name().as_bytes(), organisation.as_bytes(), &message.clone().content()] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        Self(mac)
    }

    fn close(&self, place: &Place) -> String {
        let place = place.encode_to_vec();
        let mac = self.0.clone().chain_update(&place).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&mac[..SEAL_BYTES], &place].concat())
    }

    fn open(&self, fields: &mut Fields, token: &str) -> Place {
        let opened = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| {
            let (seal, place) = bytes.split_at_checked(SEAL_BYTES)?;
            self.0.clone().chain_update(place).verify_truncated_left(seal).ok()?;
            Place::decode(place).ok()
        });
        opened.unwrap_or_else(|| {
            fields.violation(
                "page_token",
                (
                    "must be the `next_page_token` of the page before, with everything else the same",
                    "doit être le `next_page_token` de la page précédente, tout le reste étant pareil",
                ),
            );
            Place::default()
        })
    }
}

#[cfg(test)]
mod tests;
