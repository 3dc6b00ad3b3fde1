//! Whether a verified caller may make a call at all: Cedar policies, asked once for each call, before anything of its
//! message is looked at but whose act it records.
//!
//! What no policy permits is denied. Policies know the caller's organisation and roles, the RPC, and for a command the
//! organisation whose act it is and whether it comes from a source; they know no person, no resource and no time, so
//! that what they said of a call is remembered and said again of the next one like it. What depends on the state of a
//! resource is decided by its aggregate.

mod policies;

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, Response,
    RestrictedExpression,
};
use contracts::toguna::errors::v1::ErrorReason;
use event_store::{Actor, Value};
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use self::policies::{FRENCH, ROLES, Slice};
use crate::{context::CallContext, status};

/// Most verdicts that are remembered, the least used of which go first: about 200 bytes each.
const MAX_REMEMBERED: usize = 4096;

/// The policies of a deployment, and what they said so far.
pub struct Authority {
    /// By the full name of the RPC: what it may be permitted or forbidden by.
    slices: HashMap<String, Slice>,
    names: Names,
    authorizer: Authorizer,
    remembered: Mutex<LruCache<[u8; 32], Verdict>>,
}

/// What a call touches, as far as policies are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ground<'a> {
    /// What the service of this name keeps: its log and its read models.
    Register(&'a str),
    /// An act that is to be recorded.
    Act {
        /// The organisation whose act it is, as the message names it.
        on_behalf_of: &'a str,
        /// It is recorded from a source, not done.
        from_source: bool,
    },
    /// What a service keeps of one organisation: what was refused to its people, or what it asked for.
    Of(&'a str),
}

type Verdict = Result<(), Denial>;

/// Why a call is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Denial {
    /// A policy forbids it, and says so with this reason.
    Forbidden(ErrorReason),
    /// These roles would be permitted it.
    RoleRequired(Arc<str>),
    /// Nobody would.
    NotPermitted,
}

/// Names that are the same in every question.
struct Names {
    caller: EntityUid,
    organisation: EntityTypeName,
    register: EntityTypeName,
    roles: HashMap<&'static str, EntityUid>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("methods", &self.slices.len()).finish_non_exhaustive()
    }
}

impl Authority {
    /// The policies that come with the program.
    pub fn built_in() -> Arc<Self> {
        static BUILT_IN: LazyLock<Arc<Authority>> = LazyLock::new(|| {
            let policies = policies::read(policies::BUILT_IN.iter().copied());
            Arc::new(Authority::new(policies.expect("a test reads the policies that come with the program")))
        });
        BUILT_IN.clone()
    }

