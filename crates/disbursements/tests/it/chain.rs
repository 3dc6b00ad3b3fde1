//! From a request for payment to closure: five persons, the fund's cash, the sums of the IOM contract.

use contracts::toguna::disbursements::{
    events::v1::{PaymentKind, RecoveryCause},
    v1::{
        AuthorisePaymentRequest, ClearPrefinancingRequest, CloseContractRequest, CloseFundRequest,
        DeclareCostsIneligibleRequest, DecommitContractRequest, DisbursePaymentRequest, GetContractRequest,
        GetFundRequest, GetPaymentRequest, InitiatePaymentRequest, OrderRecoveryRequest, PaymentState,
        ReceiveRecoveryRequest, RequestPaymentRequest, VerifyPaymentRequest,
    },
};
use tonic::{Code, Status};

use crate::house::*;

const CONTRACT: &str = "contracts/ml-07-02";

async fn signed(cash: i64) -> House {
    let mut house = House::with_decision().await;
    if cash > 0 {
        house.receive(cash).await;
    }
    let sign = contract(CONTRACT, eur(11_800_000));
    house.contracts.sign_contract(by("contracting_authority", sign)).await.expect("it is signed");
    house
}

fn request(name: &str, kind: PaymentKind, euros: i64) -> RequestPaymentRequest {
    RequestPaymentRequest {
        request_id: id(),
        act: on("2017-06-01"),
        name: name.into(),
        contract: CONTRACT.into(),
        kind: kind.into(),
        amount: eur(euros),
        cost_period: period("2017-05-19", "2018-05-18"),
        ..RequestPaymentRequest::default()
    }
}

fn initiate(name: &str) -> InitiatePaymentRequest {
    InitiatePaymentRequest { request_id: id(), act: on("2017-06-05"), name: name.into(), ..Default::default() }
}

fn verify(name: &str, euros: i64) -> VerifyPaymentRequest {
    let (request_id, name, accepted) = (id(), name.into(), eur(euros));
    VerifyPaymentRequest { request_id, act: on("2017-06-10"), name, accepted, ..Default::default() }
}

fn authorise(name: &str) -> AuthorisePaymentRequest {
    AuthorisePaymentRequest { request_id: id(), act: on("2017-06-12"), name: name.into(), ..Default::default() }
}

fn disburse(name: &str) -> DisbursePaymentRequest {
    DisbursePaymentRequest { request_id: id(), act: on("2017-06-15"), name: name.into(), ..Default::default() }
}

