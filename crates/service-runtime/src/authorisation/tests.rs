mod matrix;
mod schema;

use std::{fs, path::PathBuf};

use tonic_types::StatusExt as _;

use self::schema::{Kind, rpcs};
use super::{
    policies::{BUILT_IN, read},
    *,
};
use crate::context::CALL;

const SIGN: &str = "toguna.disbursements.v1.ContractService/SignContract";
const REPLAY: &str = "toguna.log.v1.LogService/ReplayLog";
const OURS: &str = "partners/mli";
const THEIRS: &str = "partners/fra";
/// The organisation that runs the services.
const OPERATOR: &str = "partners/operator";
/// An act of our own, and what we record of ourselves and of others from a source.
const OWN: Ground<'_> = Ground::Act { on_behalf_of: OURS, from_source: false };
const PUBLISHED: Ground<'_> = Ground::Act { on_behalf_of: OURS, from_source: true };
const OF_OTHERS: Ground<'_> = Ground::Act { on_behalf_of: THEIRS, from_source: true };
const FOR_ANOTHER: Ground<'_> = Ground::Act { on_behalf_of: THEIRS, from_source: false };

fn policies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies")
}

/// Compares a committed text with what it is made from; `TOGUNA_WRITE_PERMISSIONS=1` writes it anew.
fn committed(path: &Path, made: &str) {
    if std::env::var_os("TOGUNA_WRITE_PERMISSIONS").is_some() {
        fs::write(path, made).expect("it can be written");
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == made,
        "{} is not what the protos and policies make of it: TOGUNA_WRITE_PERMISSIONS=1 cargo test -p service-runtime authorisation",
        path.display()
    );
}

fn ask(authority: &Authority, method: &str, roles: &[&str], ground: Ground<'_>) -> Verdict {
    let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    authority.verdict(method, OURS, &roles, ground)
}

