//! Pages of `docs/` that are written from `proto/`.

use std::{env, fs};

use crate::root;

/// Set: pages are written. Else they are compared with what is committed.
const WRITE: &str = "WRITE_DOCS";

/// Holds a page to what `proto/` says.
pub fn hold(path: &str, text: &str) {
    let file = root().join(path);
    if writing() {
        fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(&file, text).expect("the page can be written");
        return;
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).position(|(is, should)| is != should);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(text.lines().count())) + 1;
    assert!(committed == text, "{path} is not what proto/ says, from line {line} on: run `make docs` and commit it");
}

/// Holds a folder to these pages: no other is in it.
pub fn hold_folder(path: &str, pages: &[String]) {
    for entry in fs::read_dir(root().join(path)).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if pages.contains(&name) {
            continue;
        }
        assert!(writing(), "{path}/{name} is of nothing in proto/: run `make docs` and commit its end");
        fs::remove_file(entry.path()).expect("the page can be removed");
    }
}

fn writing() -> bool {
    env::var_os(WRITE).is_some()
}
