//! Who sees what of a fund: sums are for every partner, single payments for those who read the log, and for the
//! implementer that asked for them.

use contracts::toguna::disbursements::{
    events::v1::PaymentKind,
    v1::{
        BatchGetPaymentsRequest, GetContractRequest, GetDecisionRequest, GetFundRequest, GetPaymentRequest,
        ListPaymentsRequest, Payment, RequestPaymentRequest,
    },
};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::house::*;

const CONTRACT: &str = "contracts/ml-07-01";
const OURS: &str = "payments/iom-1";
/// Another implementer, with a payment of its own under another contract.
const OTHER: &str = "partners/aecid";
const THEIRS: &str = "payments/aecid-1";
const OTHER_CONTRACT: &str = "contracts/ml-07-02";

/// Two implementers with a payment each; and what has seen them.
async fn two_implementers() -> (House, Vec<String>) {
    let mut house = House::with_decision().await;
    house.receive(1_000_000).await;
    let mut seen = Vec::new();
    for (name, implementer, payment) in [(CONTRACT, IOM, OURS), (OTHER_CONTRACT, OTHER, THEIRS)] {
        let mut signed = contract(name, eur(100_000));
        implementer.clone_into(&mut signed.implementer);
        house.contracts.sign_contract(by("contracting_authority", signed)).await.expect("it is signed");
        let asked = RequestPaymentRequest {
            request_id: id(),
            act: on("2017-06-01"),
            name: payment.into(),
            contract: name.into(),
            kind: PaymentKind::PreFinancing.into(),
            amount: eur(1_000),
            cost_period: period("2017-05-19", "2018-05-18"),
            ..Default::default()
        };
        let asked = house.payments.request_payment(by_at("implementer", implementer, asked)).await;
        seen = vec![asked.expect("it is asked for").into_inner().receipt.expect("a receipt").consistency_token];
    }
    (house, seen)
}

impl House {
    async fn payment(
        &mut self,
        name: &str,
        by: impl Fn(GetPaymentRequest) -> Request<GetPaymentRequest>,
    ) -> Result<Payment, Status> {
        let asked = GetPaymentRequest { name: name.into(), ..Default::default() };
        Ok(self.payments.get_payment(by(asked)).await?.into_inner().payment.expect("a payment"))
    }
}

fn listed(seen: &[String]) -> ListPaymentsRequest {
    ListPaymentsRequest { at_least_as_fresh: seen.to_owned(), ..Default::default() }
}

fn names(payments: &[Payment]) -> Vec<&str> {
    payments.iter().map(|payment| payment.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_log_sees_all_payments_and_an_implementer_its_own() {
    let (mut house, seen) = two_implementers().await;
    for role in ["auditor", "accounting_officer", "donor", "national_counterpart"] {
        assert_eq!(house.payment(THEIRS, |it| by(role, it)).await.expect(role).implementer, OTHER);
        let all = house.payments.list_payments(by(role, listed(&seen))).await.expect(role).into_inner();
        assert_eq!(names(&all.payments), [THEIRS, OURS], "{role}");
    }
    let own = |it| by_at("implementer", IOM, it);
    assert_eq!(house.payment(OURS, own).await.expect("its own").implementer, IOM);
    let listing = house.payments.list_payments(by_at("implementer", IOM, listed(&seen))).await.expect("a list");
    assert_eq!(names(&listing.into_inner().payments), [OURS]);
    let filtered = ListPaymentsRequest { filter: "implementer = partners/aecid".into(), ..listed(&seen) };
    let none = house.payments.list_payments(by_at("implementer", IOM, filtered)).await.expect("a list").into_inner();
    assert_eq!(names(&none.payments), [""; 0], "no filter reaches further");
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_payment_is_told_like_one_that_is_not_there() {
    let (mut house, _) = two_implementers().await;
    let own = |it| by_at("implementer", IOM, it);
    for (hidden, nowhere) in [(THEIRS, "payments/none"), ("payments/aecid-1/revisions/1", "payments/none/revisions/1")]
    {
        let told = house.payment(hidden, own).await.expect_err("it is another's");
        let unknown = house.payment(nowhere, own).await.expect_err("there is none");
        assert_eq!((told.code(), reason(&told).as_str()), (Code::NotFound, "NOT_FOUND"));
        let words = |status: &Status, name: &str| {
            let resource = name.split("/revisions").next().expect("a name");
            let violations = status.get_details_bad_request().expect("each name that is missing").field_violations;
            let problems: Vec<String> = violations.into_iter().map(|violation| violation.description).collect();
            format!("{} {problems:?}", status.message()).replace(resource, "it")
        };
        assert_eq!(words(&told, hidden), words(&unknown, nowhere));
    }
    let asked = BatchGetPaymentsRequest { names: vec![OURS.into(), THEIRS.into()], ..Default::default() };
    let told = house.payments.batch_get_payments(by_at("implementer", IOM, asked)).await.expect_err("one is another's");
    assert_eq!(reason(&told), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_partners_see_sums_and_no_single_payment() {
    let (mut house, seen) = two_implementers().await;
    for role in ["focal_point", "secretariat", "administrator", "signatory"] {
        let denied = house.payment(OURS, |it| by_at(role, "partners/ml", it)).await.expect_err(role);
        assert_eq!((denied.code(), reason(&denied).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"), "{role}");
        let denied = house.payments.list_payments(by_at(role, "partners/ml", listed(&seen))).await.expect_err(role);
        assert_eq!(reason(&denied), "ROLE_REQUIRED", "{role}");
        let contract = GetContractRequest { name: CONTRACT.into(), ..Default::default() };
        let contract = house.contracts.get_contract(by_at(role, "partners/ml", contract)).await.expect(role);
        assert_eq!(contract.into_inner().contract.expect("a contract").paid, eur(0), "{role}");
        let decision = GetDecisionRequest { name: ML_07.into(), ..Default::default() };
        house.decisions.get_decision(by_at(role, "partners/ml", decision)).await.expect(role);
    }
    let fund = GetFundRequest { name: FUND.into(), ..Default::default() };
    let denied = house.funds.get_fund(by_at("", "partners/ml", fund)).await.expect_err("without a role");
    assert_eq!((denied.code(), reason(&denied).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
}
