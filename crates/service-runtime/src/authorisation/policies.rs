//! The texts of the policies: read, held against the schema, and sorted by the RPC that they speak of, so that a call
//! is held against a few of them.

use std::{collections::HashMap, fs, path::Path};

use cedar_policy::{
    ActionConstraint, Effect, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use contracts::toguna::errors::v1::ErrorReason;

/// The roles that policies speak of; a token's others carry no permission.
pub(super) const ROLES: [&str; 19] = [
    "administrator",
    "focal_point",
    "contributor",
    "signatory",
    "secretariat",
    "verifier",
    "depositary",
    "committee_member",
    "committee_chair",
    "fund_manager",
    "payment_verifier",
    "authorising_officer",
    "accounting_officer",
    "contracting_authority",
    "national_counterpart",
    "donor",
    "implementer",
    "auditor",
    "observer",
];

/// Each of them in French; in English their own words say it.
pub(super) const FRENCH: [&str; ROLES.len()] = [
    "administrateur",
    "point focal",
    "contributeur",
    "signataire",
    "secrétariat",
    "vérificateur",
    "dépositaire",
    "membre du comité",
    "président du comité",
    "gestionnaire du fonds (initiateur)",
    "vérificateur des paiements",
    "ordonnateur",
    "comptable",
    "pouvoir adjudicateur",
    "homologue national",
    "donateur",
    "partenaire de mise en œuvre",
    "auditeur",
    "observateur",
];

/// What policies may speak of; a test makes it from the protos.
pub(super) const SCHEMA: &str = include_str!("../../../../deploy/policies/toguna.cedarschema");

/// The policies that come with the program: file and text.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    ("commitments.cedar", include_str!("../../../../deploy/policies/commitments.cedar")),
    ("disbursements.cedar", include_str!("../../../../deploy/policies/disbursements.cedar")),
    ("operations.cedar", include_str!("../../../../deploy/policies/operations.cedar")),
    ("partnerships.cedar", include_str!("../../../../deploy/policies/partnerships.cedar")),
    ("principles.cedar", include_str!("../../../../deploy/policies/principles.cedar")),
    ("reading.cedar", include_str!("../../../../deploy/policies/reading.cedar")),
];

/// The reasons with which a policy may forbid, by its annotation `@refusal`; their texts need nothing but what policies
/// know.
const REFUSALS: [(&str, ErrorReason); 2] =
    [("ACTS_FOR_ANOTHER", ErrorReason::ActsForAnother), ("OWN_ACT_REQUIRED", ErrorReason::OwnActRequired)];

/// The policies that may concern one RPC.
pub(super) struct Slice {
    /// The RPC, with the groups of RPCs that it is in.
    pub action: Entity,
    pub policies: PolicySet,
    /// With which reason those of them that forbid do so.
    pub refusals: HashMap<PolicyId, ErrorReason>,
}

/// Reads the files `*.cedar` of a folder.
pub(super) fn open(folder: &Path) -> Result<HashMap<String, Slice>, Vec<String>> {
    let unreadable = |error: std::io::Error| vec![format!("{} cannot be read: {error}", folder.display())];
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    if files.is_empty() {
        return Err(vec![format!(
            "{} holds no file *.cedar, and nobody would be permitted anything",
            folder.display()
        )]);
    }
    files.sort();
    read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Reads policies, file by file, and tells every problem at once.
pub(super) fn read<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<HashMap<String, Slice>, Vec<String>> {
    let schema = schema();
    let mut problems = Vec::new();
    let mut all = PolicySet::new();
    for (name, text) in files {
        match in_order(name, text) {
            Ok(policies) => {
                for policy in policies {
                    if let Err(problem) = refusal(&policy) {
                        problems.push(problem);
                    }
                    all.add(policy).expect("its name is its file's and its place there");
                }
            }
            Err(error) => problems.push(error),
        }
    }
    let validated = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
    problems.extend(validated.validation_errors().map(ToString::to_string));
    if problems.is_empty() { Ok(slices(&schema, &all)) } else { Err(problems) }
}

/// The policies of a file as it has them, each named after it and its place: `reading.cedar#1`.
pub(super) fn in_order(name: &str, text: &str) -> Result<Vec<Policy>, String> {
    let policies: PolicySet = text.parse().map_err(|error| format!("{name}: {error}"))?;
    if policies.templates().next().is_some() {
        return Err(format!("{name}: holds a template, which nothing here fills in"));
    }
    // Cedar numbers them from zero as it reads them.
    let number = |policy: &Policy| -> usize {
        let id: &str = policy.id().as_ref();
        id.trim_start_matches("policy").parse().unwrap_or(usize::MAX)
    };
    let mut policies: Vec<Policy> = policies.policies().cloned().collect();
    policies.sort_by_key(number);
    let named = policies.into_iter().enumerate();
    Ok(named.map(|(place, policy)| policy.new_id(PolicyId::new(format!("{name}#{}", place + 1)))).collect())
}

pub(super) fn schema() -> Schema {
    Schema::from_cedarschema_str(SCHEMA).expect("a test reads the schema").0
}

fn refusal(policy: &Policy) -> Result<Option<ErrorReason>, String> {
    let Some(named) = policy.annotation("refusal") else { return Ok(None) };
    let known = REFUSALS.iter().find(|(name, _)| *name == named && policy.effect() == Effect::Forbid);
    match known {
        Some((_, reason)) => Ok(Some(*reason)),
        None => Err(format!(
            "policy `{}`: only a policy that forbids has a @refusal, one of {}",
            policy.id(),
            REFUSALS.map(|(name, _)| name).join(", ")
        )),
    }
}

fn slices(schema: &Schema, all: &PolicySet) -> HashMap<String, Slice> {
    let actions = schema.action_entities().expect("a test reads the schema");
    let rpcs = actions.iter().filter(|action| is_rpc(&action.uid()));
    rpcs.map(|action| (action.uid().id().unescaped().to_owned(), Slice::of(action, &actions, all))).collect()
}

/// The others are groups of RPCs.
fn is_rpc(action: &EntityUid) -> bool {
    action.id().unescaped().contains('/')
}

impl Slice {
    fn of(action: &Entity, actions: &Entities, all: &PolicySet) -> Self {
        let mut slice = Self { action: action.clone(), policies: PolicySet::new(), refusals: HashMap::new() };
        for policy in all.policies().filter(|policy| concerns(policy, &action.uid(), actions)) {
            if let Ok(Some(reason)) = refusal(policy) {
                slice.refusals.insert(policy.id().clone(), reason);
            }
            slice.policies.add(policy.clone()).expect("the names are different already");
        }
        slice
    }
}

fn concerns(policy: &Policy, action: &EntityUid, actions: &Entities) -> bool {
    let is_in = |group: &EntityUid| group == action || actions.is_ancestor_of(group, action);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == *action,
        ActionConstraint::In(groups) => groups.iter().any(is_in),
    }
}
