//! Random graphs against a plain model of what must happen.

use patchbay_workflow::{OnError, Port};
use proptest::prelude::*;

use super::hold::{Bench, Draft, Line, draft, plan, statuses, usual};
use crate::RunStatus;

#[derive(Clone, Debug)]
struct Shape {
    /// What each node does: 0 to 2 choose that output, 3 fires all, 4 fails and goes on, 5 fails to the error port,
    /// 6 is off, 7 is polled.
    kinds: Vec<u8>,
    lines: Vec<(u32, u32, bool, u16)>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    (2_u32..24).prop_flat_map(|nodes| {
        let kinds = prop::collection::vec(0_u8..8, nodes as usize);
        let line =
            (0..nodes - 1, 1..nodes, any::<bool>(), 0_u16..3).prop_map(move |(a, b, error, output)| {
                // Edges lead from lower to higher places, so there is no circle.
                let (from, to) = if a < b { (a, b) } else { (b.min(nodes - 2), a + 1) };
                (
                    from,
                    to.min(nodes - 1).max(from + 1),
                    error && output == 0,
                    output,
                )
            });
        (kinds, prop::collection::vec(line, 0..60)).prop_map(|(kinds, lines)| Shape { kinds, lines })
    })
}

fn drafts(shape: &Shape) -> Vec<Draft> {
    let draft_of = |(place, kind): (usize, &u8)| {
        let id = format!("n{place}");
        match kind {
            0..=2 => draft(&id, "choose").given(&format!(r#"{{"output": {kind}}}"#)),
            3 => draft(&id, "echo"),
            4 => draft(&id, "fail").on_error(OnError::ContinueRegular),
            5 => draft(&id, "fail").on_error(OnError::ContinueError),
            6 => draft(&id, "echo").disabled(),
            _ => draft(&id, "later"),
        }
    };
    shape.kinds.iter().enumerate().map(draft_of).collect()
}

/// Node by node in topological order, which the numbering is.
fn model(shape: &Shape) -> Vec<&'static str> {
    let mut status = vec![""; shape.kinds.len()];
    for node in 0..shape.kinds.len() {
        let incoming: Vec<_> = shape
            .lines
            .iter()
            .filter(|line| line.1 as usize == node)
            .collect();
        let fires = |line: &&(u32, u32, bool, u16)| {
            let (from, _, error, output) = **line;
            match (shape.kinds[from as usize], status[from as usize]) {
                (_, "dead") => false,
                (0..=2, _) => !error && u16::from(shape.kinds[from as usize]) == output,
                (5, _) => error,
                // What failed and goes on, and what is off, leave by the first output.
                (4 | 6, _) => !error && output == 0,
                _ => !error,
            }
        };
        let runs = incoming.is_empty() || incoming.iter().any(fires);
        status[node] = match (runs, shape.kinds[node]) {
            (false, _) => "dead",
            (true, 4 | 5) => "error",
            (true, 6) => "skipped",
            (true, _) => "success",
        };
    }
    status
        .into_iter()
        .map(|status| if status == "dead" { "skipped" } else { status })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_ends_as_the_model_says(shape in shapes()) {
        let bench = Bench::new(&usual());
        let lines: Vec<Line> = shape
            .lines
            .iter()
            .map(|(from, to, error, output)| (*from, *to, if *error { Port::Error } else { Port::Main }, *output))
            .collect();
        let finished = bench.run(plan(&drafts(&shape), &lines));
        prop_assert_eq!(finished.status, RunStatus::Success);
        let ids: Vec<String> = (0..shape.kinds.len()).map(|place| format!("n{place}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        prop_assert_eq!(statuses(&finished, &ids), model(&shape));
    }
}
