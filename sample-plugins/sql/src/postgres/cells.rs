//! Values out of PostgreSQL.
//!
//! Invariant: a value of a type that is not known here is an error that names the column, and never text that might be
//! taken for it. What the server sends is read within its bounds, whatever it says of itself.

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr};

use plugin_api::error::code;
use plugin_api::prelude::*;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind as TypeKind, Type};

use super::{moments, numeric};
use crate::cell::Cell;

/// Arrays nest as deep in PostgreSQL.
const MOST_DIMENSIONS: usize = 6;

/// Why a value is not read.
enum Unread {
    /// Its type is not known.
    Type,
    /// It is no finite number.
    NotFinite,
    /// It does not look like its type.
    Damaged,
}

/// A value, or why it is none.
struct Read(Result<Cell, Unread>);

impl<'a> FromSql<'a> for Read {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(read(ty, raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Ok(Cell::Null)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// All cells of a row.
pub(super) fn cells(row: &Row) -> NodeResult<Vec<Cell>> {
    let mut cells = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let read = match row.try_get::<_, Read>(index) {
            Ok(Read(read)) => read,
            Err(_) => Err(Unread::Damaged),
        };
        cells.push(read.map_err(|why| unread(&why, column.name(), column.type_()))?);
    }
    Ok(cells)
}

fn unread(why: &Unread, column: &str, ty: &Type) -> NodeError {
    let name = ty.name();
    match why {
        Unread::Type => NodeError::with_code(
            code::UNSUPPORTED,
            format!(
                "the column `{column}` has the type `{name}`, which is not read here; write `CAST({column} AS text)`"
            ),
        ),
        Unread::NotFinite => NodeError::new(format!(
            "the column `{column}` has a number that is not finite; write `CAST({column} AS text)`"
        )),
        Unread::Damaged => NodeError::new(format!(
            "the column `{column}` of type `{name}` has a value that cannot be read; write `CAST({column} AS text)`"
        )),
    }
}

/// Takes parts off the front of what the server sent.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unread> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unread::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Unread> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Unread::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn i16(&mut self) -> Result<i16, Unread> {
        self.fixed().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, Unread> {
        self.fixed().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, Unread> {
        self.fixed().map(i64::from_be_bytes)
    }
}

fn text(raw: &[u8]) -> Result<Cell, Unread> {
    let text = std::str::from_utf8(raw).map_err(|_| Unread::Damaged)?;
    Ok(Cell::Text(text.to_owned()))
}

fn float(number: f64) -> Result<Cell, Unread> {
    if number.is_finite() {
        Ok(Cell::Float(number))
    } else {
        Err(Unread::NotFinite)
    }
}

fn json(raw: &[u8]) -> Result<Cell, Unread> {
    let value = Value::from_json_slice(raw).map_err(|_| Unread::Damaged)?;
    Ok(Cell::Json(value))
}

fn read(ty: &Type, raw: &[u8]) -> Result<Cell, Unread> {
    let mut bytes = Bytes(raw);
    match *ty {
        Type::BOOL => Ok(Cell::Bool(bytes.fixed::<1>()? != [0])),
        Type::INT2 => Ok(Cell::Integer(bytes.i16()?.into())),
        Type::INT4 => Ok(Cell::Integer(bytes.i32()?.into())),
        Type::INT8 => Ok(Cell::Integer(bytes.i64()?)),
        Type::OID => Ok(Cell::Integer(u32::from_be_bytes(bytes.fixed()?).into())),
        // The shortest text of a short float is what was meant: 0.1, and not 0.10000000149011612.
        Type::FLOAT4 => {
            let number = f32::from_be_bytes(bytes.fixed()?);
            float(number.to_string().parse().unwrap_or(f64::from(number)))
        }
        Type::FLOAT8 => float(f64::from_be_bytes(bytes.fixed()?)),
        Type::NUMERIC => numeric(raw),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::XML | Type::CHAR => {
            text(raw)
        }
        Type::BYTEA => Ok(Cell::Bytes(raw.to_vec())),
        Type::JSON => json(raw),
        Type::JSONB => match bytes.fixed()? {
            [1] => json(bytes.0),
            _ => Err(Unread::Damaged),
        },
        Type::UUID => Ok(Cell::Text(uuid_text(bytes.fixed()?))),
        Type::DATE => Ok(Cell::Text(moments::date(bytes.i32()?))),
        Type::TIME => Ok(Cell::Text(moments::time_text(bytes.i64()?))),
        Type::TIMETZ => time_with_zone(&mut bytes),
        Type::TIMESTAMP => Ok(Cell::Text(moments::timestamp(bytes.i64()?, ""))),
        Type::TIMESTAMPTZ => Ok(Cell::Text(moments::timestamp(bytes.i64()?, "Z"))),
        Type::INTERVAL => {
            let (micros, days, months) = (bytes.i64()?, bytes.i32()?, bytes.i32()?);
            Ok(Cell::Text(moments::interval(months, days, micros)))
        }
        Type::INET | Type::CIDR => address(&mut bytes, *ty == Type::CIDR),
        Type::BIT | Type::VARBIT => bits(&mut bytes),
        Type::VOID => Ok(Cell::Null),
        _ => match ty.kind() {
            TypeKind::Enum(_) => text(raw),
            TypeKind::Domain(inner) => read(inner, raw),
            TypeKind::Array(inner) => array(inner, &mut bytes),
            _ if ty.name() == "citext" => text(raw),
            _ => Err(Unread::Type),
        },
    }
}

fn numeric(raw: &[u8]) -> Result<Cell, Unread> {
    let mut bytes = Bytes(raw);
    let (count, weight) = (bytes.i16()?, bytes.i16()?);
    let (sign, scale) = (bytes.i16()?, bytes.i16()?);
    let negative = match sign as u16 {
        0 => false,
        0x4000 => true,
        _ => return Err(Unread::NotFinite),
    };
    let mut digits = Vec::new();
    for _ in 0..count {
        digits.push(u16::try_from(bytes.i16()?).map_err(|_| Unread::Damaged)?);
    }
    let scale = usize::try_from(scale).map_err(|_| Unread::Damaged)?;
    Ok(numeric::cell(numeric::text(&digits, weight, negative, scale)))
}

/// A UUID the way it is written.
pub(crate) fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn time_with_zone(bytes: &mut Bytes<'_>) -> Result<Cell, Unread> {
    let (micros, west) = (bytes.i64()?, bytes.i32()?);
    let (sign, zone) = (if west > 0 { '-' } else { '+' }, west.unsigned_abs());
    Ok(Cell::Text(format!(
        "{}{sign}{:02}:{:02}",
        moments::time_text(micros),
        zone / 3_600,
        zone / 60 % 60
    )))
}

fn address(bytes: &mut Bytes<'_>, is_network: bool) -> Result<Cell, Unread> {
    let [family, prefix, _, length] = bytes.fixed()?;
    let (text, full) = match (family, length) {
        (2, 4) => (Ipv4Addr::from(bytes.fixed::<4>()?).to_string(), 32),
        (3, 16) => (Ipv6Addr::from(bytes.fixed::<16>()?).to_string(), 128),
        _ => return Err(Unread::Damaged),
    };
    Ok(Cell::Text(if is_network || prefix != full {
        format!("{text}/{prefix}")
    } else {
        text
    }))
}

fn bits(bytes: &mut Bytes<'_>) -> Result<Cell, Unread> {
    let count = usize::try_from(bytes.i32()?).map_err(|_| Unread::Damaged)?;
    let packed = bytes.take(count.div_ceil(8))?;
    let all = packed
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| if byte >> (7 - bit) & 1 == 1 { '1' } else { '0' }));
    Ok(Cell::Text(all.take(count).collect()))
}

