use super::*;

#[test]
fn every_kind_of_resource_has_the_query_of_its_name() {
    for (resource, name) in [
        ("decisions/t05-eutf-sah-ml-07", "toguna.disbursements.v1.DecisionService.GetDecision"),
        ("agreements/ml-fr-1994-circulation", "toguna.partnerships.v1.AgreementService.GetAgreement"),
        ("commitments/ml-travel-documents", "toguna.commitments.v1.CommitmentService.GetCommitment"),
        ("payments/p-1", "toguna.disbursements.v1.PaymentService.GetPayment"),
    ] {
        assert_eq!(query(resource, Language::En).expect("there is one").full_name(), name);
    }
}

#[test]
fn what_is_no_resource_is_told_what_one_looks_like() {
    for text in ["decisions", "things/x", "", "été/x"] {
        let problem = query(text, Language::En).expect_err("there is none").to_string();
        assert!(problem.contains("write decisions/…"), "{problem}");
    }
}
