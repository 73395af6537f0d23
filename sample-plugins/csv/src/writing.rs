//! Tables to texts.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, MAX_TEXT, Text, kind_name};
use plugin_api::value::Kind;

use crate::cell::{Nested, harmless, text};
use crate::columns::{Headers, MAX_COLUMNS, check};
use crate::dialect::Dialect;

/// The byte order mark.
const MARK: char = '\u{feff}';

/// What stands between rows.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LineEnding {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return and a line feed, as RFC 4180 has it.
    Crlf,
}

#[parameters]
pub(crate) struct Stringify<'a> {
    /// The rows: a list of maps, or a list of lists.
    #[serde(default, alias = "rows", alias = "items", alias = "data", alias = "input")]
    value: Given<'a>,
    /// Whether the names of the columns come first, as they do for maps unless it is `false`. A list of names says which
    /// columns there are, and in which order; other entries of maps are left out then.
    #[serde(default, alias = "columns")]
    headers: Option<Headers<'a>>,
    /// What separates cells: one character, or `tab`.
    #[serde(default, alias = "separator")]
    #[schemars(extend("default" = ","))]
    delimiter: Option<Text<'a>>,
    /// What encloses cells in which the delimiter or line breaks occur; twice, it stands for itself.
    #[serde(default)]
    #[schemars(extend("default" = "\""))]
    quote: Option<Text<'a>>,
    /// Whether all cells are enclosed, and not only those that need it.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    quote_all: Option<Flag>,
    /// What stands between rows.
    #[serde(default)]
    #[schemars(extend("default" = "lf"))]
    line_ending: Option<LineEnding>,
    /// Whether texts that a spreadsheet would take for a formula get a `'` before them. Do so with texts of others that are
    /// to be opened in one.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    escape_formulas: Option<Flag>,
    /// What becomes of lists and maps in cells: `refuse` or `json`.
    #[serde(default)]
    #[schemars(extend("default" = "refuse"))]
    nested: Option<Nested>,
    /// Whether rows that are lists may have different lengths.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    flexible: Option<Flag>,
    /// Whether a byte order mark comes first, by which some spreadsheets know UTF-8.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    bom: Option<Flag>,
}

/// Writes a list of rows as a table in CSV (RFC 4180). Columns come in the order in which the rows name them first; what a
/// row does not have, and null, is an empty cell.
#[node(
    id = "csv.stringify",
    aliases = ["convert.toCsv", "convert.to_csv"],
    effect = "pure",
    tags = ["csv", "table"],
    example(
        title = "maps",
        input = r#"{"value": [{"age": 36, "name": "Ada"}, {"name": "Lovelace, A.", "rank": "countess"}]}"#,
        output = r#"{"result": "age,name,rank\n36,Ada,\n,\"Lovelace, A.\",countess\n"}"#
    ),
    example(
        title = "lists, safe for spreadsheets",
        input = r#"{"value": [["=1+1", -5], ["say \"hi\"", true]], "delimiter": ";", "escapeFormulas": true}"#,
        output = r#"{"result": "'=1+1;-5\n\"say \"\"hi\"\"\";true\n"}"#
    )
)]
pub(crate) fn stringify(input: Stringify<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let rows = input.value.of("value")?;
    let Some(rows) = rows.as_list() else {
        let why = format_args!("expected a list of rows, found {}", kind_name(rows));
        return Err(NodeError::invalid("value", why));
    };
    let dialect = Dialect::read(input.delimiter.as_ref(), input.quote.as_ref())?;
    let Some(quote) = dialect.quote else {
        return Err(NodeError::invalid("quote", "must be one character"));
    };
    let ending = match input.line_ending.unwrap_or_default() {
        LineEnding::Lf => Terminator::Any(b'\n'),
        LineEnding::Crlf => Terminator::CRLF,
    };
    let style = if input.quote_all == Some(Flag(true)) {
        QuoteStyle::Always
    } else {
        QuoteStyle::Necessary
    };
    let writer = WriterBuilder::new()
        .delimiter(dialect.delimiter)
        .quote(quote)
        .quote_style(style)
        .terminator(ending)
        .flexible(true)
        .from_writer(Vec::new());
    let mut sheet = Sheet {
        writer,
        escape: input.escape_formulas == Some(Flag(true)),
        nested: input.nested.unwrap_or_default(),
        size: 0,
    };
    let is_map = |row: ValueRef<'_>| row.kind() == Kind::Map;
    let maps = rows.get(0).map(is_map);
    for (position, row) in rows.iter().enumerate() {
        if !matches!(row.kind(), Kind::Map | Kind::List) || Some(is_map(row)) != maps {
            let wanted = if maps == Some(true) { "a map" } else { "a list" };
            let wanted = if position == 0 { "a map or a list" } else { wanted };
            let why = format_args!("expected {wanted}, found {}", kind_name(row));
            return Err(NodeError::invalid(&format!("value[{position}]"), why));
        }
    }
    let names = input.headers.as_ref();
    if let Some(Headers::Names(names)) = names {
        check("headers", names.iter().copied())?;
    }
    match maps {
        Some(true) => {
            let columns = match names {
                Some(Headers::Names(names)) => names.clone(),
                _ => columns(rows.iter(), ctx)?,
            };
            // Rows that have little in common make many cells that are empty, each of which takes a byte.
            if columns.len().saturating_mul(rows.len()) > MAX_TEXT {
                return Err(over_size());
            }
            if names != Some(&Headers::Row(false)) {
                sheet.names(&columns)?;
            }
            sheet.maps(rows.iter(), &columns, ctx)?;
        }
        _ => {
            let width = match names {
                Some(Headers::Row(true)) if maps.is_some() => {
                    let why = "rows that are lists have no names: give a list of them";
                    return Err(NodeError::invalid("headers", why));
                }
                Some(Headers::Names(names)) => {
                    sheet.names(names)?;
                    Some(names.len())
                }
                _ => None,
            };
            let width = if input.flexible == Some(Flag(true)) {
                Width::Any
            } else {
                Width::Same(width)
            };
            sheet.lists(rows.iter(), width, ctx)?;
        }
    }
    let text = sheet.finish()?;
    // Readers take one mark off; a cell that begins with one keeps its own.
    if input.bom == Some(Flag(true)) || text.starts_with(MARK) {
        return Ok(answer(format!("{MARK}{text}")));
    }
    Ok(answer(text))
}

