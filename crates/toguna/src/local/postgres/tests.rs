use super::*;

#[test]
fn another_database_of_the_same_server_keeps_login_and_options() {
    let other = in_database("postgres://me:secret@127.0.0.1:5432/postgres?sslmode=disable", "toguna_oversight");
    assert_eq!(other.expect("an address"), "postgres://me:secret@127.0.0.1:5432/toguna_oversight?sslmode=disable");
    assert_eq!(in_database("postgres://db", "other").expect("an address"), "postgres://db/other");
    assert!(in_database("db", "other").is_err());
}

#[test]
fn a_password_is_kept_from_the_arguments() {
    let (url, password) = without_password("postgres://me:se%40cret@127.0.0.1:5432/postgres");
    assert_eq!((url.as_str(), password.as_deref()), ("postgres://me@127.0.0.1:5432/postgres", Some("se@cret")));
    let without = "postgres://127.0.0.1:5432/postgres?user=me";
    assert_eq!(without_password(without), (without.to_owned(), None));
}
