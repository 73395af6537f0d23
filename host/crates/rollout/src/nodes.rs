//! Differences between the node types of two versions.
