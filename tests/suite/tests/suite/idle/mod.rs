//! What nobody calls is put away, and comes back with the next call as if it had never been gone.

mod instances;
mod plugins;
