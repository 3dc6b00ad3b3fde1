use contracts::toguna::partnerships::v1::ListPartnersRequest;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn place() -> Place {
    Place {
        keys: vec!["é".to_owned(), "partners/ml".to_owned()],
        seen: "partnerships.x.7".to_owned(),
        today: "2026-11-24".to_owned(),
    }
}

fn opened(seal: &Seal, token: &str) -> Option<Place> {
    let mut fields = Fields::new();
    let place = seal.open(&mut fields, token);
    fields.finish().is_ok().then_some(place)
}

#[test]
fn a_token_holds_for_the_same_request_of_the_same_organisation_only() {
    let asked = ListPartnersRequest { filter: "kind = STATE".to_owned(), ..Default::default() };
    let token = Seal::new(&KEY, "partners/ml", &asked).close(&place());
    let reads = |key: &[u8; 32], organisation: &str, asked: &ListPartnersRequest| {
        opened(&Seal::new(key, organisation, asked), &token) == Some(place())
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
    let seal = Seal::new(&KEY, "partners/ml", &ListPartnersRequest::default());
    let token = seal.close(&place());
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("it is base64");
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert_eq!(opened(&seal, &URL_SAFE_NO_PAD.encode(changed)), None, "byte {place}");
    }
    for other in ["", "x", "=", &token[1..], &token[..token.len() - 2], &format!("{token}AA"), "é"] {
        assert_eq!(opened(&seal, other), None, "{other}");
    }
}

#[test]
fn a_page_has_a_size() {
    let read = |asked| {
        let mut fields = Fields::new();
        let size = size(&mut fields, asked);
        fields.finish().is_ok().then_some(size)
    };
    assert_eq!([read(0), read(7), read(i32::MAX), read(-1)], [Some(50), Some(7), Some(500), None]);
}
