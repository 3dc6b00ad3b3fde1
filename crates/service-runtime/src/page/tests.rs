use contracts::{queries::ListQuery as _, toguna::partnerships::v1::ListPartnersRequest};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn place() -> Place {
    Place {
        keys: vec!["é".to_owned(), "partners/ml".to_owned()],
        seen: "partnerships.x.7".to_owned(),
        today: "2026-11-24".to_owned(),
    }
}

fn sealed(key: &[u8; 32], organisation: &str, asked: &ListPartnersRequest) -> Seal {
    Seal::of::<ListPartnersRequest>(key, organisation, &asked.clone().content())
}

/// The place that a token leads to; one that leads nowhere is refused.
fn opened(seal: &Seal, token: &str) -> Option<Place> {
    let mut fields = Fields::new();
    let place = seal.open(&mut fields, token);
    assert_eq!(fields.finish().is_ok(), place.is_some(), "{token}");
    place
}

#[test]
fn a_token_holds_for_the_same_request_of_the_same_organisation_only() {
    let asked = ListPartnersRequest { filter: "kind = STATE".to_owned(), ..Default::default() };
    let token = sealed(&KEY, "partners/ml", &asked).close(&place());
    let reads = |key: &[u8; 32], organisation: &str, asked: &ListPartnersRequest| {
        opened(&sealed(key, organisation, asked), &token) == Some(place())
    };
    assert!(reads(&KEY, "partners/ml", &asked));
    let larger = ListPartnersRequest {
        page_size: 7,
        page_token: token.clone(),
        read_mask: Some(prost_types::FieldMask::default()),
        at_least_as_fresh: vec!["x".to_owned()],
        ..asked.clone()
    };
    assert!(reads(&KEY, "partners/ml", &larger), "a page may be of another size and have other fields");
    assert!(!reads(&[8; 32], "partners/ml", &asked));
    assert!(!reads(&KEY, "partners/fr", &asked));
    for other in [
        ListPartnersRequest { filter: "kind=STATE".to_owned(), ..asked.clone() },
        ListPartnersRequest { order_by: "kind".to_owned(), ..asked.clone() },
        ListPartnersRequest { country_code: "ML".to_owned(), ..asked.clone() },
    ] {
        assert!(!reads(&KEY, "partners/ml", &other), "{other:?}");
    }
}

#[test]
fn a_changed_token_is_refused() {
    let seal = sealed(&KEY, "partners/ml", &ListPartnersRequest::default());
    let token = seal.close(&place());
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("it is base64");
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert_eq!(opened(&seal, &URL_SAFE_NO_PAD.encode(changed)), None, "byte {place}");
    }
    for other in ["x", "=", &token[1..], &token[..token.len() - 2], &format!("{token}AA"), "é"] {
        assert_eq!(opened(&seal, other), None, "{other}");
    }
}

#[test]
fn a_list_begins_where_no_token_is_sent() {
    let mut fields = Fields::new();
    let seal = sealed(&KEY, "partners/ml", &ListPartnersRequest::default());
    assert_eq!(seal.open(&mut fields, ""), None);
    assert!(fields.finish().is_ok());
}

#[test]
fn a_page_has_a_size_and_leads_on_where_there_is_more() {
    assert_eq!([0, 7, i32::MAX].map(size), [50, 7, 500]);
    assert_eq!(limit(7), 8);
    for (found, shown, leads_on) in [(0, 0, false), (2, 2, false), (3, 2, true)] {
        let mut rows: Vec<usize> = (0..found).collect();
        assert_eq!(cut(&mut rows, 2).is_some(), leads_on, "{found}");
        assert_eq!(rows.len(), shown, "{found}");
    }
}
