//! What callers send: the commands and queries of the rows, to whichever server.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use contracts::toguna::{
    partnerships::{
        events::v1::{PartnerKind, PartnerRegistered},
        v1::{
            GetPartnerRequest, ProposeCorrectionRequest, RegisterPartnerRequest, RenamePartnerRequest,
            correction_service_client::CorrectionServiceClient, partner_service_client::PartnerServiceClient,
        },
    },
    r#type::v1::{LocalizedText, Text, TextOrigin},
};
use prost::{Message as _, Name as _};
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use uuid::Uuid;

use crate::{
    ground::Ground,
    measure::Outcome,
    servers::Server,
    wire::{Append, Noted, bare_client::BareClient, echo_client::EchoClient},
};

/// Connections that all callers of a row share: as an office shares its line, and enough to keep two cores busy.
pub const CONNECTIONS: usize = 4;
/// The organisation that keeps the register, and its role.
pub const KEEPER: (&str, &str) = ("partners/ml-mmeia", "secretariat");

/// Every measurement names its streams apart from those before it.
static NEXT_RUN: AtomicU32 = AtomicU32::new(0);

/// Callers of one server, who all send events of one size.
pub struct Callers {
    channels: Vec<Channel>,
    authorization: MetadataValue<Ascii>,
    partner: RegisterPartnerRequest,
    note: Vec<u8>,
    run: u32,
}

impl Callers {
    /// Connects to a server, to send events of `payload` bytes; the callers may keep the register.
    pub async fn of(server: &Server, ground: &Ground, payload: usize) -> Result<Self> {
        let token = ground.token(&[KEEPER.1], KEEPER.0)?;
        Ok(Self {
            channels: server.connect(CONNECTIONS).await?,
            authorization: format!("Bearer {token}").parse().context("a token is ASCII")?,
            partner: partner(payload),
            note: note(payload),
            run: NEXT_RUN.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// From here on, turns are of a new measurement.
    pub fn begin(&mut self) {
        self.run = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
    }

    /// `RegisterPartner`, sent to the echo.
    pub async fn echo_register(&self, caller: usize, turn: u64) -> Outcome {
        let message = self.registration(&self.id(caller, turn));
        outcome(EchoClient::new(self.channel(caller)).register(self.verified(message)).await)
    }

    /// The bare server's command, sent to the echo.
    pub async fn echo_append(&self, caller: usize, turn: u64, events: usize) -> Outcome {
        outcome(EchoClient::new(self.channel(caller)).append(self.notes(caller, turn, events)).await)
    }

    /// The bare server's command: so many events in a new stream.
    pub async fn append(&self, caller: usize, turn: u64, events: usize) -> Outcome {
        outcome(BareClient::new(self.channel(caller)).append(self.notes(caller, turn, events)).await)
    }

    /// `ProposeCorrection`, which the guarded and the unguarded server take as a note in a new stream.
    pub async fn propose(&self, caller: usize, turn: u64) -> Outcome {
        let message = ProposeCorrectionRequest {
            request_id: Uuid::now_v7().to_string(),
            name: format!("dialogues/{}", self.id(caller, turn)),
            right: Some(prost_types::Any { type_url: Noted::type_url(), value: self.note.clone() }),
            ..ProposeCorrectionRequest::default()
        };
        let mut client = CorrectionServiceClient::new(self.channel(caller));
        outcome(client.propose_correction(self.verified(message)).await)
    }

    /// `RegisterPartner`: a new stream with one event.
    pub async fn register(&self, caller: usize, turn: u64) -> Outcome {
        outcome(self.register_as(caller, &self.id(caller, turn)).await)
    }

    /// `RegisterPartner` of a partner with this id; answers with its consistency token.
    pub async fn register_as(&self, caller: usize, id: &str) -> Result<String, Status> {
        let message = self.registration(id);
        let answer = self.partners(caller).register_partner(self.verified(message)).await?;
        Ok(answer.into_inner().receipt.unwrap_or_default().consistency_token)
    }

    /// `RenamePartner`: one more event in the stream of a partner that is there, of about the same size.
    pub async fn rename(&self, caller: usize, turn: u64, id: &str) -> Outcome {
        let mut names = self.partner.names.clone().unwrap_or_default();
        // Another name each time, or nothing would happen.
        if let Some(french) = &mut names.fr {
            let unlike = format!("{} {caller} {turn} ", self.run);
            french.text.replace_range(..unlike.len().min(french.text.len()), &unlike);
        }
        let message = RenamePartnerRequest {
            request_id: Uuid::now_v7().to_string(),
            name: format!("partners/{id}"),
            names: Some(names),
            ..RenamePartnerRequest::default()
        };
        outcome(self.partners(caller).rename_partner(self.verified(message)).await)
    }

    /// `GetPartner`, after what a token names; empty: whatever is there.
    pub async fn get(&self, caller: usize, id: &str, token: &str) -> Result<(), Status> {
        let message = GetPartnerRequest {
            name: format!("partners/{id}"),
            at_least_as_fresh: (!token.is_empty()).then(|| token.to_owned()).into_iter().collect(),
            ..GetPartnerRequest::default()
        };
        self.partners(caller).get_partner(self.verified(message)).await.map(|_| ())
    }

    /// Id of what a caller makes in a turn: callers' own ids lie side by side, as those of an organisation do.
    pub fn id(&self, caller: usize, turn: u64) -> String {
        format!("c{caller:02}-{:04}-{turn:07}", self.run)
    }

    /// A request that says who sends it, and how long it is waited for.
    pub fn verified<T>(&self, message: T) -> Request<T> {
        let mut request = self.verified_without_end(message);
        request.metadata_mut().insert("grpc-timeout", MetadataValue::from_static("30S"));
        request
    }

    /// The same where the answer is streamed, and as long as it is.
    pub fn verified_without_end<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    /// One of the connections.
    pub fn channel(&self, caller: usize) -> Channel {
        self.channels[caller % self.channels.len()].clone()
    }

    fn partners(&self, caller: usize) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel(caller))
    }

    fn registration(&self, id: &str) -> RegisterPartnerRequest {
        RegisterPartnerRequest {
            request_id: Uuid::now_v7().to_string(),
            name: format!("partners/{id}"),
            ..self.partner.clone()
        }
    }

    fn notes(&self, caller: usize, turn: u64, events: usize) -> Append {
        Append {
            request_id: Uuid::now_v7().as_bytes().to_vec(),
            stream: format!("dialogues/{}", self.id(caller, turn)),
            events: vec![self.note.clone(); events],
        }
    }
}

/// What another command brought about is a conflict; everything else that is not an answer has failed.
fn outcome<T>(answer: Result<T, Status>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Done,
        Err(status) if status.code() == Code::Aborted => Outcome::Conflict,
        Err(status) => {
            report_once(&status);
            Outcome::Failed
        }
    }
}

