//! A verified call: who sends it, and for a command the act that it records and everything else that the log must
//! know of it.

use std::sync::{Arc, OnceLock};

use contracts::{commands::Command, toguna::errors::v1::ErrorReason, toguna::log::v1 as pb};
use event_store::{
    Act, Actor, CommandMeta, ConsistencyToken, Executed, Freshness, Interrupt, Log, NotFresh, Refusal, Stored,
    StreamName, Unit,
};
use prost::Name;
use sha2::{Digest as _, Sha256};
use tonic::{Request, Response, Status, metadata::MetadataValue};

use crate::{
    Config,
    authorisation::{Authority, Ground, role_names},
    context::CallContext,
    envelope,
    fields::Fields,
    identity::Verifier,
    journal::{Asked, Keeper},
    rates::{Kind, Rates, Turn},
    status::{self, Violation},
    telemetry, tls, validation,
};

/// Verifies calls, and asks the policies of them. Cheap to clone: every service implementation holds one.
#[derive(Clone)]
pub struct Calls {
    verifier: Arc<Verifier>,
    authority: Arc<Authority>,
    service: &'static str,
    rates: Arc<Rates>,
    freshness: Arc<OnceLock<Freshness>>,
    keeper: Arc<OnceLock<Keeper>>,
    page_key: [u8; 32],
}

/// Who sent a query.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person, the organisation and the roles, by the token.
    pub actor: Actor,
}

/// A command of a verified caller.
#[derive(Debug)]
pub struct Call<Q> {
    /// The request as sent.
    pub message: Q,
    /// The act that it asks to record.
    pub act: Act,
    meta: CommandMeta,
    violations: Vec<Violation>,
}

impl Calls {
    pub(crate) fn new(config: &Config) -> Self {
        validation::prepare();
        Self {
            verifier: config.verifier.clone(),
            authority: config.authority.clone(),
            service: config.service,
            rates: Arc::new(Rates::new(&config.limits)),
            freshness: Arc::default(),
            page_key: config.verifier.key_for("page tokens"),
            keeper: Arc::default(),
        }
    }

    /// Where refusals are kept; until then, and where there is no log, they are not.
    pub(crate) fn keep_refusals(&self, keeper: Keeper) {
        assert!(self.keeper.set(keeper).is_ok(), "a service has one log");
    }

    /// What the service follows; until then tokens of every log are foreign.
    pub(crate) fn follow(&self, freshness: Freshness) {
        assert!(self.freshness.set(freshness).is_ok(), "a service follows logs once");
    }

    /// Who calls: what surrounds the call has asked already, where it is one of a server.
    fn caller<T>(&self, request: &Request<T>) -> Result<Actor, Status> {
        match CallContext::current().caller.get() {
            Some(caller) => Ok(caller.clone()),
            None => self.verifier.caller(request.metadata().as_ref(), tls::shown(request.extensions())),
        }
    }

    /// Lets a caller's call in, in its organisation's turn.
    fn admit(&self, actor: &Actor, kind: Kind) -> Result<(), Status> {
        let call = CallContext::current();
        let turn = self.rates.call(&actor.organisation, kind, call.started)?;
        // A call holds one turn, however often it asks for one.
        let _ = call.turn.set(turn);
        Ok(())
    }

    /// Notes who asks for what, should it be refused and that be kept.
    fn watch(&self, asked: impl FnOnce(&Keeper) -> Asked) {
        if let Some(keeper) = self.keeper.get() {
            CallContext::current().watch.asks(asked(keeper));
        }
    }

    /// Lets a caller's replay in, beside the other replays of its organisation.
    pub(crate) fn replay_turn(&self, caller: &Caller) -> Result<Turn, Status> {
        self.rates.replay(&caller.actor.organisation)
    }

