//! A filter in pieces: words, texts in quotes, signs and brackets, each with its column.

use super::Fault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub piece: Piece,
    /// Its first character: 1, 2, 3, ….
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A name, a number, a date, a value: whatever stands without quotes.
    Word(String),
    /// What stood between quotes.
    Quoted(String),
    Sign(Sign),
    Open,
    Close,
}

/// How a field stands to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    /// `:`
    Has,
}

impl Sign {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Has => ":",
        }
    }
}

/// Takes a text apart, or says where it cannot be.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut rest = text.chars().zip(1..).peekable();
    let mut tokens = Vec::new();
    while let Some((character, column)) = rest.next() {
        let mut followed_by_equal = || rest.next_if(|(next, _)| *next == '=').is_some();
        let piece = match character {
            ' ' | '\t' | '\r' | '\n' | '\u{a0}' | '\u{202f}' => continue,
            '(' => Piece::Open,
            ')' => Piece::Close,
            '=' => Piece::Sign(Sign::Equal),
            ':' => Piece::Sign(Sign::Has),
            '<' if followed_by_equal() => Piece::Sign(Sign::AtMost),
            '<' => Piece::Sign(Sign::Less),
            '>' if followed_by_equal() => Piece::Sign(Sign::AtLeast),
            '>' => Piece::Sign(Sign::More),
            '!' if followed_by_equal() => Piece::Sign(Sign::NotEqual),
            '"' | '\'' => Piece::Quoted(quoted(&mut rest, character, column)?),
            '“' | '”' | '«' | '»' | '‘' | '’' => {
                let problem =
                    ("texts stand between straight quotes, \"\"", "les textes vont entre guillemets droits, \"\"");
                return Err(Fault::new(column, problem));
            }
            '!' | ',' | ';' => {
                let problem =
                    (format!("`{character}` means nothing here"), format!("`{character}` n’a pas de sens ici"));
                return Err(Fault::new(column, problem));
            }
            first => {
                let mut word = String::from(lawful(first, column)?);
                while let Some((next, column)) = rest.next_if(|(next, _)| continues(*next)) {
                    word.push(lawful(next, column)?);
                }
                Piece::Word(word)
            }
        };
        tokens.push(Token { piece, column });
    }
    Ok(tokens)
}

/// Whether a character goes on with a word.
fn continues(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, '(' | ')' | '=' | ':' | '<' | '>' | '!' | ',' | ';' | '"' | '\'')
}

fn quoted(rest: &mut impl Iterator<Item = (char, usize)>, quote: char, column: usize) -> Result<String, Fault> {
    let mut text = String::new();
    while let Some((character, place)) = rest.next() {
        match character {
            _ if character == quote => return Ok(text),
            '\\' => {
                let Some((escaped @ ('"' | '\'' | '\\'), _)) = rest.next() else {
                    let problem =
                        ("after `\\` stands a quote or another `\\`", "après `\\` vient un guillemet ou un autre `\\`");
                    return Err(Fault::new(place, problem));
                };
                text.push(escaped);
            }
            _ => text.push(lawful(character, place)?),
        }
    }
    Err(Fault::new(column, ("this quote is not closed", "ce guillemet n’est pas fermé")))
}

fn lawful(character: char, column: usize) -> Result<char, Fault> {
    if character.is_control() {
        let problem = ("there is a control character", "il y a un caractère de commande");
        return Err(Fault::new(column, problem));
    }
    Ok(character)
}
