//! A client of HTTP/1.1 that is no more than a socket.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Who asks, and how.
#[derive(Clone)]
pub struct Plain {
    address: SocketAddr,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Plain {
    /// A reader of `partners/mli` who writes JSON.
    pub fn to(address: SocketAddr) -> Self {
        let token = harness::token("focal_point,reader", "partners/mli", "aminata");
        Self::without_token(address).with("authorization", &format!("Bearer {token}"))
    }

    pub fn without_token(address: SocketAddr) -> Self {
        Self { address, headers: vec![("content-type", "application/json".into())] }
    }

    /// The same with a header, in place of one of this name.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut with = self.clone();
        with.headers.retain(|(other, _)| *other != name);
        with.headers.push((name, value.to_owned()));
        with
    }

    pub fn authorization(&self) -> Option<&str> {
        self.headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value.as_str())
    }

    pub async fn post(&self, path: &str, message: &Value) -> Answer {
        self.send("POST", path, message.to_string().as_bytes()).await
    }

    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut stream = self.begin(method, path, Some(body.len())).await;
        // A server that has heard enough may have closed.
        let _ = stream.write_all(body).await;
        Answer::read(&mut stream).await
    }

    /// Sends the head of a request.
    pub async fn begin(&self, method: &str, path: &str, length: Option<usize>) -> TcpStream {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(length) = length {
            let _ = write!(head, "content-length: {length}\r\n");
        }
        self.raw(format!("{head}\r\n").as_bytes()).await
    }

    /// Sends whatever bytes.
    pub async fn raw(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(bytes).await.expect("it reads");
        stream
    }
}

impl Answer {
    /// All that comes until the connection ends.
    pub async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let ended =
            tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.expect("an end");
        assert!(ended.is_ok() || !bytes.is_empty(), "{ended:?}");
        Self::parse(&bytes).unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = whole(&answer.body);
        }
        Some(answer)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// One detail of a refusal, as JSON.
    pub fn detail(&self, kind: &str) -> Value {
        let told = self.json();
        let details = told["details"].as_array().expect("details");
        let found = details.iter().find(|detail| detail["type"] == kind);
        found.unwrap_or_else(|| panic!("{kind} is not in {told}"))["debug"].clone()
    }

    /// The reason of a refusal.
    pub fn reason(&self) -> String {
        self.detail("google.rpc.ErrorInfo")["reason"].as_str().expect("a reason").to_owned()
    }
}

/// The pieces of a body put together, as far as they came.
pub fn whole(mut pieces: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = pieces.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&pieces[..line]), 16).expect("a length");
        let from = line + 2;
        let to = (from + length).min(pieces.len());
        body.extend_from_slice(&pieces[from..to]);
        if length == 0 || to + 2 > pieces.len() {
            break;
        }
        pieces = &pieces[to + 2..];
    }
    body
}
