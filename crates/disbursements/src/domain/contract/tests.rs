mod closing;
mod paying;
mod signing;

use event_sourcing::{
    LocalizedText, Period,
    testing::{Given, given, given_acts},
};

use super::*;
use crate::domain::{fund::Constitution, mirror::RecordKey, testing::*};

const CONTRACT: &str = "contracts/t05-eutf-sah-ml-07-02";
const PAYMENT: &str = "payments/iom-1";

fn terms() -> Terms {
    Terms {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        decision: ML_07.into(),
        reference: "T05-EUTF-SAH-ML-07-02".into(),
        title: LocalizedText::official_en("Migration governance, return and reintegration"),
        implementer: IOM.into(),
        fund_share: eur(11_800_000),
        cofinancing: vec![Cofinancing { financier: None, amount: xof(1_000_000) }],
        period: Period { start: None, end: Some(day("2020-03-14")) },
        agreements: vec!["agreements/ml-eu".into()],
        commitments: Vec::new(),
        programme_lines: vec!["reinsertion".into()],
    }
}

fn grounds() -> Grounds {
    Grounds { fund: constitution(), approval: Some(Approval::Own) }
}

fn sign(terms: Terms) -> ContractCommand {
    ContractCommand::Sign { terms: Box::new(terms), grounds: Box::new(grounds()), citations: Citations::default() }
}

fn authority() -> Act {
    trustee(CONTRACTING_AUTHORITY).on("2017-05-19")
}

fn signed() -> Given<Contract> {
    given_acts([(authority(), ContractEvent::Signed(Box::new(terms())))])
}

fn pay(payment: &str, kind: PaymentKind, amount: Money) -> ContractCommand {
    let line = Line { value: Paid { kind, amount }, effective_on: Some(day("2017-06-15").into()) };
    ContractCommand::MirrorPayment { payment: payment.into(), lines: Lines::from([(5, line)]) }
}

fn ride(rider: Rider) -> ContractCommand {
    ContractCommand::Ride { rider, grounds: Box::new(grounds()) }
}