    /// Takes a command: who sends it, for whom, and what the envelope says; then waits until what it must have seen is
    /// here, or the caller's patience ends.
    pub async fn command<Q: Command + Name>(&self, request: Request<Q>) -> Result<Call<Q>, Status> {
        let actor = self.caller(&request)?;
        self.admit(&actor, Kind::Command)?;
        let correlation = request.metadata().get("correlation-id").map(|id| id.to_str().unwrap_or_default().to_owned());
        let message = request.into_inner();
        let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        let none = pb::Act::default();
        let act = message.act().unwrap_or(&none);
        let ground = envelope::ground(act, &actor.organisation);
        self.watch(|keeper| Asked::command(keeper, &actor, &message, ground));
        self.authority.check(&actor, ground)?;
        CallContext::current().require_deadline()?;
        let mut fields = Fields::of(&message);
        let act = envelope::act(&mut fields, act, actor, today)?;
        let mut meta = CommandMeta {
            request_id: envelope::request_id(&mut fields, message.request_id()),
            content_hash: [0; 32],
            expected_version: envelope::expected_version(&mut fields, message.etag()),
            validate_only: message.validate_only(),
            correlation_id: envelope::correlation_id(&mut fields, correlation.as_deref()),
            causation_id: None,
            traceparent: telemetry::traceparent(&CallContext::current().trace),
        };
        let tokens = envelope::tokens(&mut fields, message.at_least_as_fresh());
        let violations = fields.into_violations();
        // What is malformed is refused, however much it is: nothing more is made of it.
        if violations.is_empty() {
            meta.content_hash = content_hash(&message);
            self.wait_for(Asker::Log, &tokens).await?;
        }
        Ok(Call { message, act, meta, violations })
    }

    /// The way of a command that concerns one resource alone: its fields are read, the aggregate decides.
    pub async fn decide<A, Q>(
        &self,
        log: &Log,
        request: Request<Q>,
        read: impl FnOnce(&mut Fields, &Q) -> (StreamName, A::Command),
    ) -> Result<Response<Q::Response>, Status>
    where
        A: Stored<Command: Send + Sync, Error: Refusal>,
        Q: Command + Name,
    {
        let call = self.command(request).await?;
        let mut fields = call.fields();
        let (name, command) = read(&mut fields, &call.message);
        fields.finish()?;
        call.execute(log, move |unit| unit.handle::<A>(&name, &command)).await
    }

    /// Takes a query: who sends it; then waits until what the answer must have seen is here.
    pub async fn query<T>(&self, request: &Request<T>, at_least_as_fresh: &[String]) -> Result<Caller, Status> {
        Ok(self.ask(Asker::ReadModels, request, self.whole(), at_least_as_fresh).await?.0)
    }

    /// The same for a query that reads the log itself, and so need not wait for our own read models.
    pub async fn log_query<T>(&self, request: &Request<T>, at_least_as_fresh: &[String]) -> Result<Caller, Status> {
        Ok(self.ask(Asker::Log, request, self.whole(), at_least_as_fresh).await?.0)
    }

    /// The same for a query for what is of organisations, with the name of the caller's where it may ask for what is of
    /// that alone.
    pub(crate) async fn own_query<T>(
        &self,
        asker: Asker,
        request: &Request<T>,
        at_least_as_fresh: &[String],
    ) -> Result<(Caller, Option<String>), Status> {
        let permit = |authority: &Authority, actor: &Actor| authority.check_own(actor, self.service);
        self.ask(asker, request, permit, at_least_as_fresh).await
    }

    /// The same for a query for refusals: those of an organisation, or where none is named, all that the service kept.
    pub(crate) async fn refusals_query<T>(&self, request: &Request<T>, of: &str) -> Result<Caller, Status> {
        let ground = if of.is_empty() { Ground::Register(self.service) } else { Ground::Of(of) };
        let permit = |authority: &Authority, actor: &Actor| authority.check(actor, ground);
        Ok(self.ask(Asker::Log, request, permit, &[]).await?.0)
    }

    /// Whether a caller may ask for all that the service keeps.
    fn whole(&self) -> impl FnOnce(&Authority, &Actor) -> Result<(), Status> {
        |authority, actor| authority.check(actor, Ground::Register(self.service))
    }

    async fn ask<T, P>(
        &self,
        asker: Asker,
        request: &Request<T>,
        permit: impl FnOnce(&Authority, &Actor) -> Result<P, Status>,
        at_least_as_fresh: &[String],
    ) -> Result<(Caller, P), Status> {
        let actor = self.caller(request)?;
        self.admit(&actor, Kind::Query)?;
        self.watch(|keeper| Asked::query(keeper, &actor));
        let permitted = permit(&self.authority, &actor)?;
        CallContext::current().require_deadline()?;
        let mut fields = Fields::new();
        let tokens = envelope::tokens(&mut fields, at_least_as_fresh);
        fields.finish()?;
        self.wait_for(asker, &tokens).await?;
        CallContext::current().reads(self.rates.read(&actor.organisation).await);
        Ok((Caller { actor }, permitted))
    }

