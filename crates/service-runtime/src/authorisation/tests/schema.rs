//! The schema, made from the protos: one action for each RPC.

use std::fmt::Write as _;

use contracts::DESCRIPTORS;
use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::super::policies::ROLES;

/// What an RPC does, as far as policies are concerned: the group of its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Records an act.
    Commands,
    /// Asks for what was made of the log.
    Queries,
    /// Asks for the log itself.
    Log,
    /// Asks for what was refused.
    Refusals,
    /// Runs the service.
    Operations,
}

/// One RPC.
pub struct Rpc {
    /// `toguna.disbursements.v1`.
    pub package: String,
    /// `FundService`.
    pub service: String,
    /// `CloseFund`.
    pub name: String,
    pub kind: Kind,
}

impl Rpc {
    /// As gRPC has it, and as its action is named.
    pub fn path(&self) -> String {
        format!("{}.{}/{}", self.package, self.service, self.name)
    }
}

impl Kind {
    pub fn group(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Queries => "queries",
            Self::Log => "log",
            Self::Refusals => "refusals",
            Self::Operations => "operations",
        }
    }
}

/// Every RPC of every service, in the order of the protos.
pub fn rpcs() -> Vec<Rpc> {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let messages: Vec<(String, bool)> = set
        .file
        .iter()
        .flat_map(|file| file.message_type.iter().map(move |message| (file.package(), message)))
        .map(|(package, message)| {
            let command = message.field.iter().any(|field| field.name() == "request_id");
            (format!(".{package}.{}", message.name()), command)
        })
        .collect();
    let is_command = |input: &str| messages.iter().any(|(name, command)| name == input && *command);
    let mut rpcs = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let kind = match service.name() {
                    "LogService" => Kind::Log,
                    "JournalService" => Kind::Refusals,
                    "OperationsService" => Kind::Operations,
                    _ if is_command(method.input_type()) => Kind::Commands,
                    _ => Kind::Queries,
                };
                let (package, service) = (file.package().to_owned(), service.name().to_owned());
                rpcs.push(Rpc { package, service, name: method.name().to_owned(), kind });
            }
        }
    }
    assert!(rpcs.len() > 100, "the RPCs were looked for in the wrong place");
    rpcs
}

/// The whole schema.
pub fn text() -> String {
    let roles = ROLES.map(|role| format!("    {role:?}")).join(",\n");
    let mut text = format!(
        "// What policies may speak of. Made from the protos: one action for each RPC, named as gRPC names it.

// The roles that a token may carry.
entity Role enum [
{roles}
];

// A partner, by its resource name.
entity Organisation;

// Whoever calls, for an organisation, in the roles of its token. Policies speak of no person.
entity Official in [Role] {{ organisation: Organisation }};

// What a service keeps, its log and its read models, by the name of the service.
entity Register;

// Each of these records the act of an organisation, the resource.
action \"commands\";
// Each of these asks a service for what it made of its log: all of it, or what is of the organisation that is the resource.
action \"queries\";
// Each of these asks a service for its log itself.
action \"log\";
// Each of these asks a service for what it refused: all of it, or to the people of the organisation that is the resource.
action \"refusals\";
// Each of these serves those who run a service.
action \"operations\";
"
    );
    let rpcs = rpcs();
    for kind in [Kind::Commands, Kind::Queries, Kind::Log, Kind::Refusals, Kind::Operations] {
        let names: Vec<String> =
            rpcs.iter().filter(|rpc| rpc.kind == kind).map(|rpc| format!("    \"{}\"", rpc.path())).collect();
        let applies = match kind {
            Kind::Commands => "    resource: Organisation,\n    context: { recorded_from_source: Bool }",
            Kind::Queries | Kind::Refusals => "    resource: [Register, Organisation]",
            Kind::Log | Kind::Operations => "    resource: Register",
        };
        let _ = write!(
            text,
            "\naction\n{}\nin [\"{}\"] appliesTo {{\n    principal: Official,\n{applies}\n}};\n",
            names.join(",\n"),
            kind.group(),
        );
    }
    text
}
