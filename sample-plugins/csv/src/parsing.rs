//! Texts to tables.

use std::io::Read;

use csv::{ByteRecord, Reader, ReaderBuilder};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, MAX_TEXT, Text, Whole, kind_name, text_of};
use plugin_api::serde::ser::Error as _;
use plugin_api::value::{ListWriter, ValueError, Writer};

use crate::cell::Cell;
use crate::columns::{Headers, MAX_COLUMNS, check};
use crate::dialect::Dialect;

/// The most rows.
const MAX_ROWS: usize = 1_000_000;

/// What a value takes in a result beside its bytes.
const OVERHEAD: usize = 9;

#[parameters]
pub(crate) struct Parse<'a> {
    /// The table: a text, or its bytes in UTF-8.
    #[serde(default, alias = "text", alias = "csv", alias = "input", alias = "data")]
    value: Given<'a>,
    /// Whether the first row has the names of the columns. With `false`, rows are lists. A list of names is used for a table
    /// that has none.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    headers: Option<Headers<'a>>,
    /// What separates cells: one character, or `tab`.
    #[serde(default, alias = "separator")]
    #[schemars(extend("default" = ","))]
    delimiter: Option<Text<'a>>,
    /// What encloses cells in which the delimiter or line breaks occur; twice, it stands for itself. Empty for nothing.
    #[serde(default)]
    #[schemars(extend("default" = "\""))]
    quote: Option<Text<'a>>,
    /// Whether blanks around cells and names are left out.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    trim: Option<Flag>,
    /// Whether a cell that says a number, true or false becomes one, and an empty one null. `007` stays a text.
    #[serde(default, alias = "dynamicTyping")]
    #[schemars(extend("default" = false))]
    typed: Option<Flag>,
    /// Whether rows may have fewer cells than the first one, or as lists more.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    flexible: Option<Flag>,
    /// Stop after this many rows.
    #[serde(default)]
    limit: Option<Whole>,
}

/// A table.
#[output]
pub(crate) struct Parsed {
    /// The rows: maps, or lists where the columns have no names.
    result: Value,
    /// The names of the columns; null where they have none.
    headers: Option<Vec<String>>,
    /// How many rows there are, but for the names.
    count: usize,
}

/// Reads a table in CSV (RFC 4180): a list of maps, or of lists. Empty lines are passed over. A row that has not as many
/// cells as the first one is an error that names it, and so is a cell that is never closed.
#[node(
    id = "csv.parse",
    aliases = ["convert.parseCsv", "convert.parse_csv"],
    effect = "pure",
    tags = ["csv", "table", "parse"],
    example(
        title = "rows as maps",
        input = r#"{"value": "name,age\nAda,36\n\"Lovelace, A.\",\n", "typed": true}"#,
        output = r#"{"result": [{"name": "Ada", "age": 36}, {"name": "Lovelace, A.", "age": null}], "headers": ["name", "age"], "count": 2}"#
    ),
    example(
        title = "rows as lists",
        input = r#"{"value": "1; 2\n3; 4", "delimiter": ";", "headers": false, "trim": true}"#,
        output = r#"{"result": [["1", "2"], ["3", "4"]], "headers": null, "count": 2}"#
    )
)]
pub(crate) fn parse(input: Parse<'_>, ctx: &Ctx<'_>) -> NodeResult<Parsed> {
    let given = input.value.of("value")?;
    let text = match given.as_bytes() {
        Some(bytes) => std::str::from_utf8(bytes).map(Into::into).map_err(|error| {
            let why = format_args!("is no UTF-8 text from byte {} on", error.valid_up_to());
            NodeError::invalid("value", why)
        })?,
        None => text_of(given).filter(|_| !given.is_null()).ok_or_else(|| {
            let why = format_args!("expected a text or bytes, found {}", kind_name(given));
            NodeError::invalid("value", why)
        })?,
    };
    let dialect = Dialect::read(input.delimiter.as_ref(), input.quote.as_ref())?;
    let limit = input.limit.map_or(Ok(usize::MAX), |limit| limit.count("limit"))?;
    let mut table = Table::of(&text, dialect, input.trim == Some(Flag(true)));
    let headers = match input.headers.unwrap_or(Headers::Row(true)) {
        Headers::Row(false) => None,
        Headers::Row(true) => {
            let names: Vec<String> = if table.next()? {
                table.cells().map(str::to_owned).collect()
            } else {
                Vec::new()
            };
            check("value", names.iter().map(String::as_str))?;
            Some(names)
        }
        Headers::Names(names) => {
            check("headers", names.iter().copied())?;
            Some(names.into_iter().map(str::to_owned).collect())
        }
    };
    let mut rows = Rows {
        width: headers.as_ref().map(Vec::len),
        headers,
        typed: input.typed == Some(Flag(true)),
        flexible: input.flexible == Some(Flag(true)),
        count: 0,
        size: 0,
    };
    let result = rows.read(&mut table, limit, ctx)?;
    Ok(Parsed {
        result,
        headers: rows.headers,
        count: rows.count,
    })
}

/// The rows of a text, one after the other.
struct Table<'t> {
    reader: Reader<std::io::Chain<&'t [u8], std::io::Cursor<[u8; 2]>>>,
    record: ByteRecord,
    /// The byte behind the end: see [`Table::of`].
    last: u8,
    /// How far the reader can read.
    end: u64,
    trim: bool,
    /// The number of the row that was read.
    row: usize,
    /// Whether there is no further one.
    ended: bool,
}

