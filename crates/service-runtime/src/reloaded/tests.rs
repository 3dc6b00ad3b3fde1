use std::path::PathBuf;

use super::*;
use crate::testing::Folder;

/// The number in a file.
fn number(path: PathBuf) -> Reloaded<u32> {
    let read = move |files: &mut Files| {
        let text = files.text(&path).map_err(|problem| vec![problem])?;
        text.trim().parse().map_err(|_| vec!["no number".to_owned()])
    };
    Reloaded::open("the number", read).expect("the file holds a number")
}

#[test]
fn what_changes_is_followed_and_what_breaks_is_not() {
    let folder = Folder::new("reloaded");
    let path = PathBuf::from(folder.file("number", "1"));
    let number = number(path.clone());
    let sound = number.is_sound();
    let after = |text: &str| {
        folder.file("number", text);
        number.look_again();
        (*number.current(), *sound.borrow())
    };
    assert_eq!(after("1"), (1, true));
    assert_eq!(after("2"), (2, true));
    assert_eq!(after("two"), (2, false), "what was said before holds");
    assert_eq!(after("2"), (2, true), "it is as it was");
    fs::remove_file(&path).expect("it is there");
    number.look_again();
    assert_eq!((*number.current(), *sound.borrow()), (2, false));
    assert_eq!(after("3"), (3, true));
}

#[test]
fn what_did_not_change_is_not_made_again() {
    let folder = Folder::new("unchanged");
    let number = number(folder.file("number", "1").into());
    let first = number.current();
    number.look_again();
    assert!(Arc::ptr_eq(&first, &number.current()));
}
