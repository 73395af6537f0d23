//! Errors of the HTTP layer, and the one place where errors become status codes.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patchbay_control::{ControlError, ErrorClass};
use patchbay_vocab::{BadId, Code, Explain};
use patchbay_wire::ProblemView;

use crate::body::LARGEST_BODY;

/// What is wrong with a request, before any use case sees it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No route has this path.
    #[error("there is nothing at this path")]
    UnknownRoute,
    /// The route exists and does not take this method.
    #[error("this path does not take this method")]
    WrongMethod,
    /// The request names another machine than this one.
    #[error("the request is not addressed to this host")]
    ForeignHost,
    /// A page of another site sent the request.
    #[error("requests from pages of other sites are refused")]
    ForeignOrigin,
    /// The body is not declared as JSON.
    #[error("the body is not declared as JSON")]
    NotJson,
    /// The body cannot be read as what the route takes.
    #[error("the body does not fit: {why}")]
    BadBody {
        /// Where, and what was expected.
        why: String,
    },
    /// The body is larger than a host takes.
    #[error("the body is larger than {most} bytes")]
    BodyTooLarge {
        /// How large it may be.
        most: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    /// The connection ended before the body did.
    #[error("the body ended early")]
    BodyBroken,
    /// The query cannot be read as what the route takes.
    #[error("the query does not fit: {why}")]
    BadQuery {
        /// What was expected.
        why: String,
    },
    /// A name in the path is not one.
    #[error("{0}")]
    BadName(BadId),
    /// What is to become live is not named in a way that is understood.
    #[error("`to` names no version or revision: {why}")]
    BadTarget {
        /// The rule that was broken.
        why: String,
    },
    /// An order names nobody.
    #[error("the header x-patchbay-actor is not a name")]
    BadActor,
    /// An order has a name that cannot be one.
    #[error("the header idempotency-key is not a key")]
    BadKey,
    /// Every thread for this kind of work has been busy for too long.
    #[error("the host is busy")]
    Busy,
    /// The first look at the plugin directory is not over.
    #[error("the host is still starting")]
    NotReady,
    /// The request is malformed in a way that no other code names.
    #[error("the request is malformed")]
    Malformed,
    /// The work ended without an answer.
    #[error("the host failed to answer")]
    Failed,
    /// The API has no authentication, so it stays on this machine.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
}

impl HttpError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::UnknownRoute => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BadBody { .. }
            | Self::BadQuery { .. }
            | Self::BodyBroken
            | Self::BadName(_)
            | Self::BadTarget { .. }
            | Self::BadActor
            | Self::BadKey
            | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Busy | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed | Self::NotLoopback { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What a status means that some layer below chose without a problem in the body.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownRoute,
            StatusCode::METHOD_NOT_ALLOWED => Self::WrongMethod,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge { most: LARGEST_BODY },
            status if status.is_server_error() => Self::Failed,
            _ => Self::Malformed,
        }
    }
}

impl Explain for HttpError {
    fn code(&self) -> Code {
        Code(match self {
            Self::UnknownRoute => "PB-HTTP-001",
            Self::WrongMethod => "PB-HTTP-002",
            Self::ForeignHost => "PB-HTTP-003",
            Self::ForeignOrigin => "PB-HTTP-004",
            Self::NotJson => "PB-HTTP-005",
            Self::BadBody { .. } => "PB-HTTP-006",
            Self::BodyTooLarge { .. } => "PB-HTTP-007",
            Self::BodyTooSlow => "PB-HTTP-008",
            Self::BodyBroken => "PB-HTTP-009",
            Self::BadName(_) => "PB-HTTP-010",
            Self::BadTarget { .. } => "PB-HTTP-011",
            Self::BadActor => "PB-HTTP-012",
            Self::Busy => "PB-HTTP-013",
            Self::Malformed => "PB-HTTP-014",
            Self::Failed => "PB-HTTP-015",
            Self::NotLoopback { .. } => "PB-HTTP-016",
            Self::NotReady => "PB-HTTP-017",
            Self::BadQuery { .. } => "PB-HTTP-018",
            Self::BadKey => "PB-HTTP-019",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::UnknownRoute | Self::WrongMethod => "see /api/v1/openapi.json for what there is".into(),
            Self::ForeignHost => "use http://localhost or a loopback address, with this host's port".into(),
            Self::ForeignOrigin => {
                "use the page that this host serves, or a client that is no browser".into()
            }
            Self::NotJson => "send the header content-type: application/json".into(),
            Self::BadQuery { .. } => "see /api/v1/openapi.json for what the route takes".into(),
            Self::BadBody { .. } => "see /api/v1/openapi.json for the shape of the body".into(),
            Self::BodyTooLarge { .. } => "send less, or the name of where the rest is".into(),
            Self::BodyTooSlow | Self::BodyBroken => "send the whole body at once".into(),
            Self::BadName(_) => "names are listed at /api/v1/plugins and /api/v1/nodes".into(),
            Self::BadTarget { .. } => "name a version such as 1.2.0, or a revision such as r3".into(),
            Self::BadActor => "send 1 to 64 printable ASCII characters, or leave the header out".into(),
            Self::BadKey => "send it once, with 1 to 64 printable ASCII characters, or leave it out".into(),
            Self::Busy => "try again later; `patchbay plugins` shows which versions hold calls".into(),
            Self::NotReady => "try again in a moment; the plugins of the directory are being vetted".into(),
            Self::Malformed => "check the request line and the headers".into(),
            Self::Failed => "look for the request's id in the host's log".into(),
            Self::NotLoopback { .. } => {
                "listen on 127.0.0.1 or [::1], and put an authenticating proxy before it".into()
            }
        }
    }
}

/// An answer that is not a success. The outermost layer writes the body, since it knows the request's id.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    problem: Box<ProblemView>,
}

impl Refusal {
    /// The problem that a response carries until its body is written.
    pub(crate) fn problem_of(response: &mut Response) -> Option<ProblemView> {
        response
            .extensions_mut()
            .remove::<Marked>()
            .map(|Marked(problem)| problem)
    }
}

/// Keeps the extension apart from any other [`ProblemView`].
#[derive(Clone)]
struct Marked(ProblemView);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Marked(*self.problem));
        response
    }
}

impl From<HttpError> for Refusal {
    fn from(error: HttpError) -> Self {
        Self {
            status: error.status(),
            problem: Box::new(error.explained().into()),
        }
    }
}

impl From<BadId> for Refusal {
    fn from(error: BadId) -> Self {
        HttpError::BadName(error).into()
    }
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        let (class, mut problem) = (error.class(), error.problem());
        let status = status_of(class);
        if status.is_server_error() {
            tracing::error!(code = %problem.code, cause = %problem.message, "use case failed");
        }
        if matches!(class, ErrorClass::Internal) {
            // Causes of faults of the host's own name files and systems: they are for its log.
            problem.message = error.to_string();
        }
        Self {
            status,
            problem: Box::new(problem),
        }
    }
}

/// What a caller is told about whose turn it is.
const fn status_of(class: ErrorClass) -> StatusCode {
    match class {
        ErrorClass::NotFound => StatusCode::NOT_FOUND,
        ErrorClass::Invalid => StatusCode::BAD_REQUEST,
        ErrorClass::Forbidden => StatusCode::FORBIDDEN,
        ErrorClass::Conflict => StatusCode::CONFLICT,
        ErrorClass::NodeFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorClass::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorClass::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorClass::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