/// The names that maps have, in the order in which they come first.
fn columns<'a>(rows: impl Iterator<Item = ValueRef<'a>>, ctx: &Ctx<'_>) -> NodeResult<Vec<&'a str>> {
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for row in rows {
        ctx.check()?;
        for name in row.as_map().into_iter().flat_map(|map| map.keys()) {
            if seen.insert(name) {
                if columns.len() == MAX_COLUMNS {
                    return Err(too_large(format_args!("more than {MAX_COLUMNS} columns")));
                }
                columns.push(name);
            }
        }
    }
    Ok(columns)
}

/// How many cells rows have.
enum Width {
    Any,
    /// As many as said, or as the first row.
    Same(Option<usize>),
}

/// The text while it is written.
struct Sheet {
    writer: Writer<Vec<u8>>,
    escape: bool,
    nested: Nested,
    /// Bytes of the text, about.
    size: usize,
}

impl Sheet {
    fn names(&mut self, names: &[&str]) -> NodeResult<()> {
        for name in names {
            self.cell(Cow::Borrowed(name))?;
        }
        self.end(names.len())
    }

    fn maps<'a>(
        &mut self,
        rows: impl Iterator<Item = ValueRef<'a>>,
        columns: &[&str],
        ctx: &Ctx<'_>,
    ) -> NodeResult<()> {
        for (position, row) in rows.enumerate() {
            ctx.check()?;
            for name in columns {
                let value = row.get(name).unwrap_or(ValueRef::NULL);
                let text = text(value, self.nested).ok_or_else(|| {
                    let name: String = name.chars().take(40).collect();
                    unwritable(&format!("value[{position}].{name}"), value)
                })?;
                self.cell(text)?;
            }
            self.end(columns.len())?;
        }
        Ok(())
    }

    fn lists<'a>(
        &mut self,
        rows: impl Iterator<Item = ValueRef<'a>>,
        mut width: Width,
        ctx: &Ctx<'_>,
    ) -> NodeResult<()> {
        for (position, row) in rows.enumerate() {
            ctx.check()?;
            let Some(cells) = row.as_list() else { continue };
            let found = cells.len();
            if let Width::Same(width) = &mut width
                && *width.get_or_insert(found) != found
            {
                let expected = width.unwrap_or_default();
                let why = format_args!(
                    "has {found} cells, and {expected} were expected; with `flexible`, that may be"
                );
                return Err(NodeError::invalid(&format!("value[{position}]"), why));
            }
            for (at, value) in cells.iter().enumerate() {
                let text = text(value, self.nested)
                    .ok_or_else(|| unwritable(&format!("value[{position}][{at}]"), value))?;
                self.cell(text)?;
            }
            self.end(found)?;
        }
        Ok(())
    }

    fn cell(&mut self, text: Cow<'_, str>) -> NodeResult<()> {
        let text = if self.escape { harmless(text) } else { text };
        self.size = self.size.saturating_add(text.len() + 1);
        if self.size > MAX_TEXT {
            return Err(over_size());
        }
        Ok(self.writer.write_field(text.as_bytes())?)
    }

    /// Ends a row. One without cells would be an empty line, which is read as none.
    fn end(&mut self, cells: usize) -> NodeResult<()> {
        if cells > 0 {
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn finish(self) -> NodeResult<String> {
        let bytes = self
            .writer
            .into_inner()
            .map_err(|error| NodeError::new(error.to_string()))?;
        Ok(String::from_utf8(bytes)?)
    }
}

fn unwritable(place: &str, value: ValueRef<'_>) -> NodeError {
    let why = format_args!(
        "{} is no cell; write it as a text before, or set `nested` to `json`",
        kind_name(value)
    );
    NodeError::invalid(place, why)
}

fn over_size() -> NodeError {
    too_large(format_args!("more than {} MiB as a text", MAX_TEXT >> 20))
}

fn too_large(what: std::fmt::Arguments<'_>) -> NodeError {
    NodeError::with_code(
        code::LIMIT_EXCEEDED,
        format!("parameter `value`: the table has {what}"),
    )
}
