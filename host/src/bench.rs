//! `bench`.
use patchbay_cli::{BenchArgs, Exit};

pub(crate) fn bench(_arguments: &BenchArgs) -> Exit {
    Exit::Internal
}
