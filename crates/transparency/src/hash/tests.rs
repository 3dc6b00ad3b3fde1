use super::*;

fn hex(hash: Hash) -> String {
    hash.as_bytes().iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// Known from the tests of Certificate Transparency, which RFC 6962 describes.
#[test]
fn leaves_and_nodes_are_hashed_as_rfc_6962_says() {
    assert_eq!(Hash(Sha256::digest([]).into()), Hash::EMPTY_TREE);
    assert_eq!(hex(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(hex(leaf_hash(b"L123456")), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    let node = Sha256::digest([&[1][..], &[7; 32], &[9; 32]].concat());
    assert_eq!(node_hash(&Hash([7; 32]), &Hash([9; 32])), Hash(node.into()));
}

#[test]
fn a_hash_is_read_as_it_is_written_and_nothing_else_is_one() {
    let hash = leaf_hash(b"an entry");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    let text = hash.to_string();
    for other in ["", &text[1..], &text.replace('=', ""), &format!("{text}="), &format!("{}!=", &text[..42])] {
        assert_eq!(other.parse::<Hash>(), Err(HashError), "{other}");
    }
    // The last character carries two bits that nothing needs: only zeros are taken.
    let unclean = format!("{}B=", "A".repeat(42));
    assert_eq!(unclean.parse::<Hash>(), Err(HashError));
    assert_eq!(Hash::try_from(&[0; 31][..]), Err(HashError));
}
