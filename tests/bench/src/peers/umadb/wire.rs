//! The two calls of `UmaDB`'s gRPC interface (package `umadb.v1`) that are made here, and what they carry: its own client
//! library is built with protoc, which is more than a benchmark should ask for.

use bytes::Bytes;
use prost::Message;
use tonic::{Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;
use uuid::Uuid;

/// Appends so many events that all carry the tag `stream`, provided that no event of the log has it yet; the position
/// of the last one.
pub async fn append(channel: Channel, stream: &str, events: usize, content: &Bytes) -> Result<u64, Status> {
    let event = || Event {
        kind: "Recorded".to_owned(),
        tags: vec![stream.to_owned()],
        data: content.clone(),
        uuid: Uuid::now_v7().to_string(),
    };
    let of_the_stream = Item { types: Vec::new(), tags: vec![stream.to_owned()] };
    let condition = Condition { fail_if_events_match: Some(Query { items: vec![of_the_stream] }), after: None };
    let request = AppendRequest { events: (0..events).map(|_| event()).collect(), condition: Some(condition) };
    let answer: AppendResponse = call(channel, "/umadb.v1.DCB/Append", request).await?;
    Ok(answer.position)
}

/// The position of the last event of the log; 0 where it is empty.
pub async fn head(channel: Channel) -> Result<u64, Status> {
    let answer: HeadResponse = call(channel, "/umadb.v1.DCB/Head", HeadRequest {}).await?;
    Ok(answer.position.unwrap_or(0))
}

async fn call<Q, A>(channel: Channel, path: &'static str, request: Q) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static(path);
    Ok(client.unary(Request::new(request), path, ProstCodec::default()).await?.into_inner())
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
    #[prost(bytes = "bytes", tag = "3")]
    data: Bytes,
    #[prost(string, tag = "4")]
    uuid: String,
}

#[derive(Clone, PartialEq, Message)]
struct AppendRequest {
    #[prost(message, repeated, tag = "1")]
    events: Vec<Event>,
    #[prost(message, optional, tag = "2")]
    condition: Option<Condition>,
}

#[derive(Clone, PartialEq, Message)]
struct Condition {
    #[prost(message, optional, tag = "1")]
    fail_if_events_match: Option<Query>,
    #[prost(uint64, optional, tag = "2")]
    after: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Query {
    #[prost(message, repeated, tag = "1")]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, Message)]
struct Item {
    #[prost(string, repeated, tag = "1")]
    types: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct AppendResponse {
    #[prost(uint64, tag = "1")]
    position: u64,
}

#[derive(Clone, PartialEq, Message)]
struct HeadRequest {}

#[derive(Clone, PartialEq, Message)]
struct HeadResponse {
    #[prost(uint64, optional, tag = "1")]
    position: Option<u64>,
}