/// Whether it is permitted, without asking what else would be; of operations, to those who run the services.
fn may(authority: &Authority, method: &str, roles: &[&str], ground: Ground<'_>) -> bool {
    let organisation = if method.starts_with("toguna.operations.") { OPERATOR } else { OURS };
    let response = authority.ask(&authority.slices[method], organisation, roles, ground);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

fn commands() -> impl Iterator<Item = String> {
    rpcs().into_iter().filter(|rpc| rpc.kind == Kind::Commands).map(|rpc| rpc.path())
}

/// The policies of a text, in the place of the built-in ones.
fn authority(text: &str) -> Authority {
    Authority::new(read([("own.cedar", text)].into_iter()).expect("the policies are good"))
}

fn problems(files: &[(&str, &str)]) -> Vec<String> {
    read(files.iter().copied()).map(|_| ()).expect_err("something is wrong")
}

#[test]
fn every_rpc_has_an_action_and_every_policy_of_the_folder_comes_with_the_program() {
    committed(&policies().join("toguna.cedarschema"), &schema::text());
    let mut files: Vec<String> = fs::read_dir(policies())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "cedar"))
        .collect();
    files.sort();
    assert_eq!(files, BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn every_rpc_is_permitted_to_somebody_by_a_policy_of_its_own_or_its_group() {
    let authority = Authority::built_in();
    for rpc in rpcs() {
        let grounds = match rpc.kind {
            Kind::Commands => vec![OWN],
            _ => matrix::REGISTERS.map(Ground::Register).to_vec(),
        };
        let permitted =
            ROLES.iter().any(|role| grounds.iter().any(|ground| may(&authority, &rpc.path(), &[role], *ground)));
        assert!(permitted, "nobody may call {}", rpc.path());
    }
}

#[test]
fn every_policy_says_what_it_means_in_both_languages() {
    for (name, text) in BUILT_IN {
        for policy in policies::in_order(name, text).expect("it is read") {
            for language in ["en", "fr"] {
                let said = policy.annotation(language).unwrap_or_default();
                assert!(said.ends_with('.'), "{} says nothing in {language}", policy.id());
            }
        }
    }
}

#[test]
fn nobody_acts_for_another_organisation_whatever_the_roles() {
    let authority = Authority::built_in();
    let denied = Err(Denial::Forbidden(ErrorReason::ActsForAnother));
    for command in commands() {
        assert_eq!(ask(&authority, &command, &ROLES, FOR_ANOTHER), denied, "{command}");
        for role in ROLES {
            assert_eq!(ask(&authority, &command, &[role], FOR_ANOTHER), denied, "{command} by {role}");
        }
    }
}

#[test]
fn no_source_confirms_verifies_pays_or_corrects() {
    let authority = Authority::built_in();
    let denied = Err(Denial::Forbidden(ErrorReason::OwnActRequired));
    let own = |rpc: &schema::Rpc| {
        let decides = rpc.name.starts_with("Confirm") || rpc.name.starts_with("Verify");
        // A value that was reported from a source is restated from a source, by a second person.
        (decides && rpc.name != "ConfirmRestatement")
            || ["PaymentService", "CorrectionService"].contains(&&*rpc.service)
    };
    for rpc in rpcs().iter().filter(|rpc| rpc.kind == Kind::Commands && own(rpc)) {
        for ground in [PUBLISHED, OF_OTHERS] {
            assert_eq!(ask(&authority, &rpc.path(), &ROLES, ground), denied, "{}", rpc.path());
        }
    }
}

#[test]
fn whoever_has_no_role_records_nothing() {
    let authority = Authority::built_in();
    for command in commands() {
        for ground in [OWN, PUBLISHED, OF_OTHERS] {
            for roles in [&[][..], &["emperor"], &["auditor", "observer", "national_counterpart"]] {
                assert!(!may(&authority, &command, roles, ground), "{command} by {roles:?}");
            }
        }
    }
}

#[test]
fn a_denial_names_the_roles_that_would_be_permitted_the_same() {
    let authority = Authority::built_in();
    let required = |roles: &str| Err(Denial::RoleRequired(roles.into()));
    assert_eq!(ask(&authority, SIGN, &["fund_manager"], OWN), required("contracting_authority"));
    assert_eq!(ask(&authority, SIGN, &["contracting_authority"], OF_OTHERS), required("secretariat, fund_manager"));
    assert_eq!(ask(&authority, SIGN, &["contracting_authority", "observer"], OWN), Ok(()));
    assert_eq!(ask(&authority, SIGN, &["fund_manager"], PUBLISHED), Ok(()));
}

/// Of every RPC that records nothing, whatever service it is of.
#[test]
fn whoever_has_no_role_reads_nothing() {
    let authority = Authority::built_in();
    for rpc in rpcs().iter().filter(|rpc| rpc.kind != Kind::Commands) {
        for ground in matrix::REGISTERS.map(Ground::Register).into_iter().chain([Ground::Of(OURS)]) {
            for roles in [&[][..], &["emperor"]] {
                assert!(!may(&authority, &rpc.path(), roles, ground), "{} by {roles:?}", rpc.path());
            }
        }
    }
}

#[test]
fn payments_are_seen_by_whoever_reads_the_log_that_they_are_in_and_by_the_implementer_that_asked_for_them() {
    let authority = Authority::built_in();
    let (whole, own, theirs) = (Ground::Register("disbursements"), Ground::Of(OURS), Ground::Of(THEIRS));
    let payment = |rpc: &&schema::Rpc| rpc.kind == Kind::Queries && rpc.service == "PaymentService";
    let rpcs = rpcs();
    assert_eq!(rpcs.iter().filter(payment).count(), 3);
    for rpc in rpcs.iter().filter(payment) {
        let sees = |role, ground| may(&authority, &rpc.path(), &[role], ground);
        for role in ROLES {
            assert_eq!(sees(role, whole), may(&authority, REPLAY, &[role], whole), "{} by {role}", rpc.path());
            assert_eq!(sees(role, own), role == "implementer", "{} by {role}", rpc.path());
            assert!(!sees(role, theirs), "{} by {role}", rpc.path());
        }
    }
    let chain = "toguna.oversight.v1.OversightService/GetContractChain";
    for role in ROLES {
        let sees = may(&authority, chain, &[role], Ground::Register("oversight"));
        assert_eq!(sees, may(&authority, REPLAY, &[role], whole), "the payments of a contract by {role}");
    }
    let others = ["GetFund", "ListContributions", "GetDecision", "BatchGetContracts"];
    for rpc in rpcs.iter().filter(|rpc| others.contains(&rpc.name.as_str())) {
        assert!(ROLES.iter().all(|role| may(&authority, &rpc.path(), &[role], whole)), "{}", rpc.path());
    }
}

#[test]
fn a_log_is_read_by_those_whom_the_policies_of_its_register_name() {
    let authority = Authority::built_in();
    let read = |service, role| ask(&authority, REPLAY, &[role], Ground::Register(service)).is_ok();
    assert!(read("partnerships", "implementer") && read("commitments", "donor") && read("disbursements", "donor"));
    assert!(!read("disbursements", "implementer"));
    assert_eq!(ask(&authority, REPLAY, &ROLES, Ground::Register("elsewhere")), Err(Denial::NotPermitted));
}

#[test]
fn refusals_are_seen_by_auditors_and_by_the_administrators_of_those_who_were_refused() {
    let authority = Authority::built_in();
    let list = "toguna.log.v1.JournalService/ListRefusals";
    let (all, own, theirs) = (Ground::Register("disbursements"), Ground::Of(OURS), Ground::Of(THEIRS));
    for ground in [all, own, theirs] {
        assert_eq!(ask(&authority, list, &["auditor"], ground), Ok(()));
    }
    assert_eq!(ask(&authority, list, &["administrator"], own), Ok(()));
    let required = |roles: &str| Err(Denial::RoleRequired(roles.into()));
    for ground in [all, theirs] {
        assert_eq!(ask(&authority, list, &["administrator"], ground), required("auditor"));
    }
    let others: Vec<&str> = ROLES.into_iter().filter(|role| !["auditor", "administrator"].contains(role)).collect();
    assert_eq!(ask(&authority, list, &others, own), required("administrator, auditor"));
}

/// Every ministry has an administrator of its own people, who is not to exchange the figures of all.
#[test]
fn whoever_administers_another_organisation_than_the_operator_runs_no_service() {
    let authority = Authority::built_in();
    let verdict = |rpc: &schema::Rpc, organisation, role: &str| {
        authority.verdict(&rpc.path(), organisation, &[role.to_owned()], Ground::Register("disbursements"))
    };
    for rpc in rpcs().iter().filter(|rpc| rpc.kind == Kind::Operations) {
        assert_eq!(verdict(rpc, OPERATOR, "administrator"), Ok(()), "{}", rpc.path());
        assert_eq!(verdict(rpc, OURS, "administrator"), Err(Denial::NotPermitted), "{}", rpc.path());
        assert_eq!(verdict(rpc, OPERATOR, "auditor"), Err(Denial::RoleRequired("administrator".into())));
    }
}

#[test]
fn what_no_policy_permits_and_what_is_no_rpc_is_denied() {
    let none = authority("");
    for rpc in rpcs() {
        let ground = if rpc.kind == Kind::Commands { OWN } else { Ground::Register("disbursements") };
        assert_eq!(ask(&none, &rpc.path(), &ROLES, ground), Err(Denial::NotPermitted), "{}", rpc.path());
    }
    let all = authority("permit (principal, action, resource);");
    assert_eq!(ask(&all, SIGN, &[], OWN), Ok(()));
    assert_eq!(ask(&all, "grpc.health.v1.Health/Check", &ROLES, OWN), Err(Denial::NotPermitted));
}

#[test]
fn a_policy_that_cannot_be_evaluated_permits_nothing() {
    let text = r#"permit (principal, action, resource);
        forbid (principal, action in Action::"commands", resource) when { context.recorded_from_source };"#;
    let authority = authority(text);
    assert_eq!(ask(&authority, SIGN, &ROLES, OWN), Ok(()));
    assert_eq!(ask(&authority, SIGN, &ROLES, PUBLISHED), Err(Denial::NotPermitted));
    // A command that somebody serves as a query has no such context.
    assert_eq!(ask(&authority, SIGN, &ROLES, Ground::Register("disbursements")), Err(Denial::NotPermitted));
}

#[test]
fn everything_wrong_with_the_policies_is_told_at_once() {
    let told = problems(&[
        ("role.cedar", r#"permit (principal in Role::"emperor", action, resource);"#),
        ("rpc.cedar", r#"permit (principal, action == Action::"toguna.log.v1.LogService/EraseLog", resource);"#),
        ("type.cedar", r#"permit (principal, action in Action::"commands", resource) when { context.urgent };"#),
        ("refusal.cedar", r#"@refusal("BECAUSE") forbid (principal, action, resource);"#),
        ("syntax.cedar", "permit everything;"),
    ]);
    for (file, word) in
        [("role", "emperor"), ("rpc", "EraseLog"), ("type", "urgent"), ("refusal", "ACTS_FOR_ANOTHER"), ("syntax", "")]
    {
        assert!(told.iter().any(|problem| problem.contains(file) && problem.contains(word)), "{file}: {told:#?}");
    }
}

#[test]
fn a_folder_takes_the_place_of_the_policies_that_come_with_the_program() {
    let folder = std::env::temp_dir().join(format!("toguna-policies-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&folder).expect("it can be made");
    let empty = Authority::open(&folder).expect_err("nobody could do anything");
    assert!(empty[0].contains("holds no file *.cedar"), "{empty:?}");
    let text = r#"permit (principal in Role::"observer", action in Action::"commands", resource);"#;
    fs::write(folder.join("own.cedar"), text).expect("it can be written");
    fs::write(folder.join("README"), "no policy").expect("it can be written");
    let authority = Authority::open(&folder).expect("the policies are good");
    fs::remove_dir_all(&folder).expect("it is there");
    assert_eq!(ask(&authority, SIGN, &["observer"], OWN), Ok(()));
    assert_eq!(ask(&authority, SIGN, &["contracting_authority"], OWN), Err(Denial::RoleRequired("observer".into())));
    assert!(Authority::open(&folder).expect_err("it is gone")[0].contains("cannot be read"));
}

#[test]
fn a_verdict_is_remembered_for_calls_alike_and_for_no_others() {
    let authority = authority("permit (principal, action, resource);");
    let grounds =
        [OWN, PUBLISHED, OF_OTHERS, FOR_ANOTHER, Ground::Register(OURS), Ground::Of(OURS), Ground::Of(THEIRS)];
    let mut keys = HashSet::new();
    for ground in grounds {
        for organisation in [OURS, THEIRS] {
            for roles in [&[][..], &["a".to_owned(), "b".to_owned()], &["ab".to_owned()]] {
                assert!(keys.insert(key(SIGN, organisation, roles, ground)));
            }
        }
    }
    for number in 0..MAX_REMEMBERED + 10 {
        let somebody = format!("partners/p{number}");
        let _ = authority.verdict(SIGN, &somebody, &[], Ground::Act { on_behalf_of: &somebody, from_source: false });
    }
    assert_eq!(authority.remembered(|verdicts| verdicts.len()), MAX_REMEMBERED);
}

/// `cargo test --release -p service-runtime verdict_costs -- --nocapture` prints the figures.
#[test]
fn a_verdict_costs_less_the_second_time() {
    let authority = Authority::built_in();
    let roles = ["contracting_authority".to_owned()];
    let each = |count: u32, ask: &dyn Fn() -> Verdict| {
        let started = std::time::Instant::now();
        assert!((0..count).all(|_| ask().is_ok()));
        started.elapsed() / count
    };
    let evaluated = each(2_000, &|| authority.decide(SIGN, OURS, &roles, OWN));
    let remembered = each(20_000, &|| authority.verdict(SIGN, OURS, &roles, OWN));
    println!("evaluated: {evaluated:?}, remembered: {remembered:?}");
    assert!(remembered < evaluated);
}

#[tokio::test]
async fn a_denial_says_which_permission_was_missing_and_nothing_of_what_exists() {
    let authority = Authority::built_in();
    let context = CallContext { method: SIGN.into(), ..Arc::into_inner(CallContext::current()).expect("nobody else") };
    let context = Arc::new(context);
    let denied = |roles: &[&str], ground| {
        let actor = Actor {
            issuer: "https://id.example".into(),
            subject: "ab".repeat(32),
            organisation: OURS.into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        CALL.sync_scope(context.clone(), || authority.check(&actor, ground)).expect_err("denied")
    };
    let role = denied(&["observer"], OWN);
    let info = role.get_details_error_info().expect("always there");
    assert_eq!((role.code(), info.reason.as_str()), (tonic::Code::PermissionDenied, "ROLE_REQUIRED"));
    assert_eq!((info.metadata["permission"].as_str(), info.metadata["role"].as_str()), (SIGN, "contracting_authority"));
    let another = denied(&["contracting_authority"], FOR_ANOTHER);
    let info = another.get_details_error_info().expect("always there");
    assert_eq!((another.code(), info.reason.as_str()), (tonic::Code::PermissionDenied, "ACTS_FOR_ANOTHER"));
    assert_eq!((info.metadata["organisation"].as_str(), info.metadata["on_behalf_of"].as_str()), (OURS, THEIRS));
    let nobody = denied(&["auditor"], Ground::Register("elsewhere"));
    let info = nobody.get_details_error_info().expect("always there");
    assert_eq!((nobody.code(), info.reason.as_str()), (tonic::Code::PermissionDenied, "CALL_NOT_PERMITTED"));
    assert!(nobody.message().contains(SIGN), "{}", nobody.message());
}
