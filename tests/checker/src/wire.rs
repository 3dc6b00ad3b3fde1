//! A reader of the protobuf wire format, small enough to be read at a sitting: fields by number, nothing else.

use anyhow::{Context as _, Result, bail};

/// The value of a field as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer, a boolean or an enum.
    Varint(u64),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
    /// Of fixed width; nothing that is looked at here is.
    Fixed,
}

impl<'a> Value<'a> {
    /// The integer.
    pub fn number(self) -> Result<u64> {
        match self {
            Self::Varint(number) => Ok(number),
            Self::Bytes(_) | Self::Fixed => bail!("a field is no integer"),
        }
    }

    /// The bytes.
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed => bail!("a field is no bytes"),
        }
    }

    /// The text.
    pub fn text(self) -> Result<String> {
        Ok(str::from_utf8(self.bytes()?)?.to_owned())
    }
}

/// The fields of a message, in the order in which they were written.
pub fn fields(mut bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => taken(&mut bytes, 8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?)?;
                Value::Bytes(taken(&mut bytes, length)?)
            }
            5 => taken(&mut bytes, 4).map(|_| Value::Fixed)?,
            other => bail!("wire type {other} is not in use"),
        };
        fields.push((tag >> 3, value));
    }
    Ok(fields)
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().context("it ends within a number")?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    bail!("a number is too long")
}

fn taken<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (value, rest) = bytes.split_at_checked(length).context("it ends within a field")?;
    *bytes = rest;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_number_whatever_their_kind() {
        let bytes = [0x08, 0xac, 0x02, 0x1a, 2, b'h', b'i', 0x25, 1, 2, 3, 4];
        let read = fields(&bytes).expect("three fields");
        assert_eq!(read, [(1, Value::Varint(300)), (3, Value::Bytes(b"hi")), (4, Value::Fixed)]);
    }

    #[test]
    fn what_ends_too_early_is_no_message() {
        for cut in [&[0x08][..], &[0x1a, 2, b'h'], &[0x08, 0x80], &[0x0b]] {
            assert!(fields(cut).is_err(), "{cut:?}");
        }
    }
}
