use proptest::prelude::*;

use super::*;
use crate::{KeyKind, SigningKey};

fn file() -> ProofFile {
    let text = format!("log.example/x\n9\n{}\n", Hash::EMPTY_TREE);
    let mut note = Note::unsigned(text.clone()).expect("a text");
    note.add(SigningKey::new("log.example/x", KeyKind::Note, &[1; 32]).expect("a key").sign(&text, 0));
    ProofFile { extra: Some(b"what it is".to_vec()), index: 8, proof: vec![Hash::EMPTY_TREE; 2], note }
}

#[test]
fn a_file_is_read_as_it_is_written_and_what_is_none_is_refused() {
    let (whole, bare) = (file(), ProofFile { extra: None, proof: Vec::new(), ..file() });
    for file in [&whole, &bare] {
        assert_eq!(ProofFile::parse(file.to_string().as_bytes()).as_ref(), Ok(file));
    }
    let text = whole.to_string();
    for other in [
        text.replacen("@v1", "@v2", 1),
        text.replacen("index 8", "index 08", 1),
        text.replacen("index 8\n", "", 1),
        text.replacen("\n\n", "\n", 1),
        text.replacen("extra ", "extra !", 1),
        bare.to_string().replacen(
            "index 8\n",
            &format!("index 8\n{}", format!("{}\n", Hash::EMPTY_TREE).repeat(64)),
            1,
        ),
    ] {
        assert_eq!(ProofFile::parse(other.as_bytes()), Err(ProofFileError), "{other}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(at in any::<prop::sample::Index>(), more in "[ -~\n]{0,40}") {
        let mut text = file().to_string();
        let at = at.index(text.len());
        if text.is_char_boundary(at) {
            text.insert_str(at, &more);
        }
        let _ = ProofFile::parse(text.as_bytes());
    }
}
