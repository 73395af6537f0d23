//! Reading and validating documents.

use patchbay::RunOrder;

use super::super::measure::{Subject, alternate, exponent};
use super::super::report::Report;
use super::super::stage::Stage;
use super::super::{BenchError, Effort};
use super::document::{Keep, UPPER, chain};
use super::runner::Runner;

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let host = stage.host(&["string"], 1)?;
    let runner = Runner::on(&host.patchbay);
    let sizes = [500, 10_000];
    let texts = sizes.map(|size| chain(UPPER, size, Keep::Nothing));
    for (text, size) in texts.iter().zip(sizes) {
        let view = host.patchbay.validate_workflow(text, None);
        if !view.valid || view.nodes != size as u64 {
            return Err(BenchError::new("a document that is fit was found unfit"));
        }
        runner.check(
            &RunOrder::of(text.clone()),
            &format!("n{}", size - 1),
            UPPER.gives,
        )?;
    }
    let mut rows = alternate(
        vec![
            Subject::new("validate 500 nodes", || {
                host.patchbay.validate_workflow(&texts[0], None).valid
            }),
            Subject::new("validate 10,000 nodes", || {
                host.patchbay.validate_workflow(&texts[1], None).valid
            }),
            Subject::new("parse the JSON of the 500 alone, as a tree", || {
                serde_json::from_str::<serde_json::Value>(&texts[0]).is_ok()
            }),
        ],
        effort,
    );
    for row in &mut rows {
        row.unit = "ms";
        row.median /= 1e6;
        row.min /= 1e6;
    }
    let growth = exponent(&[500.0, 10_000.0], &[rows[0].min, rows[1].min]);
    Ok(Report {
        subject: "workflow, validation: a chain of string.upper, from text to findings, nothing cached",
        notes: vec![
            format!(
                "a document of 500 nodes has {} bytes, one of 10,000 has {}",
                texts[0].len(),
                texts[1].len()
            ),
            format!("time grows with nodes to the power of {growth:.3}, at the least (1 is linear)"),
        ],
        rows,
    })
}
