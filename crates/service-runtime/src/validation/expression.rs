//! The part of the Common Expression Language that the rules of `proto/` are written in. Where a rule needs more, this
//! says so when the program starts, and the tests before that.

/// What an expression asks of a message's own fields, or of the fields of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Names from the message to the field.
    pub path: Vec<String>,
    /// What is asked of it.
    pub what: Asked,
}

/// What one comparison asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is set.
    Presence,
    /// It is a text of at most so many characters.
    MaxLen(u64),
    /// It compares so to a number.
    Comparison(Comparison, i128),
}

/// How a number compares to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `!=`
    Other,
}

impl Comparison {
    pub fn holds(self, number: i128, limit: i128) -> bool {
        match self {
            Self::More => number > limit,
            Self::AtLeast => number >= limit,
            Self::Less => number < limit,
            Self::AtMost => number <= limit,
            Self::Other => number != limit,
        }
    }
}

/// The pattern that `this.matches(…)` asks for, of pieces joined by `+`: raw texts, texts, and what the rule was set to.
pub fn pattern(expression: &str, rule: &str) -> Option<String> {
    let pieces = expression.strip_prefix("this.matches(")?.strip_suffix(')')?.split(" + ");
    let quoted = |piece: &str| Some(piece.strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
    let piece = |piece: &str| match piece {
        "rule" => Some(rule.to_owned()),
        raw if raw.starts_with('r') => quoted(&raw[1..]),
        // A backslash would mean something else than in a raw text.
        plain => quoted(plain).filter(|text| !text.contains('\\')),
    };
    pieces.map(piece).collect()
}

/// Everything that `… && …` asks for.
pub fn demands(expression: &str) -> Option<Vec<Demand>> {
    expression.split(" && ").map(demand).collect()
}

/// The fields of which `has(this.a) || has(this.b)` asks for one.
pub fn any_of(expression: &str) -> Option<Vec<String>> {
    let one = |part| match demand(part)? {
        Demand { mut path, what: Asked::Presence } if path.len() == 1 => path.pop(),
        _ => None,
    };
    expression.split(" || ").map(one).collect()
}

fn demand(expression: &str) -> Option<Demand> {
    if let Some(field) = expression.strip_prefix("has(").and_then(|rest| rest.strip_suffix(')')) {
        return Some(Demand { path: path(field)?, what: Asked::Presence });
    }
    let [field, sign, number] = expression.split(' ').collect::<Vec<_>>()[..] else { return None };
    if let Some(text) = field.strip_suffix(".size()") {
        let what = Asked::MaxLen(number.parse().ok().filter(|_| sign == "<=")?);
        return Some(Demand { path: path(text)?, what });
    }
    let comparison = match sign {
        ">" => Comparison::More,
        ">=" => Comparison::AtLeast,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        "!=" => Comparison::Other,
        _ => return None,
    };
    Some(Demand { path: path(field)?, what: Asked::Comparison(comparison, number.parse().ok()?) })
}

fn path(text: &str) -> Option<Vec<String>> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let names: Vec<&str> = text.strip_prefix("this.")?.split('.').collect();
    names.iter().all(|name| is_name(name)).then(|| names.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_put_together() {
        assert_eq!(pattern(r"this.matches(r'^a\d$')", "").as_deref(), Some(r"^a\d$"));
        assert_eq!(pattern("this.matches('^(' + rule + r')/x$')", "a|b").as_deref(), Some("^(a|b)/x$"));
        for unknown in ["this == ''", "this.matches(rule.x)", "this.matches(r'a') || true", r"this.matches('\\d')"] {
            assert_eq!(pattern(unknown, "a"), None, "{unknown}");
        }
    }

    #[test]
    fn demands_are_read() {
        let read = demands("has(this.start) && this.fr.text.size() <= 300 && this.minor_units != -1").expect("known");
        let said: Vec<_> = read.iter().map(|demand| (demand.path.join("."), &demand.what)).collect();
        assert_eq!(said[0], ("start".to_owned(), &Asked::Presence));
        assert_eq!(said[1], ("fr.text".to_owned(), &Asked::MaxLen(300)));
        assert_eq!(said[2], ("minor_units".to_owned(), &Asked::Comparison(Comparison::Other, -1)));
        assert_eq!(any_of("has(this.fr) || has(this.en)"), Some(vec!["fr".to_owned(), "en".to_owned()]));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for unknown in
            ["", "true", "this.a", "this.a == 1", "this.a.size() >= 1", "a > 1", "this.a > b", "this.a() > 1"]
        {
            assert_eq!(demands(unknown), None, "{unknown}");
        }
        assert_eq!(any_of("has(this.a) || this.b > 1"), None);
        assert_eq!(any_of("has(this.a.b)"), None);
    }
}