/// Five persons pay.
async fn pay(house: &mut House, name: &str, kind: PaymentKind, requested: i64, accepted: i64) -> Result<(), Status> {
    let payments = &mut house.payments;
    payments.request_payment(by_at("implementer", IOM, request(name, kind, requested))).await?;
    payments.initiate_payment(by("fund_manager", initiate(name))).await?;
    payments.verify_payment(by("payment_verifier", verify(name, accepted))).await?;
    payments.authorise_payment(by("authorising_officer", authorise(name))).await?;
    payments.disburse_payment(by("accounting_officer", disburse(name))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn five_different_persons_pay() {
    let mut house = signed(6_000_000).await;
    pay(&mut house, "payments/iom-1", PaymentKind::PreFinancing, 5_900_000, 5_900_000).await.expect("it is paid");
    let get = GetPaymentRequest { name: "payments/iom-1".into(), ..GetPaymentRequest::default() };
    let payment = house.payments.get_payment(by("fund_manager", get)).await.expect("it is there").into_inner();
    let payment = payment.payment.expect("it is there");
    assert_eq!((payment.state(), payment.paid), (PaymentState::Disbursed, eur(5_900_000)));
    assert_eq!(payment.paid_xof.expect("a parity").minor_units, 3_870_146_300);
    let mut persons: Vec<_> = payment.steps.into_iter().map(|step| step.subject).collect();
    persons.sort();
    persons.dedup();
    assert_eq!(persons.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_in_which_one_person_appears_twice_is_refused() {
    let mut house = signed(6_000_000).await;
    let name = "payments/iom-1";
    let asked = request(name, PaymentKind::PreFinancing, 5_900_000);
    house.payments.request_payment(by_at("implementer", IOM, asked)).await.expect("it is asked for");
    house
        .payments
        .initiate_payment(by_person("fund_manager", TRUSTEE, "aminata", initiate(name)))
        .await
        .expect("it is opened");
    let verify_it = || verify(name, 5_900_000);
    let twice = by_person("payment_verifier", TRUSTEE, "aminata", verify_it());
    let status = house.payments.verify_payment(twice).await.expect_err("the same person");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SAME_PERSON_TWICE"));
    assert_eq!(value(&status, "earlier_role"), "fund_manager");
    let own = by_at("payment_verifier", IOM, verify_it());
    let status = house.payments.verify_payment(own).await.expect_err("its own request");
    assert_eq!(reason(&status), "OWN_REQUEST");
    let verifier = by_person("payment_verifier", TRUSTEE, "moussa", verify_it());
    house.payments.verify_payment(verifier).await.expect("another person");
}

#[tokio::test(flavor = "multi_thread")]
async fn pledges_pay_nothing_and_cash_is_paid_once() {
    let mut house = signed(1_000_000).await;
    let paid = pay(&mut house, "payments/iom-1", PaymentKind::PreFinancing, 600_000, 600_000).await;
    paid.expect("it is paid");
    let second = pay(&mut house, "payments/iom-2", PaymentKind::PreFinancing, 400_001, 400_001).await;
    let status = second.expect_err("the fund does not hold it");
    assert_eq!(reason(&status), "EXCEEDS_FUND_CASH");
    assert_eq!((value(&status, "amount"), value(&status, "available")), ("400001.00".into(), "400000.00".into()));
    let get = GetFundRequest { name: FUND.into(), ..GetFundRequest::default() };
    let fund = house.funds.get_fund(by("fund_manager", get)).await.expect("it is there").into_inner().fund;
    let fund = fund.expect("it is there");
    assert_eq!((fund.received, fund.paid, fund.available), (eur(1_000_000), eur(600_000), eur(400_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_contract_is_neither_asked_for_nor_paid() {
    let mut house = signed(20_000_000).await;
    let too_much = request("payments/iom-1", PaymentKind::Interim, 11_800_001);
    let status = house.payments.request_payment(by_at("implementer", IOM, too_much)).await.expect_err("too much");
    assert_eq!(reason(&status), "EXCEEDS_CONTRACT_AMOUNT");

    // Two requests fit alone; together they do not.
    let names = ["payments/iom-2", "payments/iom-3"];
    for name in names {
        let payments = &mut house.payments;
        let asked = request(name, PaymentKind::Interim, 6_000_000);
        payments.request_payment(by_at("implementer", IOM, asked)).await.expect("it is asked for");
        payments.initiate_payment(by("fund_manager", initiate(name))).await.expect("it is opened");
        payments.verify_payment(by("payment_verifier", verify(name, 6_000_000))).await.expect("it is checked");
        payments.authorise_payment(by("authorising_officer", authorise(name))).await.expect("it is ordered");
    }
    let [first, second] = names.map(|name| {
        let mut payments = house.payments.clone();
        async move { payments.disburse_payment(by("accounting_officer", disburse(name))).await }
    });
    let (first, second) = tokio::join!(first, second);
    let refused = first.err().xor(second.err()).expect("one of them is refused");
    assert_eq!(reason(&refused), "EXCEEDS_CONTRACT_AMOUNT");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_iom_contract_is_paid_reduced_cleared_and_closed() {
    let mut house = signed(15_000_000).await;
    for (name, kind, requested, accepted) in [
        ("payments/iom-1", PaymentKind::PreFinancing, 5_900_000, 5_900_000),
        ("payments/iom-2", PaymentKind::PreFinancing, 4_720_000, 4_720_000),
        ("payments/iom-3", PaymentKind::Balance, 1_180_000, 944_000),
    ] {
        pay(&mut house, name, kind, requested, accepted).await.expect("it is paid");
    }
    let ineligible = DeclareCostsIneligibleRequest {
        request_id: id(),
        act: on("2021-03-01"),
        name: CONTRACT.into(),
        amount: eur(236_000),
        payment: "payments/iom-3".into(),
        ..Default::default()
    };
    house.contracts.declare_costs_ineligible(by("authorising_officer", ineligible)).await.expect("it is noted");
    let decommit = DecommitContractRequest {
        request_id: id(),
        act: on("2021-03-01"),
        name: CONTRACT.into(),
        amount: eur(236_000),
        ..Default::default()
    };
    house.contracts.decommit_contract(by("contracting_authority", decommit)).await.expect("it is released");
    let close = || CloseContractRequest {
        request_id: id(),
        act: on("2021-03-31"),
        name: CONTRACT.into(),
        ..Default::default()
    };
    let status = house.contracts.close_contract(by("contracting_authority", close())).await.expect_err("too early");
    assert_eq!(reason(&status), "PREFINANCING_NOT_CLEARED");
    let clear = ClearPrefinancingRequest {
        request_id: id(),
        act: on("2021-03-10"),
        name: CONTRACT.into(),
        amount: eur(10_620_000),
        ..Default::default()
    };
    house.contracts.clear_prefinancing(by("authorising_officer", clear)).await.expect("it is cleared");
    let close_fund =
        || CloseFundRequest { request_id: id(), act: on("2025-12-31"), name: FUND.into(), ..Default::default() };
    let status = house.funds.close_fund(by("authorising_officer", close_fund())).await.expect_err("too early");
    assert_eq!((reason(&status).as_str(), value(&status, "contracts").as_str()), ("CONTRACTS_OPEN", CONTRACT));
    house.contracts.close_contract(by("contracting_authority", close())).await.expect("it closes");
    house.funds.close_fund(by("authorising_officer", close_fund())).await.expect("it closes");

    let get = GetContractRequest { name: CONTRACT.into(), ..Default::default() };
    let contract = house.contracts.get_contract(by("fund_manager", get)).await.expect("it is there").into_inner();
    let contract = contract.contract.expect("it is there");
    assert_eq!((contract.paid, contract.fund_share), (eur(11_564_000), eur(11_564_000)));
    assert_eq!((contract.ineligible, contract.open_prefinancing), (eur(236_000), eur(0)));
    house.folds_alike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_in_the_funds_cash_again() {
    let mut house = signed(1_000_000).await;
    pay(&mut house, "payments/iom-1", PaymentKind::PreFinancing, 1_000_000, 1_000_000).await.expect("it is paid");
    let order = OrderRecoveryRequest {
        request_id: id(),
        act: on("2021-03-01"),
        name: CONTRACT.into(),
        order: "RO-2021-1".into(),
        cause: RecoveryCause::UnspentPrefinancing.into(),
        amount: eur(45_000),
        ..Default::default()
    };
    house.contracts.order_recovery(by("authorising_officer", order)).await.expect("it is ordered");
    let receive = ReceiveRecoveryRequest {
        request_id: id(),
        act: on("2021-06-01"),
        name: CONTRACT.into(),
        order: "RO-2021-1".into(),
        amount: eur(45_000),
        ..Default::default()
    };
    house.contracts.receive_recovery(by("accounting_officer", receive)).await.expect("it is received");
    let get = GetFundRequest { name: FUND.into(), ..Default::default() };
    let fund = house.funds.get_fund(by("fund_manager", get)).await.expect("it is there").into_inner().fund;
    let fund = fund.expect("it is there");
    assert_eq!((fund.recovered, fund.available), (eur(45_000), eur(45_000)));
    pay(&mut house, "payments/iom-2", PaymentKind::Interim, 45_000, 45_000).await.expect("it is paid again");
}
