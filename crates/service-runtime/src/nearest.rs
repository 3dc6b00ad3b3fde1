//! "Did you mean …?"

/// How far a misspelt name may lie from what was meant.
const NEAR: usize = 3;
/// Characters of what was written that are looked at.
const LONGEST: usize = 80;

/// What was meant by a misspelt name, whatever its case and underscores.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let written = plain(&written.chars().take(LONGEST).collect::<String>());
    let distant = names.map(|name| (strsim::osa_distance(&written, &plain(name)), name));
    let (distance, name) = distant.min()?;
    (distance <= NEAR && distance * 2 < name.len()).then_some(name)
}
