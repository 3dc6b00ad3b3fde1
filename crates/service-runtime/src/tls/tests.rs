use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::testing::Folder;

/// A certificate that signed itself, and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).and_then(|it| it.self_signed(&key));
    (certificate.expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn what_is_wrong_with_the_files_is_told_at_once() {
    let folder = Folder::new("tls");
    let ((certificate, key), (_, anothers)) = (pair(), pair());
    let good = (folder.file("cert.pem", &certificate), folder.file("key.pem", &key));
    let (other, text) = (folder.file("other.pem", &anothers), folder.file("text.pem", "text"));
    let problems = |chain: &str, key: &str, authorities: Option<&str>| {
        Tls::open(chain.into(), key.into(), authorities.map(PathBuf::from)).map(|_| ()).expect_err("refused")
    };
    let found = problems(&text, &text, Some("/nowhere/ca.pem"));
    assert_eq!(found.len(), 3, "{found:?}");
    for (problem, said) in found.iter().zip(["holds no certificate", "holds no private key", "cannot be read"]) {
        assert!(problem.contains(said), "{problem}");
    }
    let found = problems(&good.0, &other, None);
    assert!(found.len() == 1 && found[0].contains(&other), "another's key: {found:?}");
    let tls = Tls::open(good.0.into(), good.1.into(), None).expect("they belong together");
    folder.file("cert.pem", "");
    tls.files().look_again();
    assert!(!*tls.files().is_sound().borrow(), "the last good one stays, and somebody is told");
}
