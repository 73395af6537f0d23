//! Whether the shapes of a plugin are those of this host, and if not, which one differs.
//!
//! Invariant: shapes are compared by their fields alone. `abi_stable` also compares the versions of the crate that
//! defines them, but the contract has a version of its own: an SDK of any version that has the same shapes will do.

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityError, CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::type_layout::{TLFieldOrFunction, TypeLayout};

/// Compares the layouts; the error names the innermost part that differs, and how.
pub(crate) fn compare(own: &'static TypeLayout, theirs: &'static TypeLayout) -> Result<(), String> {
    // Globals of this check alone: the process-wide ones would keep references into the plugin.
    let Err(errors) = check_layout_compatibility_with_globals(own, theirs, &CheckingGlobals::new()) else {
        return Ok(());
    };
    let differs = |error: &&AbiInstabilityError| {
        error
            .errs
            .iter()
            .any(|one| difference(one, own, theirs).is_some())
    };
    // What contains a part that differs is of another size, too; the part itself lies deepest.
    let deepest = errors
        .errors
        .iter()
        .filter(differs)
        .max_by_key(|error| error.stack_trace.len());
    deepest.map_or(Ok(()), |error| Err(describe(error, own, theirs)))
}

fn describe(error: &AbiInstabilityError, own: &'static TypeLayout, theirs: &'static TypeLayout) -> String {
    let layouts = error.stack_trace.last().and_then(|last| {
        let field = |of: &TLFieldOrFunction| match of {
            TLFieldOrFunction::Field(field) => Some(field.layout()),
            TLFieldOrFunction::Function(_) => None,
        };
        field(&last.expected).zip(field(&last.found))
    });
    let (own, theirs) = layouts.unwrap_or((own, theirs));
    let names = error.stack_trace.iter().filter_map(|step| match &step.expected {
        TLFieldOrFunction::Field(field) => Some(field.name()),
        TLFieldOrFunction::Function(_) => None,
    });
    let path = names.collect::<Vec<_>>().join(".");
    let differences = error.errs.iter().filter_map(|one| difference(one, own, theirs));
    let mut differences: Vec<String> = differences.collect();
    differences.dedup();
    format!("`{}` (at {path}): {}", own.name(), differences.join(", "))
}

/// One difference in words; `None` for one that does not count.
fn difference(
    error: &AbiInstability,
    own: &'static TypeLayout,
    theirs: &'static TypeLayout,
) -> Option<String> {
    let fields = |layout: &'static TypeLayout| {
        let fields = layout.get_fields().into_iter().flatten();
        fields.map(|field| field.name()).collect::<Vec<_>>().join(", ")
    };
    Some(match error {
        AbiInstability::PackageVersion(_) => return None,
        AbiInstability::Size(v) => format!("{} bytes instead of {}", v.found, v.expected),
        AbiInstability::Alignment(v) => format!("aligned to {} instead of {}", v.found, v.expected),
        AbiInstability::FieldCountMismatch(_) => {
            format!("the fields ({}) instead of ({})", fields(theirs), fields(own))
        }
        AbiInstability::UnexpectedField(v) => {
            format!(
                "the field `{}` in the place of `{}`",
                v.found.name(),
                v.expected.name()
            )
        }
        AbiInstability::Name(v) => format!("the type `{}` instead of `{}`", v.found, v.expected),
        AbiInstability::Package(v) => format!("defined by `{}` instead of `{}`", v.found, v.expected),
        AbiInstability::MismatchedPrimitive(_) => "another primitive type".to_owned(),
        AbiInstability::FnQualifierMismatch(_) => "another kind of function".to_owned(),
        _ => "another kind of type".to_owned(),
    })
}
