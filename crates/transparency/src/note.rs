//! Signed notes (C2SP signed-note): a text that people can read, and under it lines of those who sign it.
//!
//! ```text
//! <text, each line ending in a newline>
//!
//! — <name of the key> <base64 of key id and signature>
//! ```

use std::{fmt, str};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::VerifierKey;

/// Bytes of a note at most.
pub const MAX_NOTE_BYTES: usize = 1 << 20;
/// Signature lines of a note at most.
pub const MAX_SIGNATURES: usize = 100;
const LINE_BEGIN: &str = "\u{2014} ";

/// A text with signature lines, whoever they are of: whether they are right is told by [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

/// Why something is no note, or not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE_BYTES`], or with more lines than [`MAX_SIGNATURES`].
    #[error("too long for a note")]
    TooLong,
    /// Not UTF-8, or with control characters in it.
    #[error("a note is text without control characters")]
    NotText,
    /// No empty line, or nothing before or after it.
    #[error("a note is a text, an empty line and signature lines")]
    NoSignatures,
    /// A line that is no signature.
    #[error("signature line {0} is none")]
    Line(usize),
    /// A known key's line does not fit the text.
    #[error("the signature of {0} does not hold")]
    Wrong(String),
    /// No line is of a known key.
    #[error("it is signed by nobody who is known")]
    Unknown,
}

impl SignatureLine {
    /// A line of a key for a signature that it made.
    pub(crate) fn new(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), key_id: key.id(), signature }
    }

    /// Reads one line, without the newline.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_BEGIN)?.split_once(' ')?;
        if !is_key_name(name) {
            return None;
        }
        let bytes = BASE64_STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (!signature.is_empty()).then(|| Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }

    /// The name of the key that it says it is of.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of that key.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What follows the key's id: for a cosignature, the time and the signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// `— name base64`, without a newline.
impl fmt::Display for SignatureLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(formatter, "{LINE_BEGIN}{} {}", self.name, BASE64_STANDARD.encode(bytes))
    }
}

impl Note {
    /// A text that nobody has signed yet. It ends in a newline and has no control character but that one.
    pub fn unsigned(text: String) -> Result<Self, NoteError> {
        check_text(&text)?;
        Ok(Self { text, lines: Vec::new() })
    }

    /// Reads a note with at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        let whole = str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        // The text may have empty lines of its own: the last one is what separates.
        let end = whole.rfind("\n\n").ok_or(NoteError::NoSignatures)? + 1;
        let (text, signatures) = (&whole[..end], &whole[end + 1..]);
        check_text(text)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        if signatures.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        let lines = signatures.split('\n').zip(1..);
        let lines = lines.map(|(line, number)| SignatureLine::parse(line).ok_or(NoteError::Line(number)));
        Ok(Self { text: text.to_owned(), lines: lines.collect::<Result<_, _>>()? })
    }

    /// The text, with the newline at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// Adds a line behind the others; where the same key has one, in its place.
    pub fn add(&mut self, line: SignatureLine) {
        match self.lines.iter_mut().find(|known| (&known.name, known.key_id) == (&line.name, line.key_id)) {
            Some(known) => *known = line,
            None => self.lines.push(line),
        }
    }

    /// The same text with those lines only that a test lets through.
    #[must_use]
    pub fn with_lines(&self, keep: impl Fn(&SignatureLine) -> bool) -> Self {
        Self { text: self.text.clone(), lines: self.lines.iter().filter(|line| keep(line)).cloned().collect() }
    }

    /// The lines that known keys have signed, each with its key. Lines of unknown keys are passed over; a line of a
    /// known one that does not hold refuses the note, and so does a note without any of a known one.
    pub fn verify<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<(&'a VerifierKey, &SignatureLine)>, NoteError> {
        let mut held: Vec<(&VerifierKey, &SignatureLine)> = Vec::new();
        for line in &self.lines {
            let Some(key) = keys.iter().find(|key| (key.name(), key.id()) == (line.name(), line.key_id)) else {
                continue;
            };
            if !key.verifies(&self.text, line.signature()) {
                return Err(NoteError::Wrong(line.name.clone()));
            }
            if !held.iter().any(|(known, _)| *known == key) {
                held.push((key, line));
            }
        }
        if held.is_empty() { Err(NoteError::Unknown) } else { Ok(held) }
    }
}

/// The note as it is sent and kept.
impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE_BYTES {
        return Err(NoteError::TooLong);
    }
    if !text.ends_with('\n') || text.chars().any(|it| it < ' ' && it != '\n') {
        return Err(NoteError::NotText);
    }
    Ok(())
}

/// Whether a key can be called so: no space and no `+` in it, and short enough to stand before a byte of its length.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.chars().any(|it| it.is_whitespace() || it.is_control() || it == '+')
}

#[cfg(test)]
mod tests;
