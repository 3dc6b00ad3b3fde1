//! Rows of the log in Postgres's binary copy format: what comes are the stored bytes themselves, cut out of what the
//! socket gave without a copy of each.

use bytes::{Buf as _, Bytes};
use futures::TryStreamExt as _;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};

use crate::{StoreError, StoredEvent};

/// What every copy begins with; two integers of 32 bits follow: flags, and the length of an extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Columns of each row: position and record.
const COLUMNS: i16 = 2;
/// In place of the number of columns: there are no more rows.
const END: i16 = -1;

/// Events that follow one another.
pub(super) struct Rows {
    /// In order of position.
    pub events: Vec<StoredEvent>,
    /// More were there than their bytes allowed.
    pub cut: bool,
}

/// So many events from a position on, fewer where their records would hold more bytes together, but the first one
/// whatever its size. Rows that are left over are read and forgotten: the memory held is that of the answer.
pub(super) async fn rows(pool: &PgPool, from: u64, events: usize, bytes: usize) -> Result<Rows, StoreError> {
    // Positions beyond are no numbers of Postgres.
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    // A copy takes no parameters; these are numbers.
    let statement = format!(
        "COPY (SELECT position, record FROM events WHERE position >= {from} ORDER BY position LIMIT {events})
         TO STDOUT (FORMAT binary)"
    );
    let mut borrowed = Borrowed::from(pool.acquire().await?);
    let rows = read(borrowed.connection(), &statement, bytes).await?;
    borrowed.give_back();
    Ok(rows)
}

async fn read(connection: &mut PgConnection, statement: &str, bytes: usize) -> Result<Rows, StoreError> {
    let mut copy = connection.copy_out_raw(statement).await?;
    let mut rows = Rows { events: Vec::new(), cut: false };
    let (mut begun, mut held) = (false, 0);
    while let Some(mut piece) = copy.try_next().await? {
        if !begun {
            header(&mut piece)?;
            begun = true;
        }
        while let Some(event) = row(&mut piece)? {
            held += event.record.len();
            rows.cut |= held > bytes && !rows.events.is_empty();
            if !rows.cut {
                rows.events.push(event);
            }
        }
    }
    Ok(rows)
}

fn header(piece: &mut Bytes) -> Result<(), StoreError> {
    if !piece.starts_with(SIGNATURE) || piece.len() < SIGNATURE.len() + 8 {
        return Err(malformed());
    }
    piece.advance(SIGNATURE.len() + 4);
    let extension = usize::try_from(piece.get_u32()).unwrap_or(usize::MAX);
    if extension > piece.len() {
        return Err(malformed());
    }
    piece.advance(extension);
    Ok(())
}

/// The next row of a piece, which holds whole rows; `None`: it is used up, or says that there are no more.
fn row(piece: &mut Bytes) -> Result<Option<StoredEvent>, StoreError> {
    /// Number of columns, the first one with its length, the length of the second.
    const BEFORE_RECORD: usize = 2 + 4 + 8 + 4;
    if piece.is_empty() {
        return Ok(None);
    }
    let columns = piece.try_get_i16().map_err(|_| malformed())?;
    if columns == END {
        return Ok(None);
    }
    if columns != COLUMNS || piece.len() < BEFORE_RECORD - 2 || piece.get_i32() != 8 {
        return Err(malformed());
    }
    let position = piece.get_u64();
    let length = usize::try_from(piece.get_i32()).map_err(|_| malformed())?;
    if length > piece.len() {
        return Err(malformed());
    }
    Ok(Some(StoredEvent { position, record: piece.split_to(length) }))
}

fn malformed() -> StoreError {
    StoreError::Database(sqlx::Error::Protocol("a copy of the log is not in the binary format".to_owned()))
}

/// A connection of the pool that goes back to it only after the whole answer was read: what a caller who went away left
/// unread would be taken for the answer to the next question.
struct Borrowed(Option<PoolConnection<Postgres>>);

impl From<PoolConnection<Postgres>> for Borrowed {
    fn from(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }
}

impl Borrowed {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until given back")
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(rows: &[(u64, &[u8])]) -> Vec<u8> {
        let mut bytes = [SIGNATURE, &[0; 8]].concat();
        for (position, record) in rows {
            let length = u32::try_from(record.len()).expect("short");
            bytes.extend_from_slice(&COLUMNS.to_be_bytes());
            bytes.extend_from_slice(&8_u32.to_be_bytes());
            bytes.extend_from_slice(&position.to_be_bytes());
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(record);
        }
        bytes.extend_from_slice(&END.to_be_bytes());
        bytes
    }

    #[test]
    fn rows_are_cut_out_of_the_bytes_that_came() {
        let mut piece = Bytes::from(copy(&[(1, b"one"), (2, b""), (3, b"three")]));
        header(&mut piece).expect("a header");
        let mut events = Vec::new();
        while let Some(event) = row(&mut piece).expect("a row") {
            events.push((event.position, event.record));
        }
        assert_eq!(events, [(1, "one".into()), (2, Bytes::new()), (3, "three".into())]);
    }

    #[test]
    fn what_is_cut_short_is_no_row_and_breaks_nothing() {
        let whole = copy(&[(7, b"seven")]);
        for end in 0..SIGNATURE.len() + 8 {
            assert!(header(&mut Bytes::copy_from_slice(&whole[..end])).is_err(), "{end}");
        }
        let row_only = &whole[SIGNATURE.len() + 8..whole.len() - 2];
        for end in 1..row_only.len() {
            assert!(row(&mut Bytes::copy_from_slice(&row_only[..end])).is_err(), "{end}");
        }
        assert!(row(&mut Bytes::copy_from_slice(row_only)).expect("a whole row").is_some());
    }
}
