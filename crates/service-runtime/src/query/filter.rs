//! From a filter to a condition:
//!
//! ```text
//! filter      = [ all ]
//! all         = any { "AND" any }
//! any         = one { "OR" one }
//! one         = [ "NOT" | "-" ] ( "(" all ")" | field sign value )
//! ```
//!
//! As in AIP-160, `OR` binds tighter than `AND`.

use event_store::Condition;

use super::{
    Fault, Table,
    restriction::restriction,
    shown,
    tokens::{Piece, Token, tokens},
};

/// Characters of a filter at most.
const MAX_LENGTH: usize = 2000;
/// Restrictions of a filter at most.
const MAX_RESTRICTIONS: usize = 50;
/// How deep brackets may stand in brackets.
const MAX_DEPTH: usize = 20;

/// Reads a filter, or says all that is wrong with it: with its words everywhere, with its form up to the first fault.
pub(super) fn read(table: &Table, text: &str) -> Result<Condition, Vec<Fault>> {
    if text.chars().nth(MAX_LENGTH).is_some() {
        let problem = (
            format!("a filter has at most {MAX_LENGTH} characters"),
            format!("un filtre compte au plus {MAX_LENGTH} caractères"),
        );
        return Err(vec![Fault::new(MAX_LENGTH + 1, problem)]);
    }
    let tokens = tokens(text).map_err(|fault| vec![fault])?;
    let end = text.chars().count() + 1;
    let mut reading = Reading { table, tokens: &tokens, end, restrictions: 0, depth: 0, faults: Vec::new() };
    let read = if tokens.is_empty() { Ok(Condition::All(Vec::new())) } else { reading.whole() };
    match read {
        Ok(condition) if reading.faults.is_empty() => Ok(condition),
        Ok(_) => Err(reading.faults),
        Err(fault) => {
            reading.faults.push(fault);
            Err(reading.faults)
        }
    }
}

struct Reading<'a> {
    table: &'a Table,
    tokens: &'a [Token],
    /// The column after the last.
    end: usize,
    restrictions: usize,
    depth: usize,
    /// What is wrong with the words; the form is sound so far.
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    fn whole(&mut self) -> Result<Condition, Fault> {
        let condition = self.all()?;
        match self.tokens.first() {
            None => Ok(condition),
            Some(Token { piece: Piece::Close, column }) => {
                Err(Fault::new(*column, ("this bracket was not opened", "cette parenthèse n’a pas été ouverte")))
            }
            Some(token) => Err(Self::not_joined(token)),
        }
    }

    fn all(&mut self) -> Result<Condition, Fault> {
        let mut all = vec![self.any()?];
        while self.takes_word("AND") {
            all.push(self.any()?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn any(&mut self) -> Result<Condition, Fault> {
        let mut any = vec![self.one()?];
        while self.takes_word("OR") {
            any.push(self.one()?);
        }
        Ok(one_or(any, Condition::Any))
    }

    fn one(&mut self) -> Result<Condition, Fault> {
        if self.takes_word("NOT") || self.takes_word("-") {
            return Ok(Condition::Not(Box::new(self.affirmed(None)?)));
        }
        if let Some((Token { piece: Piece::Word(word), column }, _)) = self.tokens.split_first()
            && let Some(word) = word.strip_prefix('-')
        {
            let denied = Token { piece: Piece::Word(word.to_owned()), column: column + 1 };
            return Ok(Condition::Not(Box::new(self.affirmed(Some(&denied))?)));
        }
        self.affirmed(None)
    }

    /// What may stand after `NOT`; `instead` stands for the next piece.
    fn affirmed(&mut self, instead: Option<&Token>) -> Result<Condition, Fault> {
        let column = self.column();
        let next = self.next();
        let Token { piece, column } = instead
            .or(next)
            .ok_or_else(|| Fault::new(column, ("a field is missing here", "il manque un champ ici")))?;
        match piece {
            Piece::Open => self.bracketed(*column),
            Piece::Word(word) => self.restriction(word, *column),
            Piece::Quoted(_) | Piece::Sign(_) | Piece::Close => Err(Fault::new(
                *column,
                ("a field is missing here, as in `name = \"x\"`", "il manque un champ ici, comme dans `name = \"x\"`"),
            )),
        }
    }

    fn bracketed(&mut self, opened: usize) -> Result<Condition, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let problem = (
                format!("brackets stand at most {MAX_DEPTH} deep"),
                format!("les parenthèses s’emboîtent sur {MAX_DEPTH} niveaux au plus"),
            );
            return Err(Fault::new(opened, problem));
        }
        let condition = self.all()?;
        self.depth -= 1;
        match self.tokens.first() {
            Some(Token { piece: Piece::Close, .. }) => {
                self.next();
                Ok(condition)
            }
            Some(token) => Err(Self::not_joined(token)),
            None => Err(Fault::new(opened, ("this bracket is not closed", "cette parenthèse n’est pas fermée"))),
        }
    }

    fn restriction(&mut self, field: &str, column: usize) -> Result<Condition, Fault> {
        self.restrictions += 1;
        if self.restrictions > MAX_RESTRICTIONS {
            let problem = (
                format!("a filter compares at most {MAX_RESTRICTIONS} times"),
                format!("un filtre compte au plus {MAX_RESTRICTIONS} comparaisons"),
            );
            return Err(Fault::new(column, problem));
        }
        let after = self.column();
        let Some(Token { piece: Piece::Sign(sign), column: at }) = self.tokens.first() else {
            let field = shown(field);
            let problem = (
                format!("after `{field}` one of `=`, `!=`, `<`, `<=`, `>`, `>=` and `:` is missing"),
                format!("après `{field}`, il manque un des signes `=`, `!=`, `<`, `<=`, `>`, `>=` et `:`"),
            );
            return Err(Fault::new(after, problem));
        };
        self.next();
        let after = self.column();
        let Some(value @ Token { piece: Piece::Word(_) | Piece::Quoted(_), .. }) = self.next() else {
            let sign = sign.as_str();
            let problem =
                (format!("a value is missing after `{sign}`"), format!("il manque une valeur après `{sign}`"));
            return Err(Fault::new(after, problem));
        };
        let read = self.table.field(field, column).and_then(|field| restriction(field, (*sign, *at), value));
        // What the words mean is of no concern to what comes after.
        Ok(read.unwrap_or_else(|fault| {
            self.faults.push(fault);
            Condition::All(Vec::new())
        }))
    }

    fn not_joined(token: &Token) -> Fault {
        let written = match &token.piece {
            Piece::Word(word) | Piece::Quoted(word) => shown(word),
            Piece::Sign(sign) => sign.as_str().to_owned(),
            Piece::Open => "(".to_owned(),
            Piece::Close => ")".to_owned(),
        };
        let problem = match written.to_ascii_uppercase() {
            word if ["AND", "OR"].contains(&word.as_str()) => {
                (format!("`{written}` is written `{word}`"), format!("`{written}` s’écrit `{word}`"))
            }
            _ => (
                format!("before `{written}`, `AND` or `OR` is missing"),
                format!("devant `{written}`, il manque `AND` ou `OR`"),
            ),
        };
        Fault::new(token.column, problem)
    }

    fn takes_word(&mut self, expected: &str) -> bool {
        let takes = matches!(self.tokens.first(), Some(Token { piece: Piece::Word(word), .. }) if word == expected);
        if takes {
            self.next();
        }
        takes
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn column(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.column)
    }
}

fn one_or(mut conditions: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => several(conditions),
    }
}
