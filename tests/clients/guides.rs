//! What the guides show is what is run: every piece of a program in them stands so in the program.

use std::fs;

use super::root;

/// Languages of pieces that are shown, with the folders of the programs that they are from.
const PROGRAMS: [(&str, &[&str]); 4] = [
    ("python", &["python"]),
    ("typescript", &["typescript"]),
    ("java", &["java"]),
    ("sh", &["python", "typescript", "java", "shell"]),
];

#[test]
fn every_piece_of_a_program_that_the_guides_show_stands_so_in_the_program() {
    let pieces = |page: &str| -> Vec<(String, String)> {
        let page = fs::read_to_string(root().join("docs").join(page)).expect("a guide");
        let blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
        blocks.map(|(language, piece)| (language.to_owned(), piece.to_owned())).collect()
    };
    let (english, french) = (pieces("clients.md"), pieces("clients.fr.md"));
    assert!(english.len() > 10, "the pieces were looked for in the wrong place");
    assert_eq!(english, french, "both languages show the same");
    for (language, piece) in &english {
        let Some((_, folders)) = PROGRAMS.iter().find(|(known, _)| known == language) else { continue };
        let stands = folders.iter().any(|folder| {
            let files = fs::read_dir(root().join("tests/clients").join(folder)).expect("a folder");
            let mut texts = files.filter_map(|file| fs::read_to_string(file.expect("a file").path()).ok());
            texts.any(|text| holds(&text, piece))
        });
        assert!(stands, "no program of {folders:?} has this:\n{piece}");
    }
}

/// Whether the lines of a piece stand one after another in a text, all of them as far to the right as the first.
fn holds(text: &str, piece: &str) -> bool {
    let (lines, piece): (Vec<&str>, Vec<&str>) = (text.lines().collect(), piece.lines().collect());
    lines.windows(piece.len()).any(|lines| {
        let indent = lines[0].len() - lines[0].trim_start().len();
        let shifted = |line: &&str| line.get(indent..).unwrap_or_default().to_owned();
        lines.iter().map(shifted).eq(piece.iter().map(|line| (*line).to_owned()))
    })
}
