//! What a run may take: looked at only where the document sets a bound.

use std::sync::atomic::Ordering;

use plugin_api::value::ValueRef;

use crate::Failure;
use crate::failure::Class;
use crate::frame::Frame;

/// Counts one execution of a node.
#[inline]
pub(crate) fn count_execution(frame: &Frame) -> Result<(), Failure> {
    let Some(most) = frame.run.limits.executions else {
        return Ok(());
    };
    if frame.run.executions.fetch_add(1, Ordering::Relaxed) < most {
        return Ok(());
    }
    let message = format!("the run may execute {most} nodes at most (executionLimits.maxNodeExecutions)");
    Err(Failure::new(Class::LimitExceeded, message))
}

/// Looks at an output's size.
#[inline]
pub(crate) fn check_output(frame: &Frame, output: ValueRef<'_>) -> Result<(), Failure> {
    let limits = &frame.run.limits;
    let bytes = output.raw().len() as u64;
    if let Some(most) = limits.output_bytes
        && bytes > most
    {
        return Err(over(format!("the output has {bytes} bytes, {most} at most")));
    }
    if let Some(most) = limits.total_bytes
        && frame.run.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > most
    {
        return Err(over(format!(
            "the outputs of the run have more than {most} bytes together (executionLimits.maxDataSizeMb)"
        )));
    }
    if let Some(most) = limits.array_items
        && longest(output) > most
    {
        return Err(over(format!(
            "the output has a list of more than {most} items (executionLimits.maxArrayItems)"
        )));
    }
    Ok(())
}

fn over(message: String) -> Failure {
    Failure::new(Class::LimitExceeded, message)
}

/// Items of the longest list at the top, or in a field of the top.
fn longest(output: ValueRef<'_>) -> u64 {
    let items = |value: ValueRef<'_>| value.as_list().map_or(0, |list| list.len() as u64);
    let inner = output.as_map().into_iter().flat_map(|map| map.iter());
    inner
        .map(|(_, value)| items(value))
        .max()
        .unwrap_or(0)
        .max(items(output))
}
