//! What may be wrong with a request: its bytes, its frames, what its headers say of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use tonic::codegen::http::Method;

use super::wire::{Sent, framed};

/// In how many ways a request is sent.
pub const WAYS: u64 = 26;

/// Up to here they are calls of gRPC, whatever they bring.
pub const LAST_OF_GRPC: u64 = 14;

/// A request in one of the ways. `message`: encoded, `json`: the same as JSON where it has such a form.
pub fn sent(way: u64, path: &str, message: &[u8], json: Option<&Value>, chance: &mut StdRng) -> Sent {
    let whole = framed(0, message);
    match way {
        // As it is, more or less sensible.
        0..=5 => Sent::grpc(path, whole),
        6 => Sent::grpc(path, framed(0, &noise(chance, 300))),
        7 => Sent::grpc(path, framed(0, &message[..chance.random_range(0..=message.len())])),
        8 => Sent::grpc(path, framed(0, &flipped(message.to_vec(), chance))),
        // A message twice: what is repeated grows, of what is chosen the last one counts.
        9 => Sent::grpc(path, framed(0, &[message, message, &unknown_fields(chance)].concat())),
        10 => Sent::grpc(path, framed(0, &deep(chance))),
        11 => Sent::grpc(path, framed(0, &many(chance))),
        12 => Sent::grpc(path, misframed(whole, chance)),
        13 => Sent::grpc(path, [framed(0, message), framed(0, message), noise(chance, 9)].concat()),
        14 => packed(path, message, chance),
        15 => Sent::grpc(path, whole).with("content-type", one_of(chance, &OTHER_KINDS)),
        16 => odd_headers(Sent::grpc(path, whole), chance),
        17 if path.ends_with("/ReplayLog") => events(chance),
        17 => Sent::grpc(path, noise(chance, 40)),
        18 => connect(path, written(json)),
        19 => connect(path, changed(json, chance).to_string().into_bytes()),
        20 => {
            let text = written(json);
            let end = chance.random_range(0..=text.len());
            connect(path, flipped(text[..end].to_vec(), chance))
        }
        21 => connect(path, nested(chance)),
        22 => odd_headers(connect(path, written(json)), chance),
        23 => connect(path, flipped(message.to_vec(), chance)).with("content-type", "application/proto"),
        24 => web(path, flipped(whole, chance), "application/grpc-web+proto"),
        _ => {
            let text = STANDARD.encode(&whole).into_bytes();
            let text = if chance.random() { text } else { flipped(text, chance) };
            web(path, text, "application/grpc-web-text")
        }
    }
}

/// Which messages of these ways are such as a careful caller sends: of a hundred values, so many are not.
pub fn wildness(way: u64) -> u32 {
    match way {
        0..=2 | 18 => 0,
        3 | 9 | 13 | 19 => 3,
        4 => 12,
        _ => 40,
    }
}

fn web(path: &str, body: Vec<u8>, kind: &str) -> Sent {
    Sent::grpc(path, body).with("content-type", kind)
}

fn connect(path: &str, body: Vec<u8>) -> Sent {
    let headers = vec![("content-type", "application/json".to_owned())];
    Sent { method: Method::POST, path: path.to_owned(), headers, body }.with("connect-timeout-ms", "30000")
}

/// A replay as server-sent events, or whatever a query says.
fn events(chance: &mut StdRng) -> Sent {
    let names =
        ["from_position", "follow", "filter.stream", "filter.types", "max_events", "resume_token", "since", "x"];
    let values = ["1", "-1", "true", "", "%00", "%ff%fe", "9223372036854775807", "18446744073709551616", "a/b", "NaN"];
    let query: Vec<String> = (0..chance.random_range(0..5))
        .map(|_| format!("{}={}", one_of(chance, &names), one_of(chance, &values)))
        .collect();
    let sent = Sent {
        method: Method::GET,
        path: format!("/v1/log:replay?{}", query.join("&")),
        headers: vec![("connect-timeout-ms", "400".to_owned())],
        body: Vec::new(),
    };
    if chance.random() { sent.with("last-event-id", one_of(chance, &values)) } else { sent }
}

fn misframed(whole: Vec<u8>, chance: &mut StdRng) -> Vec<u8> {
    let mut body = whole;
    match chance.random_range(0..6) {
        0 => body[1..5].copy_from_slice(&u32::MAX.to_be_bytes()),
        1 => body[1..5].copy_from_slice(&0_u32.to_be_bytes()),
        2 => body[0] = *[1_u8, 2, 127, 128, 255].choose(chance).expect("some"),
        3 => body.truncate(chance.random_range(0..=body.len())),
        4 => body.clear(),
        _ => body[4] = body[4].wrapping_add(chance.random_range(1..=9)),
    }
    body
}

/// Said to be compressed, and it is not, or not so.
fn packed(path: &str, message: &[u8], chance: &mut StdRng) -> Sent {
    let message =
        if chance.random() { message.to_vec() } else { [&[0x1f, 0x8b, 8, 0][..], &noise(chance, 200)].concat() };
    let sent = Sent::grpc(path, framed(u8::from(chance.random_bool(0.9)), &message));
    sent.with("grpc-encoding", one_of(chance, &["gzip", "zstd", "identity", "br", "deflate", "", "gzip, gzip"]))
}

const OTHER_KINDS: [&str; 10] = [
    "application/grpc+json",
    "application/grpc;x=\"",
    "application/grpc-web+thrift",
    "application/grpcx",
    "text/plain",
    "",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "APPLICATION/GRPC",
];

