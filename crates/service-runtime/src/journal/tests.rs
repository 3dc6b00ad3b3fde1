use super::*;

#[test]
fn what_is_kept_of_a_value_is_a_name_a_number_a_code_or_a_day() {
    for value in ["43500000.00", "EUR", "2021-12-31", "funds/eutf-africa", "contracts/a, contracts/b", "fund_manager"] {
        assert_eq!(plain("amount", value), value);
    }
    let long = "1".repeat(MAX_VALUE_BYTES + 1);
    for value in ["", "A sentence of somebody.", "é", "a\u{0}", "<b>", "a, , b", &long] {
        assert_eq!(plain("amount", value), NOT_KEPT, "{value:?}");
    }
    assert_eq!(plain("organisation", "partners/ml"), "partners/ml");
    assert_eq!(plain("organisation", "whoever-has-no-name"), NOT_KEPT);
}

#[test]
fn what_is_no_name_of_a_resource_is_left_out() {
    assert_eq!(name("payments/x-1"), "payments/x-1");
    for text in ["", "payments", "payments/X", "a sentence/with words", "payments/x\n"] {
        assert_eq!(name(text), "");
    }
}
