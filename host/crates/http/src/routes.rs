//! The routes, one module per kind of work.

mod audit;
mod call;
mod change;
mod events;
mod fixed;
mod hooks;
mod pins;
mod read;
mod rollouts;
mod runs;
mod workflows;

use axum::Router;
use axum::routing::get;
pub(crate) use fixed::fixed;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Everything below `/api/v1`.
pub(crate) fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::status))
        .routes(routes!(read::plugins))
        .routes(routes!(read::plugin))
        .routes(routes!(read::history))
        .routes(routes!(read::rejected))
        .routes(routes!(read::nodes))
        .routes(routes!(read::node))
        .routes(routes!(change::promote))
        .routes(routes!(change::rollback))
        .routes(routes!(change::quarantine))
        .routes(routes!(rollouts::plan))
        .routes(routes!(rollouts::start))
        .routes(routes!(rollouts::pause))
        .routes(routes!(rollouts::resume))
        .routes(routes!(rollouts::promote))
        .routes(routes!(rollouts::abort))
        .routes(routes!(rollouts::list))
        .routes(routes!(rollouts::show))
        .routes(routes!(rollouts::policy, rollouts::set_policy))
        .routes(routes!(pins::list))
        .routes(routes!(pins::pin))
        .routes(routes!(pins::unpin))
        .routes(routes!(audit::list))
        .routes(routes!(audit::verify))
        .routes(routes!(audit::export))
        .routes(routes!(audit::collect))
        .routes(routes!(call::call))
        .routes(routes!(events::events))
        .routes(routes!(workflows::validate))
        .routes(routes!(workflows::workflows))
        .routes(routes!(workflows::workflow))
        .routes(routes!(workflows::caches))
        .routes(routes!(workflows::failures))
        .routes(routes!(runs::begin, runs::list))
        .routes(routes!(runs::begin_served))
        .routes(routes!(runs::show))
        .routes(routes!(runs::document))
        .routes(routes!(runs::events))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::replay))
        .routes(routes!(hooks::hook))
}

/// The check that needs the host.
pub(crate) fn ready() -> Router<App> {
    Router::new().route("/readyz", get(read::ready))
}
