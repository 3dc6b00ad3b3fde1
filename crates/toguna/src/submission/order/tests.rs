use super::*;
use crate::{
    language::Language,
    submission::{rows, table},
};

fn order(lines: &[&str]) -> Vec<Vec<usize>> {
    let file = lines.join("\n");
    let records = table::read("x", file.as_bytes(), Language::En).expect("a table");
    let read = |record| rows::row("x", record, None, Language::En).unwrap_or_else(|problems| panic!("{problems:?}"));
    let rows: Vec<Row> = records.iter().map(read).collect();
    before(&rows.iter().collect::<Vec<_>>())
}

#[test]
fn rows_of_one_resource_keep_their_order_and_others_do_not_wait_for_them() {
    let order = order(&[
        "command,name,party",
        "OpenNegotiation,agreements/a,",
        "OpenNegotiation,agreements/b,",
        "InitialText,agreements/a,",
        "SignAgreement,agreements/a,partners/x",
    ]);
    assert_eq!(order, [vec![], vec![], vec![0], vec![2]]);
}

#[test]
fn a_row_waits_for_those_before_it_that_act_on_what_it_speaks_of_and_they_for_it() {
    let order = order(&[
        "command,name,party,parent",
        "RegisterPartner,partners/x,,",
        "RegisterPartner,partners/y,,partners/x",
        "SignAgreement,agreements/a,partners/x,",
        "RenamePartner,partners/x,,",
        "SignAgreement,agreements/b,partners/x,",
    ]);
    assert_eq!(order, [vec![], vec![0], vec![0], vec![0, 1, 2], vec![3]]);
}

#[test]
fn resources_that_are_only_spoken_of_keep_nobody_waiting() {
    let order = order(&[
        "command,name,party",
        "SignAgreement,agreements/a,partners/x",
        "SignAgreement,agreements/b,partners/x",
    ]);
    assert_eq!(order, [Vec::<usize>::new(), vec![]]);
}
