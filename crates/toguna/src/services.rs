//! Calls any RPC of the services by its full name, from the descriptors alone.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

use crate::language::Language;

pub mod pauses;
pub mod refusal;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(30);

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTORS).expect("the descriptors were compiled with us"));

/// Everything that `proto/` defines.
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The RPC of a full name such as `toguna.disbursements.v1.DecisionService/ApproveDecision`.
pub fn method(name: &str) -> Result<MethodDescriptor> {
    let (service, method) =
        name.split_once('/').with_context(|| format!("{name:?} is no RPC: write SERVICE/METHOD"))?;
    let service = pool().get_service_by_name(service).with_context(|| format!("there is no service {service}"))?;
    let found = service.methods().find(|each| each.name() == method);
    found.with_context(|| format!("{} has no RPC {method}", service.full_name()))
}

/// The service whose log a package belongs to: `disbursements` of `toguna.disbursements.v1`.
pub fn owner(package: &str) -> &str {
    package.split('.').nth(1).unwrap_or_default()
}

/// The running services.
#[derive(Debug, Clone)]
pub struct Services {
    channels: BTreeMap<String, Channel>,
    addresses: BTreeMap<String, String>,
    language: Language,
    compression: Option<CompressionEncoding>,
}

impl Services {
    /// Services at these addresses (`127.0.0.1:7001`), by name. Connects at the first call, and again when needed.
    pub fn at<'a>(addresses: impl IntoIterator<Item = (&'a str, &'a str)>, language: Language) -> Result<Self> {
        let mut endpoints = Vec::new();
        for (name, address) in addresses {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))
                .with_context(|| format!("{address:?} is no address of {name}"))?;
            endpoints.push((name, address, endpoint.connect_timeout(Duration::from_secs(5))));
        }
        Ok(Self::over(endpoints, language))
    }

    /// Services behind these endpoints: name, address as people know it, endpoint.
    pub fn over<'a>(endpoints: impl IntoIterator<Item = (&'a str, &'a str, Endpoint)>, language: Language) -> Self {
        let (mut channels, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        for (name, address, endpoint) in endpoints {
            channels.insert(name.to_owned(), endpoint.connect_lazy());
            addresses.insert(name.to_owned(), address.to_owned());
        }
        Self { channels, addresses, language, compression: None }
    }

    /// The same, saying less on the wire for the price of some computing at both ends.
    #[must_use]
    pub fn compressed(self, encoding: CompressionEncoding) -> Self {
        Self { compression: Some(encoding), ..self }
    }

    /// Where each service answers.
    pub fn addresses(&self) -> &BTreeMap<String, String> {
        &self.addresses
    }

    /// The connection to a service.
    pub fn channel(&self, service: &str) -> Result<Channel> {
        let known = || self.channels.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.channels
            .get(service)
            .cloned()
            .with_context(|| format!("no service {service:?} here; there is: {}", known()))
    }

    /// A request with what every call carries: the caller's token, the language of messages, a deadline.
    pub fn request<M>(&self, token: &str, message: M) -> Result<Request<M>> {
        let mut request = self.stream_request(token, message)?;
        request.set_timeout(PATIENCE);
        Ok(request)
    }

    /// As [`Self::request`], without a deadline: for answers that may go on for hours.
    pub fn stream_request<M>(&self, token: &str, message: M) -> Result<Request<M>> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", format!("Bearer {token}").parse().context("the token is no metadata")?);
        metadata.insert("accept-language", self.language.code().parse().expect("a language's code is ASCII"));
        Ok(request)
    }

    /// Calls a unary RPC. The outer error is ours, the inner one the service's answer.
    pub async fn call(
        &self,
        method: &MethodDescriptor,
        token: &str,
        message: &DynamicMessage,
    ) -> Result<Result<DynamicMessage, Status>> {
        let service = method.parent_service();
        let mut client = Grpc::new(self.channel(owner(service.package_name()))?);
        let path = format!("/{}/{}", service.full_name(), method.name());
        let path = PathAndQuery::try_from(path).context("an RPC's name is a path")?;
        let request = self.request(token, message.clone())?;
        if let Some(encoding) = self.compression {
            client = client.send_compressed(encoding).accept_compressed(encoding);
        }
        if let Err(error) = client.ready().await {
            return Ok(Err(Status::unavailable(error.to_string())));
        }
        Ok(client.unary(request, path, Dynamic(method.output())).await.map(tonic::Response::into_inner))
    }
}

/// Messages known by their descriptor alone.
#[derive(Debug, Clone)]
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(format!("not a {}: {error}", self.0.full_name())))
    }
}