fn odd_headers(sent: Sent, chance: &mut StdRng) -> Sent {
    let (name, values): (&'static str, &[&str]) = match chance.random_range(0..9) {
        0 => ("grpc-timeout", &["0n", "1n", "99999999H", "999999999S", "-1S", "S", "1", "1.5S", "é"]),
        1 => ("connect-timeout-ms", &["0", "1", "9999999999", "99999999999", "-1", "x"]),
        2 => ("accept-language", &["fr;q=NaN", ";;;,,,", "fr;q=-1", "*", "fr-ML, en;q=0.8", "x;q=1e999"]),
        3 => ("correlation-id", &["", "x", "00000000-0000-0000-0000-000000000000"]),
        4 => ("traceparent", &["00-0-0-0", "ff-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff", "", "\u{e9}"]),
        5 => ("tracestate", &["=", "a=b,a=b,,,", "x"]),
        6 => ("content-encoding", &["gzip", "br", "identity", ""]),
        7 => ("connect-protocol-version", &["2", "", "1"]),
        _ => ("grpc-accept-encoding", &["gzip", "x,y,,z", ""]),
    };
    sent.with(name, one_of(chance, values))
}

/// Bytes in the place of others, at a few places.
fn flipped(mut bytes: Vec<u8>, chance: &mut StdRng) -> Vec<u8> {
    for _ in 0..chance.random_range(1..6) {
        if bytes.is_empty() {
            return noise(chance, 20);
        }
        let place = chance.random_range(0..bytes.len());
        match chance.random_range(0..4) {
            0 => bytes[place] ^= 1 << chance.random_range(0..8),
            1 => bytes[place] = chance.random(),
            2 => drop(bytes.remove(place)),
            _ => bytes.insert(place, chance.random()),
        }
    }
    bytes
}

fn noise(chance: &mut StdRng, most: usize) -> Vec<u8> {
    let length = chance.random_range(0..=most);
    (0..length).map(|_| chance.random()).collect()
}

/// Fields that no message has, of every wire type.
fn unknown_fields(chance: &mut StdRng) -> Vec<u8> {
    let fields: [&[u8]; 6] = [
        &[0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0xf9, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
        &[0xfa, 0x7f, 0x03, b'a', 0xff, 0xfe],
        &[0xfb, 0x7f, 0xfc, 0x7f],
        &[0xfd, 0x7f, 1, 2, 3, 4],
        &[0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00],
    ];
    fields.choose(chance).expect("some").to_vec()
}

/// Messages in messages, far deeper than any of ours, under one number.
fn deep(chance: &mut StdRng) -> Vec<u8> {
    let tag = (chance.random_range(1..16_u8) << 3) | 2;
    let mut bytes = Vec::new();
    for _ in 0..chance.random_range(20..400) {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend(&bytes);
        bytes = outer;
    }
    bytes
}

/// One small field many thousand times.
fn many(chance: &mut StdRng) -> Vec<u8> {
    let number = chance.random_range(1..16_u8);
    let one = match chance.random_range(0..3) {
        0 => vec![(number << 3) | 2, 0],
        1 => vec![(number << 3) | 2, 1, b'a'],
        _ => vec![number << 3, 1],
    };
    one.repeat(chance.random_range(1_000..100_000))
}

fn written(json: Option<&Value>) -> Vec<u8> {
    json.map_or_else(|| b"{}".to_vec(), |json| json.to_string().into_bytes())
}

/// The same JSON with something else at a few places.
fn changed(json: Option<&Value>, chance: &mut StdRng) -> Value {
    let mut json = json.cloned().unwrap_or_else(|| json!({}));
    for _ in 0..chance.random_range(1..4) {
        let other = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e308),
            json!("NaN"),
            json!("Infinity"),
            json!([]),
            json!([[[]]]),
            json!({}),
            json!({"x": {"y": []}}),
            json!("a".repeat(3000)),
            json!(u64::MAX),
            json!("2026-02-30T25:00:00Z"),
            json!([null]),
            json!("BASIS_ACT"),
            json!("===="),
        ];
        let other = other.choose(chance).expect("some").clone();
        change(&mut json, other, chance);
    }
    json
}

fn change(json: &mut Value, other: Value, chance: &mut StdRng) {
    match json {
        Value::Object(members) if !members.is_empty() && chance.random_bool(0.85) => {
            let name = members.keys().nth(chance.random_range(0..members.len())).expect("it is there").clone();
            if chance.random_bool(0.15) {
                members.insert(format!("{name}x"), other);
            } else if let Some(inner) = members.get_mut(&name) {
                change(inner, other, chance);
            }
        }
        Value::Array(items) if !items.is_empty() && chance.random_bool(0.8) => {
            let place = chance.random_range(0..items.len());
            change(&mut items[place], other, chance);
        }
        place => *place = other,
    }
}

/// JSON that is deep, long, doubled or none at all.
fn nested(chance: &mut StdRng) -> Vec<u8> {
    match chance.random_range(0..7) {
        0 => "[".repeat(100_000).into_bytes(),
        1 => [r#"{"act":"#.repeat(400), "}".repeat(400)].concat().into_bytes(),
        2 => br#"{"name":"a","name":"b"}"#.to_vec(),
        3 => b"{\"name\":\"\xff\xfe\"}".to_vec(),
        4 => b"{\"name\":\"\\ud800\"}".to_vec(),
        5 => format!(r#"{{"{}":1}}"#, "x".repeat(500_000)).into_bytes(),
        _ => format!(r#"{{"pageSize":{}}}"#, "9".repeat(4000)).into_bytes(),
    }
}

fn one_of(chance: &mut StdRng, texts: &[&str]) -> String {
    (*texts.choose(chance).expect("some")).to_owned()
}
