//! What is wrong, or odd, with a document, told all at once.

use patchbay_vocab::TenantId;
use patchbay_wire as wire;
use patchbay_workflow::{Document, Findings};

use crate::record;
use crate::runs::Runs;

impl Runs {
    /// Everything that is wrong, or odd, with a document on what is live now.
    #[must_use]
    pub fn validate(&self, text: &str, tenant: Option<&TenantId>) -> wire::ValidateView {
        let snapshot = self.registry.snapshot();
        validated(text, |document| {
            let own = document.tenant().and_then(|tenant| tenant.parse().ok());
            let tenant = tenant.cloned().or(own);
            patchbay_workflow::check(document, &self.view(&snapshot, tenant.as_ref()))
        })
    }
}

/// Everything that can be said of a document without plugins: node types and their parameters are not looked at.
#[must_use]
pub fn validate_document(text: &str) -> wire::ValidateView {
    validated(text, |_| Findings::default())
}

fn validated(text: &str, check: impl FnOnce(&Document) -> Findings) -> wire::ValidateView {
    let (findings, document) = match patchbay_workflow::read(text.as_bytes()) {
        Err(findings) => (findings, None),
        Ok(document) => {
            let added = check(&document);
            let findings = match patchbay_workflow::validate(document.clone()) {
                Ok(valid) => valid.warnings().clone(),
                Err(findings) => findings,
            };
            (findings.merged(added), Some(document))
        }
    };
    let name = document.as_ref().and_then(Document::name).unwrap_or_default();
    let id = document
        .as_ref()
        .and_then(Document::id)
        .and_then(|id| id.parse().ok());
    wire::ValidateView {
        valid: findings.is_fit(),
        workflow_id: id,
        workflow: name,
        nodes: document.map_or(0, |document| document.node_count() as u64),
        errors: findings.errors().count() as u64,
        warnings: findings.warnings().count() as u64,
        findings: record::findings(&findings),
    }
}

#[cfg(test)]
mod tests {
    use super::validate_document;

    #[test]
    fn a_document_alone_is_told_everything_but_its_node_types() {
        let view =
            validate_document(r#"{"name": "n", "nodes": [{"id": "a", "name": "a"}], "connections": {}}"#);
        assert!(!view.valid && view.nodes == 1, "{view:?}");
        let codes: Vec<_> = view
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        assert!(codes.contains(&"MISSING_NODE_TYPE"), "{codes:?}");
        let cut = validate_document(r#"{"name": "n", "nodes": ["#);
        assert!(!cut.valid && cut.findings.len() == 1, "{cut:?}");
    }
}