    /// What an answer from the read models has seen of a log, for its `consistency_token`; empty where that is nothing.
    /// To be asked for before the read models are read.
    pub fn seen(&self, log: &str) -> String {
        let reached = self.freshness.get().and_then(|freshness| freshness.reached(log));
        reached.map(|token| token.to_string()).unwrap_or_default()
    }

    /// The same of the service's own log.
    pub(crate) fn seen_here(&self) -> String {
        self.seen(self.service)
    }

    /// Seals the tokens of pages.
    pub(crate) fn page_key(&self) -> &[u8; 32] {
        &self.page_key
    }

    /// Waits until the read models have seen this too.
    pub(crate) async fn wait_for_read_models(&self, tokens: &[ConsistencyToken]) -> Result<(), Status> {
        self.wait_for(Asker::ReadModels, tokens).await
    }

    async fn wait_for(&self, asker: Asker, tokens: &[ConsistencyToken]) -> Result<(), Status> {
        let Some(first) = tokens.first() else { return Ok(()) };
        let until = CallContext::current().patience();
        let waited = match (self.freshness.get(), asker) {
            (None, _) => Err(NotFresh::ForeignLog { log: first.log.clone() }),
            (Some(freshness), Asker::Log) => freshness.wait_for_log(tokens, until).await,
            (Some(freshness), Asker::ReadModels) => freshness.wait(tokens, until).await,
        };
        waited.map_err(status::not_fresh)
    }
}

/// What an answer comes from: a command decides on the log, most queries read what was made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    Log,
    ReadModels,
}

impl Caller {
    /// `PERMISSION_DENIED` unless the token carries one of these roles.
    pub fn require_role(&self, roles: &[&str]) -> Result<(), Status> {
        if self.actor.roles.iter().any(|held| roles.contains(&held.as_str())) {
            return Ok(());
        }
        Err(status::refused(ErrorReason::RoleRequired).with("role", role_names(roles)).into())
    }
}

impl<Q: Command> Call<Q> {
    /// Reads the request's own fields; what is wrong with the envelope is told together with what is wrong with them.
    pub fn fields(&self) -> Fields {
        Fields::after(self.violations.clone())
    }

    /// Runs the command's function on the log and answers with its receipt.
    pub async fn execute(
        self,
        log: &Log,
        f: impl Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync,
    ) -> Result<Response<Q::Response>, Status> {
        if !self.violations.is_empty() {
            return Err(status::invalid(self.violations));
        }
        let request_id = self.meta.request_id;
        match log.execute(self.meta, self.act, f).await {
            Ok(executed) => Ok(answer(executed)),
            Err(error) => Err(status::execute(&error, &request_id.to_string())),
        }
    }
}

/// A version as an etag: `"3"`, quotes included.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

fn answer<R: From<pb::Receipt>>(executed: Executed) -> Response<R> {
    let events = executed.events.into_iter().map(|event| {
        let (told, effective_on) = event.content.map(|content| (content.event, content.effective_on)).unzip();
        pb::EventReference {
            position: event.position,
            stream: event.stream.to_string(),
            version: event.version,
            r#type: event.type_name,
            event: told,
            effective_on: effective_on.flatten(),
        }
    });
    let token = executed.token.to_string();
    let receipt = pb::Receipt {
        events: events.collect(),
        etag: etag(executed.version),
        consistency_token: token.clone(),
        replayed: executed.replayed,
    };
    let mut response = Response::new(R::from(receipt));
    if let Ok(token) = MetadataValue::try_from(token) {
        response.metadata_mut().insert("consistency-token", token);
    }
    if executed.replayed {
        response.metadata_mut().insert("idempotent-replay", MetadataValue::from_static("true"));
    }
    response
}

/// Tells the content of two commands apart, commands of different kinds included.
fn content_hash<Q: Command + Name>(message: &Q) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(Q::full_name());
    hash.update([0]);
    hash.update(message.clone().content());
    hash.finalize().into()
}
