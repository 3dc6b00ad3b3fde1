//! Roles stand twice: in the policies, which are asked first, and in the rules of the domains, which decide. Here the
//! rules alone are asked, by services whose policies permit everything, and held against the page of permissions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use contracts::toguna::log::v1::Receipt;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use toguna::{
    local::stack::SERVICES,
    scenario::{Act, Scenario, Step},
    services::{self, Services, refusal::Refusal},
};
use uuid::Uuid;

use crate::{
    hostile::roles,
    permissions::{Row, page},
    stack::{Home, Stack},
};

/// How long a service may be busy or behind.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a policy cannot know what the rules know, they take fewer of those whom it permits: the act, the roles, how the
/// rules refuse, and what is missing to them in the demonstration.
const NARROWER: &[(&str, &[&str], &str, &str)] = &[
    ("AgreementService/OpenNegotiation ◐", &["focal_point", "signatory"], "NOT_A_PARTY", "to be of a party"),
    ("AgreementService/AdoptText ◐", &["focal_point", "signatory"], "NOT_A_PARTY", "to be of a party"),
    ("AgreementService/RecordObligation ◐", &["focal_point", "signatory"], "NOT_A_PARTY", "to be of a party"),
    ("AgreementService/SignAgreement ●", &["depositary"], "ROLE_REQUIRED", "to be of this agreement's depositary"),
    ("AgreementService/PublishAgreement ●", &["depositary"], "ROLE_REQUIRED", "to be of this agreement's depositary"),
    ("AgreementService/ExpressConsent ●", &["depositary"], "ROLE_REQUIRED", "to be of this agreement's depositary"),
    ("AgreementService/DeclareView ●", &["depositary"], "ROLE_REQUIRED", "to be of this agreement's depositary"),
    ("CommitmentService/LinkAgreement ●", &["secretariat"], "NOT_THE_SECRETARIAT", "to be of who keeps the register"),
    ("CommitmentService/MigrateCommitment ●", &["focal_point"], "ROLE_REQUIRED", "to be of the commitment's owner"),
];

/// The demonstration, told act by act to a stack.
struct Telling<'a> {
    services: Services,
    stack: &'a Stack,
    scenario: &'a Scenario,
    /// The latest consistency token of each log.
    tokens: BTreeMap<String, String>,
    versions: BTreeMap<String, u64>,
}

impl Telling<'_> {
    fn request(&self, step: &Step, act: &Act) -> (MethodDescriptor, DynamicMessage) {
        let service = services::owner(&act.rpc);
        let last = SERVICES.iter().position(|name| *name == service).expect("a service");
        let tokens: Vec<String> = SERVICES[..=last].iter().filter_map(|name| self.tokens.get(*name)).cloned().collect();
        self.scenario.message(step, act, &tokens, &self.versions).expect("a request")
    }

    async fn answer(
        &self,
        method: &MethodDescriptor,
        token: &str,
        request: &DynamicMessage,
    ) -> Result<Receipt, Refusal> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.services.call(method, token, request).await.expect("the call is made") {
                Ok(answer) => {
                    let receipt = answer.get_field_by_name("receipt").expect("a command is answered by a receipt");
                    return Ok(receipt.as_message().expect("a message").transcode_to().expect("a receipt"));
                }
                Err(status) => {
                    let refusal = Refusal::from(status);
                    if !refusal.is_passing() || Instant::now() > deadline {
                        return Err(refusal);
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// The act itself, so that the next one finds what it needs.
    async fn tell(&mut self, step: &Step, act: &Act) {
        let (method, request) = self.request(step, act);
        let (roles, organisation, person) = act.caller().expect("a caller");
        let token = self.stack.token(&roles, &organisation, &person);
        let receipt =
            self.answer(&method, &token, &request).await.unwrap_or_else(|error| panic!("{}: {error}", act.key));
        self.tokens.insert(services::owner(&act.rpc).to_owned(), receipt.consistency_token);
        self.versions.extend(receipt.events.last().map(|event| (act.key.clone(), event.version)));
    }

    /// How the rules answer the act, rehearsed in one role: with the reason of their refusal, if they refuse.
    async fn rehearse(&self, step: &Step, act: &Act, role: &str) -> Result<(), String> {
        let (method, mut request) = self.request(step, act);
        request.set_field_by_name("validate_only", Value::Bool(true));
        request.set_field_by_name("request_id", Value::String(Uuid::now_v7().to_string()));
        let (_, organisation, person) = act.caller().expect("a caller");
        let token = self.stack.token(&[role], &organisation, &person);
        self.answer(&method, &token, &request).await.map(|_| ()).map_err(|refusal| refusal.reason)
    }
}

/// The sign of the page for the ground on which an act stands: one's own, one's own from a source, another's from one.
fn ground(act: &Act) -> char {
    let own = act.by.split_once('@').map(|(_, organisation)| organisation);
    match (act.on_behalf_of.as_deref(), act.basis.as_deref()) {
        (Some(other), _) if Some(other) != own => '○',
        (_, Some("recorded_from_source")) => '◐',
        _ => '●',
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_domains_ask_for_the_roles_that_the_policies_name() {
    let policies = Home::new();
    policies.write("all.cedar", "permit (principal, action, resource);\n");
    let stack = Stack::told(&[("TOGUNA_POLICIES", &policies.path())]).await;
    let scenario = Scenario::load().expect("the scenario is in order");
    let rows: BTreeMap<String, Row> = page().into_iter().map(|row| (row.rpc.clone(), row)).collect();
    let (services, tokens, versions) = (stack.services(), BTreeMap::new(), BTreeMap::new());
    let mut telling = Telling { services, stack: &stack, scenario: &scenario, tokens, versions };
    let (mut seen, mut apart) = (BTreeSet::new(), BTreeSet::new());
    let roles = roles();
    let steps = scenario.steps.iter().filter(|step| step.skipped.is_none());
    let acts = steps.flat_map(|step| step.acts.iter().map(move |act| (step, act)));
    for (step, act) in acts.filter(|(_, act)| act.skipped.is_none() && act.refused.is_none()) {
        let (sign, rpc) = (ground(act), act.rpc.rsplit('.').next().unwrap_or_default());
        if seen.insert((act.rpc.clone(), sign)) {
            for role in &roles {
                let (may, told) = (rows[&act.rpc].may(role, sign), telling.rehearse(step, act, role).await);
                let apart_as = match (may, told) {
                    (true, Ok(())) => continue,
                    (false, Err(reason)) if reason == "ROLE_REQUIRED" => continue,
                    (true, Err(reason)) => reason,
                    (false, Ok(())) => "the rules take it, the policies do not".to_owned(),
                    (false, Err(reason)) => format!("not for the role: {reason}"),
                };
                apart.insert((format!("{rpc} {sign}"), role.clone(), apart_as));
            }
        }
        telling.tell(step, act).await;
    }
    assert!(seen.len() > 70, "only {} kinds of acts were asked about", seen.len());
    let known = NARROWER.iter().flat_map(|(act, roles, reason, _)| {
        roles.iter().map(|role| ((*act).to_owned(), (*role).to_owned(), (*reason).to_owned()))
    });
    assert_eq!(apart, known.collect());
}
