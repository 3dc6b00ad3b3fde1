//! Which rows must wait for which: those of one resource keep their order, and a row that speaks of a resource waits
//! for the rows before it that act on that resource, and they on it.

use std::collections::BTreeMap;

use super::rows::Row;

/// For each row the rows before it that must have their answer first; nearer ones stand for those that they wait for.
pub fn before(rows: &[&Row]) -> Vec<Vec<usize>> {
    /// What the rows so far did with a resource: the last that acts on it, and those since that speak of it.
    #[derive(Default)]
    struct Touched {
        acted: Option<usize>,
        spoken: Vec<usize>,
    }
    let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
    let mut before = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let target = row.resource();
        let mut first = Vec::new();
        for name in row.mentioned() {
            let known = touched.entry(name.clone()).or_default();
            first.extend(known.acted);
            if name == target {
                first.append(&mut known.spoken);
                known.acted = Some(index);
            } else {
                known.spoken.push(index);
            }
        }
        first.sort_unstable();
        first.dedup();
        before.push(first);
    }
    before
}

#[cfg(test)]
mod tests;
