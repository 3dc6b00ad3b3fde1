//! `toguna projections`: what is made of the logs, how it keeps up, and making it again.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use contracts::toguna::operations::v1::{
    DropReadModelsRequest, FollowerState, GenerationStanding, ListProjectionsRequest, ListProjectionsResponse,
    RebuildReadModelsRequest, SwitchBackReadModelsRequest, SwitchReadModelsRequest,
    operations_service_client::OperationsServiceClient,
};
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::{Map, Value, json};
use tonic::{Request, transport::Channel};

use crate::{
    cli::{OneGeneration, OneService, Projections, Rebuild, Switch},
    language::Language,
    output::{self, Progress},
    records::time,
    services::{self, refusal::Refusal},
    session::Session,
};

mod compare;
mod list;

/// How often a rebuild is looked at.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(projections: &Projections, language: Language, as_json: bool) -> Result<()> {
    let session = Session::open(language)?;
    let options = match projections {
        Projections::List(of)
        | Projections::Rebuild(Rebuild { of, .. })
        | Projections::Compare(OneGeneration { of, .. })
        | Projections::Switch(Switch { which: OneGeneration { of, .. }, .. })
        | Projections::Back(OneGeneration { of, .. })
        | Projections::Drop(OneGeneration { of, .. }) => of,
    };
    let mut houses = Vec::new();
    for service in services_of(&session, options)? {
        houses.push(House::of(&session, service)?);
    }
    match projections {
        Projections::List(_) => list::run(&houses, as_json).await,
        Projections::Rebuild(options) => each(&houses, as_json, async |house| house.rebuild(options).await).await,
        Projections::Compare(options) => compare::run(&houses, options, as_json).await,
        Projections::Switch(options) => each(&houses, as_json, async |house| house.switch(options).await).await,
        Projections::Back(options) => each(&houses, as_json, async |house| house.back(options).await).await,
        Projections::Drop(options) => each(&houses, as_json, async |house| house.drop_one(options).await).await,
    }
}

/// Does the same in each service, and says of each what has come of it: the generation.
async fn each<F>(houses: &[House<'_>], as_json: bool, act: F) -> Result<()>
where
    F: AsyncFn(&House<'_>) -> Result<(u32, String)>,
{
    let mut outcomes = Map::new();
    for house in houses {
        let (version, said) = act(house).await.with_context(|| house.service.clone())?;
        if !as_json {
            output::text(&format!("{}: {said}", house.service))?;
        }
        outcomes.insert(house.service.clone(), json!({ "generation": version }));
    }
    if as_json { output::json(&outcomes) } else { Ok(()) }
}

/// The services that are meant.
pub(super) fn services_of(session: &Session, options: &OneService) -> Result<Vec<String>> {
    match &options.service {
        Some(service) => {
            session.services.channel(service)?;
            Ok(vec![service.clone()])
        }
        None => Ok(session.services.addresses().keys().cloned().collect()),
    }
}

/// Whether a service refused for this reason.
pub(super) fn is_reason(error: &anyhow::Error, reason: &str) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.reason == reason)
}

/// A message as JSON, every field by its name in `proto/`. `name`: its full name.
pub(super) fn message_json(message: &impl Message, name: &str) -> Result<Value> {
    let descriptor = services::pool().get_message_by_name(name).with_context(|| format!("there is no {name}"))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let options =
        SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false).stringify_64_bit_integers(false);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// A time to the second, in UTC; a dash where there is none.
pub(super) fn moment(at: Option<&prost_types::Timestamp>) -> Result<String> {
    let Some(at) = at else { return Ok("—".to_owned()) };
    Ok(time(&prost_types::Timestamp { nanos: 0, ..*at })?.replace('T', " "))
}

/// One service, and how it is asked.
struct House<'a> {
    session: &'a Session,
    service: String,
    client: OperationsServiceClient<Channel>,
}

impl<'a> House<'a> {
    fn of(session: &'a Session, service: String) -> Result<Self> {
        let client = OperationsServiceClient::new(session.services.channel(&service)?);
        Ok(Self { session, service, client })
    }

    fn language(&self) -> Language {
        self.session.language
    }

    fn request<M>(&self, message: M) -> Result<Request<M>> {
        self.session.services.request(&self.session.administrator()?, message)
    }

    async fn list(&self) -> Result<ListProjectionsResponse> {
        let request = self.request(ListProjectionsRequest {})?;
        Ok(self.client.clone().list_projections(request).await.map_err(Refusal::from)?.into_inner())
    }