impl<'t> Table<'t> {
    /// A cell that is never closed takes in the rest of a text, and the reader does not say so. So one more row is put behind
    /// the text, which is not found as a row of its own when something has swallowed it.
    fn of(text: &'t str, dialect: Dialect, trim: bool) -> Self {
        let free = |byte: &u8| *byte != dialect.delimiter && Some(*byte) != dialect.quote;
        let last = [b'x', b'y', b'z'].into_iter().find(free).unwrap_or(b'x');
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote.unwrap_or(b'"'))
            .quoting(dialect.quote.is_some())
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes().chain(std::io::Cursor::new([b'\n', last])));
        Self {
            reader,
            record: ByteRecord::new(),
            last,
            end: u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(2),
            trim,
            row: 0,
            ended: false,
        }
    }

    /// Reads a row; `false` when there is none.
    fn next(&mut self) -> NodeResult<bool> {
        if self.ended {
            return Ok(false);
        }
        let read = self.reader.read_byte_record(&mut self.record);
        let read = read.map_err(|error| NodeError::invalid("value", error))?;
        if read && self.reader.position().byte() < self.end {
            self.row += 1;
            return Ok(true);
        }
        if read && self.record.len() == 1 && self.record.get(0) == Some(&[self.last]) {
            self.ended = true;
            return Ok(false);
        }
        let why = format_args!(
            "a cell of row {} is never closed: a quote is missing",
            self.row + 1
        );
        Err(NodeError::invalid("value", why))
    }

    /// The cells of the row that was read.
    fn cells(&self) -> impl Iterator<Item = &str> {
        // What was cut out of a text at bytes of ASCII is text.
        let cells = self
            .record
            .iter()
            .map(|cell| std::str::from_utf8(cell).unwrap_or_default());
        cells.map(|cell| if self.trim { cell.trim() } else { cell })
    }
}

/// Makes the result.
struct Rows {
    headers: Option<Vec<String>>,
    /// The number of cells that a row has to have.
    width: Option<usize>,
    typed: bool,
    flexible: bool,
    count: usize,
    /// Bytes of the result, about.
    size: usize,
}

impl Rows {
    fn read(&mut self, table: &mut Table<'_>, limit: usize, ctx: &Ctx<'_>) -> NodeResult<Value> {
        let mut out = Vec::new();
        // The writer passes errors of its own kind on; what went wrong is kept beside it.
        let mut failed = None;
        let written = Writer::new(&mut out).list(|list| {
            while self.count < limit {
                match self.row(table, list, ctx) {
                    Ok(true) => self.count += 1,
                    Ok(false) => break,
                    Err(error) => {
                        failed = Some(error);
                        return Err(ValueError::custom("a row is wrong"));
                    }
                }
            }
            Ok(())
        });
        if let Some(error) = failed {
            return Err(error);
        }
        written?;
        Ok(Value::from_encoded(out)?)
    }

    fn row(
        &mut self,
        table: &mut Table<'_>,
        list: &mut ListWriter<'_, Vec<u8>>,
        ctx: &Ctx<'_>,
    ) -> NodeResult<bool> {
        ctx.check()?;
        if !table.next()? {
            return Ok(false);
        }
        if self.count == MAX_ROWS {
            return Err(too_large(format_args!("more than {MAX_ROWS} rows")));
        }
        let found = table.record.len();
        let width = *self.width.get_or_insert(found);
        let fits = found == width || self.flexible && (found < width || self.headers.is_none());
        if !fits || found > MAX_COLUMNS {
            let why = format_args!(
                "row {} has {found} cells, and {} were expected",
                table.row,
                width.min(MAX_COLUMNS)
            );
            return Err(NodeError::invalid("value", why));
        }
        let names = self.headers.iter().flatten().map(|name| name.len() + OVERHEAD);
        let names = names.take(found).sum::<usize>();
        let cells = table.record.as_slice().len() + found * OVERHEAD;
        self.size = self.size.saturating_add(names + cells);
        if self.size > MAX_TEXT {
            return Err(too_large(format_args!(
                "more than {} MiB as a result",
                MAX_TEXT >> 20
            )));
        }
        let typed = self.typed;
        let cell = |text| {
            if typed {
                Cell::typed(text)
            } else {
                Cell::Text(text)
            }
        };
        let mut cells = table.cells().map(cell);
        match &self.headers {
            Some(names) => list.map(|map| {
                let mut pairs = names.iter().zip(cells);
                pairs.try_for_each(|(name, cell)| map.entry(name, |entry| write(entry, cell)))
            })?,
            None => list.list(|row| cells.try_for_each(|cell| row.item(|item| write(item, cell))))?,
        }
        Ok(true)
    }
}

fn write(writer: Writer<'_, Vec<u8>>, cell: Cell<'_>) -> Result<(), ValueError> {
    match cell {
        Cell::Nothing => writer.null(),
        Cell::Flag(flag) => writer.bool(flag),
        Cell::Whole(number) => writer.i64(number),
        Cell::Float(number) => writer.f64(number),
        Cell::Text(text) => writer.str(text),
    }
}

fn too_large(what: std::fmt::Arguments<'_>) -> NodeError {
    let message = format!("parameter `value`: the table has {what}; read it in parts, with `limit`");
    NodeError::with_code(code::LIMIT_EXCEEDED, message)
}
