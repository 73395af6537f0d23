//! A list in parts.

use plugin_api::prelude::*;
use plugin_api::reading::{List, Whole};

#[parameters]
pub(crate) struct Chunk<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// How many items each part has; the last one may have fewer.
    #[schemars(range(min = 1))]
    size: Whole,
}

/// Cuts a list into parts of a size.
#[node(
    id = "list.chunk",
    effect = "pure",
    tags = ["list", "batch"],
    example(title = "by two", input = r#"{"array": [1, 2, 3], "size": 2}"#, output = r#"{"result": [[1, 2], [3]]}"#),
    example(title = "nothing", input = r#"{"array": [], "size": 2}"#, output = r#"{"result": []}"#)
)]
pub(crate) fn chunk(input: Chunk<'_>) -> NodeResult<Answer<Vec<Vec<ValueRef<'_>>>>> {
    let size = input.size.within("size", 1..=i64::MAX)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let items: Vec<_> = input.array.iter().collect();
    Ok(answer(items.chunks(size).map(<[_]>::to_vec).collect()))
}