    /// The generation that is meant: the one given, or the one that stands first in one of these ways.
    async fn meant(&self, options: &OneGeneration, standings: &[GenerationStanding]) -> Result<u32> {
        if let Some(version) = options.generation {
            return Ok(version);
        }
        let generations = self.list().await?.generations;
        let found = standings.iter().find_map(|standing| generations.iter().find(|it| it.standing() == *standing));
        let Some(found) = found else {
            bail!(self.language().say(
                "there is no such generation; `toguna projections list` shows which there are, and \
                 `toguna projections rebuild` makes one",
                "il n’y a pas de telle génération\u{202f}; « toguna projections list » montre celles qu’il y a, et \
                 « toguna projections rebuild » en fait une",
            ));
        };
        Ok(found.version)
    }

    async fn rebuild(&self, options: &Rebuild) -> Result<(u32, String)> {
        let list = self.list().await?;
        let is_unfinished = |version: u32| {
            let mut own = list.followers.iter().filter(|it| it.generation == version);
            own.any(|it| it.state() == FollowerState::CatchingUp)
        };
        // One that is being made is not begun again.
        let beside = list.generations.iter().filter(|it| it.standing() == GenerationStanding::Beside);
        let unfinished = beside.map(|it| it.version).find(|version| is_unfinished(*version));
        let version = unfinished.unwrap_or(list.next_version);
        let request = self.request(RebuildReadModelsRequest { version })?;
        self.client.clone().rebuild_read_models(request).await.map_err(Refusal::from)?;
        let language = self.language();
        if options.no_wait {
            let said = language.say(
                format!("generation {version} is being made beside the live one"),
                format!("la génération {version} se fait à côté de celle qui sert"),
            );
            return Ok((version, said));
        }
        self.caught_up(version).await?;
        let service = &self.service;
        Ok((
            version,
            language.say(
                format!("generation {version} has caught up; next: toguna projections compare {service}"),
                format!("la génération {version} a rattrapé le journal\u{202f}; ensuite\u{202f}: toguna projections compare {service}"),
            ),
        ))
    }

    /// Waits until all projections of a generation have, and shows how far they are.
    async fn caught_up(&self, version: u32) -> Result<()> {
        let progress = Progress::start();
        loop {
            let list = self.list().await?;
            let own: Vec<_> = list.followers.iter().filter(|it| it.generation == version).collect();
            if let Some(stopped) = own.iter().find(|it| it.state() == FollowerState::Stopped) {
                progress.end();
                bail!(list::stopped(stopped, self.language()));
            }
            if !own.is_empty() && own.iter().all(|it| it.state() == FollowerState::Following) {
                progress.end();
                return Ok(());
            }
            let (done, of) = own.iter().fold((0, 0), |(done, of), it| (done + it.position, of + it.log_position));
            progress.part(done, of, &self.service);
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn switch(&self, options: &Switch) -> Result<(u32, String)> {
        let version = self.meant(&options.which, &[GenerationStanding::Beside]).await?;
        let request = self.request(SwitchReadModelsRequest { version, unchecked: options.unchecked })?;
        self.client.clone().switch_read_models(request).await.map_err(Refusal::from)?;
        let service = &self.service;
        Ok((
            version,
            self.language().say(
                format!("generation {version} is live; the way back: toguna projections back {service}"),
                format!(
                    "la génération {version} sert\u{202f}; pour revenir\u{202f}: toguna projections back {service}"
                ),
            ),
        ))
    }

    async fn back(&self, options: &OneGeneration) -> Result<(u32, String)> {
        let version = self.meant(options, &[GenerationStanding::Previous]).await?;
        let request = self.request(SwitchBackReadModelsRequest { version })?;
        self.client.clone().switch_back_read_models(request).await.map_err(Refusal::from)?;
        let said = self
            .language()
            .say(format!("generation {version} is live again"), format!("la génération {version} sert de nouveau"));
        Ok((version, said))
    }

    async fn drop_one(&self, options: &OneGeneration) -> Result<(u32, String)> {
        let standings = [GenerationStanding::Beside, GenerationStanding::Previous];
        let version = self.meant(options, &standings).await?;
        let request = self.request(DropReadModelsRequest { version })?;
        self.client.clone().drop_read_models(request).await.map_err(Refusal::from)?;
        let said = self
            .language()
            .say(format!("generation {version} is dropped"), format!("la génération {version} est supprimée"));
        Ok((version, said))
    }
}
