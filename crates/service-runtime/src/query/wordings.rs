//! What columns hold of values so that filters find them: texts whatever the case, the accents and the apostrophes,
//! dates whatever is known of them.

use contracts::toguna::r#type::v1 as types;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// What a column of [`Kind::Words`](super::Kind::Words) holds of a text: its wordings in plain letters, each between
/// line breaks; empty where there is none.
pub fn wordings(text: Option<&types::LocalizedText>) -> String {
    let Some(text) = text else { return String::new() };
    let wordings = [&text.fr, &text.en].into_iter().flatten();
    wordings.flat_map(|wording| ["\n".to_owned(), plain(&wording.text), "\n".to_owned()]).collect()
}

/// What a column of [`Kind::Date`](super::Kind::Date) holds of a date: the first day that it may mean, as
/// `2024-05-31`; empty where there is none.
pub fn first_day(date: Option<&types::Date>) -> String {
    let date = date.and_then(|date| event_store::date_from_proto(date).ok());
    date.map(|date| date.earliest().to_string()).unwrap_or_default()
}

/// A text in small letters, without accents, with straight apostrophes.
pub(super) fn plain(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    letters.flat_map(char::to_lowercase).map(|letter| if letter == '’' { '\'' } else { letter }).collect()
}