fn array(inner: &Type, bytes: &mut Bytes<'_>) -> Result<Cell, Unread> {
    let dimensions = usize::try_from(bytes.i32()?).map_err(|_| Unread::Damaged)?;
    bytes.take(8)?;
    if dimensions == 0 {
        return Ok(Cell::List(Vec::new()));
    }
    if dimensions > MOST_DIMENSIONS {
        return Err(Unread::Damaged);
    }
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(bytes.i32()?).map_err(|_| Unread::Damaged)?);
        bytes.take(4)?;
    }
    // Each item has its length before it, so there cannot be more of them than that.
    let items = lengths
        .iter()
        .try_fold(1_usize, |all, length| all.checked_mul(*length));
    if items.is_none_or(|items| items == 0 || items > bytes.0.len() / 4) {
        return Err(Unread::Damaged);
    }
    list(inner, &lengths, bytes)
}

fn list(inner: &Type, lengths: &[usize], bytes: &mut Bytes<'_>) -> Result<Cell, Unread> {
    let Some((&length, deeper)) = lengths.split_first() else {
        let length = bytes.i32()?;
        if length < 0 {
            return Ok(Cell::Null);
        }
        let raw = bytes.take(usize::try_from(length).map_err(|_| Unread::Damaged)?)?;
        return read(inner, raw);
    };
    let mut cells = Vec::new();
    for _ in 0..length {
        cells.push(list(inner, deeper, bytes)?);
    }
    Ok(Cell::List(cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(ty: &Type, raw: &[u8]) -> Option<Cell> {
        read(ty, raw).ok()
    }

    #[test]
    fn what_is_cut_off_is_no_value() {
        for ty in [
            Type::BOOL,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::NUMERIC,
            Type::JSONB,
            Type::UUID,
            Type::DATE,
            Type::TIME,
            Type::TIMETZ,
            Type::TIMESTAMPTZ,
            Type::INTERVAL,
            Type::INET,
            Type::BIT,
            Type::INT4_ARRAY,
        ] {
            assert_eq!(cell(&ty, &[]), None, "{ty}");
        }
        let huge = [
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1,
        ];
        assert_eq!(cell(&Type::INT4_ARRAY, &huge), None);
        let mut empty = huge.to_vec();
        empty.splice(0..4, [0, 0, 0, 2]);
        empty.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(cell(&Type::INT4_ARRAY, &empty), None);
        assert_eq!(cell(&Type::FLOAT8, &f64::NAN.to_be_bytes()), None);
        assert_eq!(cell(&Type::POINT, &[0; 16]), None);
    }

    #[test]
    fn short_floats_are_what_they_are_written_as() {
        assert_eq!(
            cell(&Type::FLOAT4, &0.1_f32.to_be_bytes()),
            Some(Cell::Float(0.1))
        );
        assert_eq!(
            cell(&Type::VARBIT, &[0, 0, 0, 10, 0b1010_0000, 0b0100_0000]),
            Some(Cell::Text("1010000001".into()))
        );
    }
}
