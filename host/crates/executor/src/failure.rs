//! How a node fails, as a run sees it.

use std::borrow::Cow;

use plugin_api::value::Value;

/// What kind of failure it is: the `errorCode` of a result. A node cannot claim the classes that are the host's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Parameters or the node type are wrong; the node was not called.
    ValidationFailed,
    /// Nothing has the node type.
    UnknownNodeType,
    /// The tenant may not use the node type.
    NodeTypeNotAllowed,
    /// The node failed.
    ExecutionError,
    /// It took too long.
    Timeout,
    /// The run was cancelled.
    Cancelled,
    /// A secret is not there.
    CredentialMissing,
    /// A plugin that the node needs is not live.
    DependencyNotLoaded,
    /// The node panicked.
    PluginPanicked,
    /// The version crashed or broke the contract.
    PluginCrashed,
    /// A limit was hit.
    LimitExceeded,
    /// A fallback was wanted and none is named.
    NoFallback,
    /// The fallback is no known node type.
    FallbackNotFound,
    /// The fallback failed, too.
    FallbackFailed,
}

impl Class {
    /// The word in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "VALIDATION_FAILED",
            Self::UnknownNodeType => "UNKNOWN_NODE_TYPE",
            Self::NodeTypeNotAllowed => "NODE_TYPE_NOT_ALLOWED",
            Self::ExecutionError => "EXECUTION_ERROR",
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
            Self::CredentialMissing => "CREDENTIAL_MISSING",
            Self::DependencyNotLoaded => "DEPENDENCY_NOT_LOADED",
            Self::PluginPanicked => "PLUGIN_PANICKED",
            Self::PluginCrashed => "PLUGIN_CRASHED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::NoFallback => "NO_FALLBACK",
            Self::FallbackNotFound => "FALLBACK_NOT_FOUND",
            Self::FallbackFailed => "FALLBACK_FAILED",
        }
    }
}

/// Why a node gave no output.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind it is.
    pub class: Class,
    /// The node's own code, where it gave one; what retries look at.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: Cow<'static, str>,
    /// HTTP-like status, where there is one.
    pub status_code: Option<u16>,
    /// Whether trying again may help, where the node knows.
    pub retryable: Option<bool>,
    /// More for machines.
    pub details: Option<Box<Value>>,
}

impl Failure {
    /// A failure of a class, whose word is its code.
    pub fn new(class: Class, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            class,
            code: class.as_str().into(),
            message: message.into(),
            status_code: None,
            retryable: None,
            details: None,
        }
    }

    /// What the result shows as `errorCode`: the node's own word, unless it is one that only the host may say.
    #[must_use]
    pub fn error_code(&self) -> &str {
        const HOSTS_WORDS: &[&str] = &[
            "TIMEOUT",
            "CANCELLED",
            "PLUGIN_PANICKED",
            "PLUGIN_CRASHED",
            "UNKNOWN_NODE_TYPE",
        ];
        let code = &*self.code;
        match self.class {
            Class::ExecutionError if !code.is_empty() && !HOSTS_WORDS.contains(&code) => code,
            class => class.as_str(),
        }
    }
}
