//! HTTP/2 by hand: a client of libraries would never say what these bytes say.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a gRPC call, each field written out whole: no table, no Huffman.
pub fn head(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let always = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", path),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let mut block = Vec::new();
    for (name, value) in always.iter().chain(more) {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// A length as HPACK writes it, in seven bits or more bytes.
fn length(block: &mut Vec<u8>, mut length: usize) {
    let small = |length: usize| u8::try_from(length).expect("it is less than 128");
    if length < 127 {
        return block.push(small(length));
    }
    block.push(127);
    length -= 127;
    while length >= 128 {
        block.push(small(length % 128) | 128);
        length /= 128;
    }
    block.push(small(length));
}

/// A message as gRPC frames it.
pub fn message(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("it is short").to_be_bytes();
    [&[0], length.as_slice(), bytes].concat()
}

/// A connection of HTTP/2.
pub struct Line(TcpStream);

impl Line {
    /// Connects and says what must be said first, with these settings. `None`: the service takes no more of us.
    pub async fn open(from: Ipv4Addr, service: SocketAddr, settings: &[(u16, u32)]) -> Option<Self> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("all of 127/8 is this machine");
        let mut line = Self(socket.connect(service).await.ok()?);
        let mut payload = Vec::new();
        for (setting, value) in settings {
            payload.extend(setting.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &payload)].concat();
        line.say(&hello).await.then_some(line)
    }

    /// Whether the service still listens. One that does not take the bytes for a while is not waited for.
    pub async fn say(&mut self, bytes: &[u8]) -> bool {
        let said = tokio::time::timeout(Duration::from_millis(200), self.0.write_all(bytes)).await;
        said.is_ok_and(|written| written.is_ok())
    }

    /// Throws away what has come. Whether the line is open.
    pub fn hear(&self) -> bool {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.0.try_read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }
}