/// Failures are counted; the first also says what it is, or nobody could mend it.
fn report_once(status: &Status) {
    static REPORTED: AtomicU32 = AtomicU32::new(0);
    if REPORTED.fetch_add(1, Ordering::Relaxed) == 0 {
        eprintln!("the first failed call: {:?}: {}", status.code(), status.message());
    }
}

/// A partner whose `PartnerRegistered` has this many bytes, without id and request id.
pub fn partner(payload: usize) -> RegisterPartnerRequest {
    let sized = |characters: usize| {
        let names = characters.min(2 * LONGEST);
        RegisterPartnerRequest {
            kind: PartnerKind::Ngo.into(),
            names: Some(text(names / 2, names - names / 2)),
            short_names: (characters > names).then(|| text(characters - names, 0)),
            ..RegisterPartnerRequest::default()
        }
    };
    // Tags and lengths take the rest of the bytes.
    let enough = (2..payload).find(|characters| event_of(&sized(*characters)).encoded_len() >= payload);
    sized(enough.unwrap_or(payload))
}

/// The event that a registration brings.
pub fn event_of(request: &RegisterPartnerRequest) -> PartnerRegistered {
    PartnerRegistered {
        kind: request.kind,
        names: request.names.clone(),
        short_names: request.short_names.clone(),
        country_code: request.country_code.clone(),
        parent: request.parent.clone(),
    }
}

/// The content of a `Noted` of this many bytes.
pub fn note(payload: usize) -> Vec<u8> {
    b"cooperation".iter().copied().cycle().take(payload - FIELD).collect()
}

/// The longest name that we give in one language, in characters: the service takes a little more.
const LONGEST: usize = 480;
/// What protobuf adds to a field of 128 bytes or more: its tag, and its length in two bytes.
const FIELD: usize = 3;

/// A name of so many letters in French and in English; 0: not in that language.
fn text(french: usize, english: usize) -> LocalizedText {
    let wording = |letters: usize| {
        let text = "cooperation".chars().cycle().take(letters).collect();
        (letters > 0).then(|| Text { text, origin: TextOrigin::Official.into() })
    };
    LocalizedText { fr: wording(french), en: wording(english) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_the_size_that_is_asked_for() {
        for payload in [256, 1024] {
            let bytes = event_of(&partner(payload)).encoded_len();
            assert!(bytes.abs_diff(payload) <= 3, "{bytes} for {payload}");
            assert_eq!(Noted { content: note(payload) }.encoded_len(), payload);
        }
    }
}
