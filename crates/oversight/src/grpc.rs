//! The API: a question is read, the facts that it needs are there, `figures` answers.

mod status;

use contracts::toguna::oversight::v1::{
    GetContractChainRequest, GetContractChainResponse, GetPortfolioRequest, GetPortfolioResponse, GetScoreboardRequest,
    GetScoreboardResponse, oversight_service_server::OversightService,
};
use contracts::toguna::r#type::v1::Date;
use event_store::Timestamp;
use figures::{Clocks, Facts, PortfolioScope, TooLarge};
use jiff::tz::TimeZone;
use service_runtime::{Calls, Fields, status::not_found};
use tonic::{Request, Response, Status};

use crate::memory::{Memory, tokens};

/// Answers from memory.
pub struct Oversight {
    calls: Calls,
    memory: Memory,
}

impl Oversight {
    /// With the facts of this memory.
    pub fn new(calls: Calls, memory: Memory) -> Self {
        Self { calls, memory }
    }

    /// Folds the facts, away from the threads that serve calls, and says how far they had been read.
    async fn answer<T: Send + 'static>(
        &self,
        clocks: Clocks,
        fold: impl FnOnce(&Facts) -> Result<T, TooLarge> + Send + 'static,
    ) -> Result<(T, Vec<String>), Status> {
        let facts = self.memory.facts(clocks.known_at).await.map_err(|error| status::no_answer(&error))?;
        let folded = tokio::task::spawn_blocking(move || fold(&facts).map(|report| (report, tokens(&facts))));
        folded
            .await
            .map_err(|panic| service_runtime::status::internal(&panic))?
            .map_err(|error| status::too_large(&error))
    }
}

#[tonic::async_trait]
impl OversightService for Oversight {
    async fn get_portfolio(
        &self,
        request: Request<GetPortfolioRequest>,
    ) -> Result<Response<GetPortfolioResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let request = request.into_inner();
        let mut fields = Fields::of(&request);
        let country_code = country_code(&mut fields, &request.country_code);
        let fund = (!request.fund.is_empty()).then(|| fields.name("fund", &request.fund, "funds").to_string());
        let clocks = clocks(&mut fields, request.as_of.as_ref(), request.known_at.as_ref());
        fields.finish()?;
        let scope = PortfolioScope { country_code, fund };
        let fold = move |facts: &Facts| figures::portfolio(facts, &scope, clocks);
        let (portfolio, consistency_tokens) = self.answer(clocks, fold).await?;
        Ok(Response::new(GetPortfolioResponse { portfolio: Some(portfolio), consistency_tokens }))
    }

    async fn get_contract_chain(
        &self,
        request: Request<GetContractChainRequest>,
    ) -> Result<Response<GetContractChainResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let request = request.into_inner();
        let mut fields = Fields::of(&request);
        let contract = fields.name("contract", &request.contract, "contracts");
        let clocks = clocks(&mut fields, request.as_of.as_ref(), request.known_at.as_ref());
        fields.finish()?;
        let name = contract.clone();
        let fold = move |facts: &Facts| figures::contract_chain(facts, name.as_str(), clocks);
        let (chain, consistency_tokens) = self.answer(clocks, fold).await?;
        let chain = Some(chain.ok_or_else(|| not_found(&contract))?);
        Ok(Response::new(GetContractChainResponse { chain, consistency_tokens }))
    }

    async fn get_scoreboard(
        &self,
        request: Request<GetScoreboardRequest>,
    ) -> Result<Response<GetScoreboardResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let request = request.into_inner();
        let mut fields = Fields::of(&request);
        let framework = fields.name("framework", &request.framework, "frameworks");
        let clocks = clocks(&mut fields, request.as_of.as_ref(), request.known_at.as_ref());
        fields.finish()?;
        let name = framework.clone();
        let fold = move |facts: &Facts| Ok(figures::scoreboard(facts, name.as_str(), clocks));
        let (scoreboard, consistency_tokens) = self.answer(clocks, fold).await?;
        let scoreboard = Some(scoreboard.ok_or_else(|| not_found(&framework))?);
        Ok(Response::new(GetScoreboardResponse { scoreboard, consistency_tokens }))
    }
}

fn country_code(fields: &mut Fields, code: &str) -> String {
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let problem =
            ("must be two upper-case letters, as in ISO 3166-1", "doit être deux majuscules, comme dans l’ISO 3166-1");
        fields.violation("country_code", problem);
    }
    code.to_owned()
}

fn clocks(fields: &mut Fields, as_of: Option<&Date>, known_at: Option<&prost_types::Timestamp>) -> Clocks {
    let today = || TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let as_of = fields.optional_exact_date("as_of", as_of).unwrap_or_else(today);
    let known_at = known_at.and_then(|time| {
        let read = Timestamp::new(time.seconds, time.nanos);
        if read.is_err() {
            fields.violation("known_at", ("is not a time", "n’est pas un instant"));
        }
        read.ok()
    });
    Clocks { as_of, known_at }
}
