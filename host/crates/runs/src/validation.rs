//! What is wrong, or odd, with a document, told all at once.

use patchbay_dispatch::Routes;
use patchbay_vocab::{TenantId, WorkflowId};
use patchbay_wire as wire;
use patchbay_workflow::{Document, Findings};

use crate::choice::{Chooser, Chosen, Whose};
use crate::compiled::Want;
use crate::error::RunsError;
use crate::record;
use crate::runs::Runs;

impl Runs {
    /// Everything that is wrong, or odd, with a document on what is live now; of plugins whose versions it names, on those.
    #[must_use]
    pub fn validate(&self, text: &str, tenant: Option<&TenantId>) -> wire::ValidateView {
        view(self.look(text, tenant))
    }

    /// Why a document that does not even stand by itself is refused: that, and what the registry says of it.
    pub(crate) fn unfit(&self, text: &str, tenant: Option<&TenantId>) -> RunsError {
        let Looked { findings, .. } = self.look(text, tenant);
        RunsError::Refused {
            findings: Box::new(findings),
        }
    }

    fn look(&self, text: &str, tenant: Option<&TenantId>) -> Looked {
        look(text, |document| {
            let own = document.tenant().and_then(|tenant| tenant.parse().ok());
            let tenant = tenant.cloned().or(own);
            let live = self.registry.snapshot();
            let chosen = self.would_have(document, &live, tenant.as_ref());
            let (routes, _) = self.overlays.over(live, &chosen.mounts);
            let found = patchbay_workflow::check(document, &self.view(&routes, tenant.as_ref()));
            chosen.told(found)
        })
    }

    /// What a run of the document would have in place of live versions, and what is to be said of that.
    fn would_have(&self, document: &Document, live: &Routes, tenant: Option<&TenantId>) -> Chosen {
        let wants = Want::all(&document.ranges());
        let choose = |whose| {
            let chooser = Chooser {
                wants: &wants,
                whose,
                asked: &[],
            };
            self.choose(live, chooser, None)
        };
        let id = document.id().and_then(|id| id.parse::<WorkflowId>().ok());
        let pinned = match (tenant, &id) {
            (Some(tenant), Some(id)) => choose(Whose::Run(tenant, id)).ok(),
            _ => None,
        };
        // What keeps a run from beginning without being the document's fault is told to the run.
        pinned.or_else(|| choose(Whose::Anybody).ok()).unwrap_or_default()
    }
}

/// Everything that can be said of a document without plugins: node types and their parameters are not looked at.
#[must_use]
pub fn validate_document(text: &str) -> wire::ValidateView {
    view(look(text, |_| Findings::default()))
}

struct Looked {
    findings: Findings,
    /// There is none when the text cannot be read at all.
    document: Option<Document>,
}

fn look(text: &str, check: impl FnOnce(&Document) -> Findings) -> Looked {
    match patchbay_workflow::read(text.as_bytes()) {
        Err(findings) => Looked {
            findings,
            document: None,
        },
        Ok(document) => {
            let added = check(&document);
            let findings = match patchbay_workflow::validate(document.clone()) {
                Ok(valid) => valid.warnings().clone(),
                Err(findings) => findings,
            };
            Looked {
                findings: findings.merged(added),
                document: Some(document),
            }
        }
    }
}

fn view(looked: Looked) -> wire::ValidateView {
    let Looked { findings, document } = looked;
    let document = document.as_ref();
    wire::ValidateView {
        valid: findings.is_fit(),
        workflow_id: document.and_then(Document::id).and_then(|id| id.parse().ok()),
        workflow: document.and_then(Document::name).unwrap_or_default(),
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
