//! French as it is set: a narrow no-break space before `;`, `:`, `!` and `?` and inside of guillemets, the apostrophe
//! `’`, the ellipsis `…`. Held for every French text of `proto/`, of the programs and of `docs/`.

use std::{fs, path::Path};

use contracts::reasons::REASONS;

use crate::{none, root};

const NARROW: char = '\u{202f}';
const NO_BREAK: char = '\u{a0}';

/// What is wrong with a text; what stands between backticks is no French.
pub fn faults(text: &str) -> Vec<String> {
    let text = without_code(text);
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for (at, &char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map_or('\n', |before| chars[before]);
        // A sign that stands alone, as in a legend, follows no word.
        let word_before_space = at.checked_sub(2).is_some_and(|before| follows_word(chars[before]));
        let after = chars.get(at + 1).copied().unwrap_or('\n');
        let ends = after.is_whitespace() || ")]»,.*".contains(after);
        let wrong = match char {
            ';' | ':' | '!' | '?' if before == ' ' && word_before_space => "an ordinary space before it",
            ';' | ':' | '!' | '?' if ends && follows_word(before) => "no space before it",
            '«' if ![NARROW, NO_BREAK].contains(&after) => "no no-break space after it",
            '»' if ![NARROW, NO_BREAK].contains(&before) => "no no-break space before it",
            '\'' if before.is_alphabetic() && after.is_alphabetic() => "should be ’",
            '"' if before.is_alphabetic() || after.is_alphabetic() => "should be « or »",
            '.' if before == '.' && after == '.' => "should be …",
            '%' if before == ' ' => "an ordinary space before it",
            _ => continue,
        };
        let around: String = chars[at.saturating_sub(25)..chars.len().min(at + 10)].iter().collect();
        found.push(format!("{char} {wrong}: …{}…", around.replace('\n', " ")));
    }
    found
}

/// Whether a punctuation mark after this belongs to a word.
fn follows_word(before: char) -> bool {
    before.is_alphanumeric() || "’)]»…%}".contains(before)
}

/// Fenced blocks, code between backticks and targets of links become a letter.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line);
        }
    }
    let text = lines.join("\n");
    let code: Vec<&str> = text.split('`').collect();
    let words = code.iter().enumerate().map(|(index, part)| if index % 2 == 0 { part } else { "x" });
    let text: String = words.collect();
    let before_targets: Vec<&str> = text.split("](").collect();
    let rest = before_targets.iter().skip(1).map(|part| part.split_once(')').map_or("", |(_, rest)| rest));
    before_targets.iter().take(1).copied().chain(rest).collect()
}

#[test]
fn faults_are_found() {
    for wrong in [
        "Une chose : une autre",
        "Une chose; une autre",
        "Quoi?",
        "Quoi !",
        "« mot »",
        "«mot»",
        "l'accord",
        "\"mot\"",
        "etc...",
        "50 %",
    ] {
        assert!(!faults(wrong).is_empty(), "{wrong}");
    }
    for right in [
        "Une chose\u{202f}: une autre\u{202f}; une troisième",
        "«\u{202f}mot\u{202f}»",
        "l’accord de 12:30, `a: b`, http://x",
        "Voir [ceci](a:b?c).\n```\na : b\n```\n",
        "{resource} n’existe pas.",
    ] {
        assert_eq!(faults(right), [""; 0], "{right}");
    }
}

#[test]
fn the_texts_of_refusals_are_well_set() {
    let found = REASONS.iter().flat_map(|reason| {
        faults(reason.fr).into_iter().map(|fault| format!("{}.{}: {fault}", reason.package, reason.name))
    });
    none("French that is not well set", &found.collect::<Vec<_>>());
}

#[test]
fn the_english_texts_of_refusals_have_no_typewriter_apostrophes() {
    let found = REASONS.iter().filter(|reason| without_code(reason.en).contains('\''));
    none("English that is not well set", &found.map(|reason| reason.name.to_owned()).collect::<Vec<_>>());
}

#[test]
fn the_french_pages_are_well_set() {
    let mut pages = files(&root().join("docs"), ".fr.md");
    pages.push(root().join("README.fr.md").to_string_lossy().into_owned());
    assert!(pages.len() > 2, "the pages were looked for in the wrong place");
    none("French that is not well set", &faults_in(&pages, |text| vec![text.to_owned()]));
}

#[test]
fn the_french_words_of_the_programs_are_well_set() {
    let lists = files(&root().join("crates"), ".toml").into_iter().filter(|path| path.ends_with("french.toml"));
    let code = files(&root().join("crates"), ".rs").into_iter().filter(|path| !is_test(path));
    let policies = files(&root().join("deploy"), ".cedar").into_iter();
    let all: Vec<String> = lists.chain(code).chain(policies).collect();
    assert!(all.len() > 100, "the programs were looked for in the wrong place");
    none(
        "French that is not well set",
        &faults_in(&all, |text| literals(text).into_iter().filter(|it| is_french(it)).collect()),
    );
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn faults_in(paths: &[String], texts: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let content = fs::read_to_string(path).expect("text");
        let name = Path::new(path).strip_prefix(root()).expect("below the root").display().to_string();
        for text in texts(&content) {
            found.extend(faults(&text).into_iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    found
}

fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}

/// The texts between double quotes, as a program sees them: of code, word lists and policies.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    rest = rest.replace("'\"'", "' '").replace("\\\\", " ").replace("\\\"", "”");
    for (index, text) in rest.split('"').enumerate().filter(|(index, _)| index % 2 == 1) {
        debug_assert!(index > 0);
        let text = text.replace("\\u{202f}", "\u{202f}").replace("\\u{a0}", "\u{a0}").replace("\\n", "\n");
        found.push(text);
    }
    found
}

/// Whether a text is French, by its letters and its little words.
fn is_french(text: &str) -> bool {
    let little = [" le ", " la ", " les ", " des ", " du ", " une ", " est ", " pas ", " et ", " ou "];
    text.contains(['é', 'è', 'ê', 'à', 'ç', 'ù', 'û', 'ô', 'î', 'œ']) || little.iter().any(|word| text.contains(word))
}
