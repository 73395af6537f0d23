//! Differences between two JSON Schemas of parameters.
