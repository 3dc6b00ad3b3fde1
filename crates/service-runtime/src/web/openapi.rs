//! The `OpenAPI` document: what the descriptors say, for tools that read no protos. Comments of the protos are its
//! descriptions.

mod schemas;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prost_reflect::{FileDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use serde_json::{Map, Value, json};
use tonic::body::Body;

use self::schemas::Schemas;
use super::{answer, refusal::Caller, replay, schema};

/// Where it is.
pub(super) const PATH: &str = "/openapi.json";

/// The document of what one server serves, made when it is first asked for.
#[derive(Clone)]
pub(super) struct Served {
    services: Arc<[&'static str]>,
    document: Arc<OnceLock<Bytes>>,
}

impl Served {
    pub fn new(services: &[&'static str]) -> Self {
        Self { services: services.into(), document: Arc::default() }
    }

    pub fn answer(&self, caller: &Caller) -> Response<Body> {
        let text = self.document.get_or_init(|| document(&self.services).to_string().into());
        let mut response = answer::json(StatusCode::OK, text.to_vec(), caller);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
        response
    }
}

/// The document of these services.
fn document(services: &[&str]) -> Value {
    let comments = Comments::of_all();
    let services: Vec<ServiceDescriptor> =
        services.iter().filter_map(|name| schema::all().get_service_by_name(name)).collect();
    let mut schemas = Schemas::new(&comments);
    let mut paths = Map::new();
    for service in &services {
        for method in service.methods() {
            if method.is_client_streaming() {
                continue;
            }
            if !method.is_server_streaming() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                paths.insert(path, json!({ "post": unary(&method, &comments, &mut schemas) }));
            } else if method.full_name() == "toguna.log.v1.LogService.ReplayLog" {
                paths.insert(replay::PATH.to_owned(), json!({ "get": events(&method, &comments, &mut schemas) }));
            }
        }
    }
    paths.sort_keys();
    let tags = services.iter().map(|service| {
        json!({ "name": service.full_name(), "description": comments.of(&service.parent_file(), service.path()) })
    });
    let tags: Vec<Value> = tags.collect();
    let mut schemas = schemas.finish();
    schemas.insert("Refusal".to_owned(), refusal());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Toguna",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "parameters": parameters(),
            "responses": {
                "Refused": {
                    "description": "The call was refused or failed; the details say why, also in the caller’s language.",
                    "content": { "application/json": { "schema": reference("Refusal") } },
                },
            },
            "schemas": schemas,
        },
    })
}

const ABOUT: &str = "Who works with whom in migration cooperation, what was promised, and what was paid: every call of \
                     the gRPC services as JSON over HTTP (the unary protocol of Connect). Names of fields may also be \
                     written as in the protos; integers of 64 bits are texts; a field that does not exist is refused.";

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn unary(method: &MethodDescriptor, comments: &Comments, schemas: &mut Schemas) -> Value {
    json!({
        "operationId": method.full_name().replace('.', "_"),
        "tags": [method.parent_service().full_name()],
        "summary": method.name(),
        "description": comments.of(&method.parent_file(), method.path()),
        "parameters": [{ "$ref": "#/components/parameters/Language" }, { "$ref": "#/components/parameters/Timeout" }],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": schemas.of(&method.input()) } },
        },
        "responses": {
            "200": {
                "description": comments.of(&method.output().parent_file(), method.output().path()),
                "content": { "application/json": { "schema": schemas.of(&method.output()) } },
            },
            "default": { "$ref": "#/components/responses/Refused" },
        },
    })
}

fn events(method: &MethodDescriptor, comments: &Comments, schemas: &mut Schemas) -> Value {
    let mut parameters = vec![
        json!({ "$ref": "#/components/parameters/Language" }),
        json!({ "$ref": "#/components/parameters/Timeout" }),
        json!({ "$ref": "#/components/parameters/LastEventId" }),
    ];
    query_of(&method.input(), "", comments, schemas, &mut parameters);
    json!({
        "operationId": method.full_name().replace('.', "_"),
        "tags": [method.parent_service().full_name()],
        "summary": method.name(),
        "description": comments.of(&method.parent_file(), method.path()),
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "Server-sent events. The name of each is that of a field of the schema, its data that \
                                field's value, its id a resume token; `failure` has a refusal as its data.",
                "content": { "text/event-stream": { "schema": schemas.of(&method.output()) } },
            },
            "204": { "description": "There is nothing new after `Last-Event-ID`, and the replay does not follow the log." },
            "default": { "$ref": "#/components/responses/Refused" },
        },
    })
}

/// The fields of a message as parameters of a query, those of its messages with a point between the names.
fn query_of(
    message: &MessageDescriptor,
    prefix: &str,
    comments: &Comments,
    schemas: &mut Schemas,
    parameters: &mut Vec<Value>,
) {
    for field in message.fields() {
        let name = format!("{prefix}{}", field.name());
        match field.kind() {
            Kind::Message(inner) if !inner.full_name().starts_with("google.protobuf.") => {
                query_of(&inner, &format!("{name}."), comments, schemas, parameters);
            }
            _ => parameters.push(json!({
                "name": name,
                "in": "query",
                "description": comments.of(&field.parent_file(), field.path()),
                "schema": schemas.of_field(&field),
            })),
        }
    }
}

fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    json!({
        "Language": header(
            "Accept-Language",
            "The language of refusals.",
            json!({ "type": "string", "examples": ["fr", "en"] }),
        ),
        "Timeout": header(
            "Connect-Timeout-Ms",
            "How long the caller waits, in milliseconds; at most a minute for what is no replay.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "LastEventId": header(
            "Last-Event-ID",
            "A resume token: the replay goes on from there, whatever the query says of its start.",
            json!({ "type": "string" }),
        ),
    })
}

fn refusal() -> Value {
    json!({
        "type": "object",
        "description": "Why a call was refused, as Connect writes it.",
        "required": ["code"],
        "properties": {
            "code": { "type": "string", "description": "The gRPC code, in lower case: `not_found`." },
            "message": { "type": "string", "description": "In English, for developers." },
            "details": {
                "type": "array",
                "description": "Messages of `google.rpc`: ErrorInfo always, with the stable reason; LocalizedMessage \
                                in the caller's language; BadRequest, RetryInfo and others where they say something.",
                "items": {
                    "type": "object",
                    "properties": {
                        "type": { "type": "string", "description": "`google.rpc.ErrorInfo`" },
                        "value": { "type": "string", "contentEncoding": "base64", "description": "The message, encoded." },
                        "debug": { "type": "object", "description": "The same as JSON." },
                    },
                },
            },
        },
    })
}

/// Comments of the protos, by file and place in it.
struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    fn of_all() -> Self {
        let mut comments = HashMap::new();
        for file in schema::all().files() {
            let places = file.file_descriptor_proto().source_code_info.iter().flat_map(|source| &source.location);
            for place in places.filter(|place| !place.leading_comments().is_empty()) {
                comments.insert((file.name().to_owned(), place.path.clone()), unwrapped(place.leading_comments()));
            }
        }
        Self(comments)
    }

    fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// Lines of a paragraph become one.
fn unwrapped(comment: &str) -> String {
    let paragraphs = comment.split("\n\n").map(|paragraph| {
        paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    });
    paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests;