    /// The policies of the folder that `TOGUNA_POLICIES` names; where it names none, those that come with the program.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Arc<Self> {
        let Some(folder) = variable("TOGUNA_POLICIES").filter(|folder| !folder.is_empty()) else {
            return Self::built_in();
        };
        Self::open(Path::new(&folder)).map_or_else(
            |wrong| {
                problems.extend(wrong.into_iter().map(|problem| format!("TOGUNA_POLICIES: {problem}")));
                Self::built_in()
            },
            Arc::new,
        )
    }

    /// The policies in the files `*.cedar` of a folder, in the place of those; otherwise all that is wrong with them.
    pub fn open(folder: &Path) -> Result<Self, Vec<String>> {
        policies::open(folder).map(Self::new)
    }

    fn new(slices: HashMap<String, Slice>) -> Self {
        let remembered = LruCache::new(NonZeroUsize::new(MAX_REMEMBERED).expect("some are remembered"));
        Self { slices, names: Names::new(), authorizer: Authorizer::new(), remembered: Mutex::new(remembered) }
    }

    /// `PERMISSION_DENIED` unless the caller may make the call that this task answers.
    pub(crate) fn check(&self, actor: &Actor, ground: Ground<'_>) -> Result<(), Status> {
        let call = CallContext::current();
        self.verdict(&call.method, &actor.organisation, &actor.roles, ground)
            .map_err(|denial| denial.explained(&call.method, actor, ground))
    }

    /// The same of what a service keeps of all organisations, for whoever may ask for that of its own alone too: then
    /// with the name of that.
    pub(crate) fn check_own(&self, actor: &Actor, service: &str) -> Result<Option<String>, Status> {
        let call = CallContext::current();
        let verdict = |ground| self.verdict(&call.method, &actor.organisation, &actor.roles, ground);
        match verdict(Ground::Register(service)) {
            Ok(()) => Ok(None),
            Err(_) if verdict(Ground::Of(&actor.organisation)).is_ok() => Ok(Some(actor.organisation.clone())),
            Err(denial) => Err(denial.explained(&call.method, actor, Ground::Register(service))),
        }
    }

    fn verdict(&self, method: &str, organisation: &str, roles: &[String], ground: Ground<'_>) -> Verdict {
        let key = key(method, organisation, roles, ground);
        if let Some(known) = self.remembered(|verdicts| verdicts.get(&key).cloned()) {
            return known;
        }
        let verdict = self.decide(method, organisation, roles, ground);
        self.remembered(|verdicts| verdicts.put(key, verdict.clone()));
        verdict
    }

    fn decide(&self, method: &str, organisation: &str, roles: &[String], ground: Ground<'_>) -> Verdict {
        let Some(slice) = self.slices.get(method) else { return Err(Denial::NotPermitted) };
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let response = self.ask(slice, organisation, &roles, ground);
        // A policy that cannot be evaluated is left out by Cedar, also one that forbids.
        if let Some(error) = response.diagnostics().errors().next() {
            tracing::error!(%error, method, "a policy cannot be evaluated");
            return Err(Denial::NotPermitted);
        }
        if response.decision() == Decision::Allow {
            return Ok(());
        }
        if response.diagnostics().reason().next().is_some() {
            let reasons = response.diagnostics().reason().filter_map(|policy| slice.refusals.get(policy));
            return Err(reasons.min().map_or(Denial::NotPermitted, |reason| Denial::Forbidden(*reason)));
        }
        let permitted = |role: &&&str| self.ask(slice, organisation, &[**role], ground).decision() == Decision::Allow;
        let roles: Vec<&str> = ROLES.iter().filter(permitted).copied().collect();
        Err(if roles.is_empty() { Denial::NotPermitted } else { Denial::RoleRequired(roles.join(", ").into()) })
    }

    fn ask(&self, slice: &Slice, organisation: &str, roles: &[&str], ground: Ground<'_>) -> Response {
        let (resource, context) = match ground {
            Ground::Register(service) => (self.names.register(service), Context::empty()),
            Ground::Of(organisation) => (self.names.organisation(organisation), Context::empty()),
            Ground::Act { on_behalf_of, from_source } => {
                let from_source = RestrictedExpression::new_bool(from_source);
                let context = Context::from_pairs([("recorded_from_source".to_owned(), from_source)]);
                (self.names.organisation(on_behalf_of), context.expect("one name is not there twice"))
            }
        };
        let asked = Request::new(self.names.caller.clone(), slice.action.uid(), resource, context, None);
        let known = [self.names.official(organisation, roles), slice.action.clone()];
        let known = Entities::from_entities(known, None).expect("two names, neither in the other");
        self.authorizer.is_authorized(&asked.expect("no schema to differ from"), &slice.policies, &known)
    }

    fn remembered<T>(&self, f: impl FnOnce(&mut LruCache<[u8; 32], Verdict>) -> T) -> T {
        f(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Names {
    fn new() -> Self {
        let role = type_name("Role");
        let roles = ROLES.iter().map(|name| (*name, uid(&role, name)));
        Self {
            caller: uid(&type_name("Official"), "caller"),
            organisation: type_name("Organisation"),
            register: type_name("Register"),
            roles: roles.collect(),
        }
    }

    fn organisation(&self, name: &str) -> EntityUid {
        uid(&self.organisation, name)
    }

    fn register(&self, service: &str) -> EntityUid {
        uid(&self.register, service)
    }

    /// The caller, with those of the roles that there are.
    fn official(&self, organisation: &str, roles: &[&str]) -> Entity {
        let organisation = RestrictedExpression::new_entity_uid(self.organisation(organisation));
        let roles: HashSet<EntityUid> = roles.iter().filter_map(|role| self.roles.get(role).cloned()).collect();
        Entity::new(self.caller.clone(), HashMap::from([("organisation".to_owned(), organisation)]), roles)
            .expect("a name is a value")
    }
}

impl Denial {
    /// Nothing of what exists: only what was asked, and which roles would be permitted it.
    fn explained(self, method: &str, actor: &Actor, ground: Ground<'_>) -> Status {
        let explained = match self {
            Self::Forbidden(reason) => {
                let on_behalf_of = match ground {
                    Ground::Act { on_behalf_of, .. } => on_behalf_of,
                    Ground::Register(_) | Ground::Of(_) => &actor.organisation,
                };
                let explained = status::refused(reason).with("on_behalf_of", on_behalf_of.to_owned());
                // Where it takes the organisation itself, that is the one whose act is told.
                let whose = if reason == ErrorReason::OwnActRequired { on_behalf_of } else { &actor.organisation };
                explained.with("organisation", whose.to_owned())
            }
            Self::RoleRequired(roles) => {
                let roles: Vec<&str> = roles.split(", ").collect();
                status::refused(ErrorReason::RoleRequired).with("role", role_names(&roles))
            }
            Self::NotPermitted => status::refused(ErrorReason::CallNotPermitted),
        };
        explained.with("permission", method.to_owned()).into()
    }
}

/// Roles, any of which will do, as people call them.
pub fn role_names(roles: &[&str]) -> Value {
    let french = |role: &str| ROLES.iter().position(|known| *known == role).map(|at| FRENCH[at].to_owned());
    let english: Vec<String> = roles.iter().map(|role| role.replace('_', " ")).collect();
    let french: Vec<String> = roles.iter().map(|role| french(role).unwrap_or_else(|| (*role).to_owned())).collect();
    Value::coded(roles.join(", "), (english.join(" or "), french.join(" ou ")))
}

fn type_name(name: &str) -> EntityTypeName {
    name.parse().expect("a name of the schema")
}

fn uid(of: &EntityTypeName, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(name))
}

/// Of everything that policies know of a call.
fn key(method: &str, organisation: &str, roles: &[String], ground: Ground<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    part(method);
    part(organisation);
    match ground {
        Ground::Register(service) => {
            part("register");
            part(service);
        }
        Ground::Of(organisation) => {
            part("of");
            part(organisation);
        }
        Ground::Act { on_behalf_of, from_source } => {
            part(if from_source { "source" } else { "act" });
            part(on_behalf_of);
        }
    }
    for role in roles {
        part(role);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
