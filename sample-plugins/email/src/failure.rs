//! Troubles as nodes tell them. Invariant: what may have been sent is never called worth another try, and no error has the
//! password in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::dialogue::{Refusal, Trouble};
use crate::progress::Step;
use crate::reply::Reply;
use crate::server::{Login, Server};
use crate::wire::Lost;

/// Refused recipients that a message names.
const MOST_NAMED: usize = 10;

/// More of a failure, for machines.
#[output]
struct Details<'a> {
    step: &'a str,
    /// The server's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_code: Option<u16>,
    message_id: &'a str,
    may_have_been_accepted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<Rejected>,
}

/// A recipient that the server does not take.
#[output]
pub(crate) struct Rejected {
    /// The address.
    address: String,
    /// The server's code.
    code: u16,
    /// What the server said.
    message: String,
    /// Whether the same may go well later.
    temporary: bool,
}

impl Rejected {
    pub(crate) fn of(refusal: Refusal, server: &Server) -> Self {
        Self {
            address: refusal.address,
            code: refusal.reply.code,
            message: said(&refusal.reply, server),
            temporary: refusal.reply.is_temporary(),
        }
    }
}

/// The error of a message that was not sent, or of which that is not known.
pub(crate) fn failure(trouble: Trouble, step: Step, message_id: &str, server: &Server) -> NodeError {
    let uncertain = step == Step::Ended && matches!(trouble, Trouble::Lost(_));
    let doing = step.name();
    let mut smtp_code = None;
    let mut rejected = Vec::new();
    let (code, retryable, what) = match trouble {
        Trouble::Lost(lost) => lost_message(lost, doing),
        Trouble::Refused(reply) => {
            smtp_code = Some(reply.code);
            let hint = match (step, reply.is_temporary()) {
                (Step::LoggingIn, false) => "; look whether user and password are right",
                _ => "",
            };
            let what = format!("the server refused while {doing}: {}{hint}", said(&reply, server));
            (code_of(reply.is_temporary()), reply.is_temporary(), what)
        }
        Trouble::Recipients(refusals) => {
            let temporary = refusals.iter().any(|refusal| refusal.reply.is_temporary());
            smtp_code = refusals.first().map(|refusal| refusal.reply.code);
            let named: Vec<String> = refusals
                .iter()
                .take(MOST_NAMED)
                .map(|refusal| format!("`{}` ({})", refusal.address, said(&refusal.reply, server)))
                .collect();
            let others = refusals.len().saturating_sub(MOST_NAMED);
            let others = if others > 0 {
                format!(" and {others} more")
            } else {
                String::new()
            };
            let what = format!(
                "nothing was sent, since the server refused {}{others}",
                named.join(", ")
            );
            rejected = refusals
                .into_iter()
                .map(|refusal| Rejected::of(refusal, server))
                .collect();
            (code_of(temporary), temporary, what)
        }
        Trouble::Unfit(why) => (
            code::EXECUTION_ERROR,
            false,
            format!("the server is not fit for this: {why}"),
        ),
    };
    let details = Details {
        step: doing,
        smtp_code,
        message_id,
        may_have_been_accepted: uncertain,
        rejected,
    };
    let error = if uncertain {
        doubtful(&what, message_id)
    } else {
        NodeError::with_code(code, what).retryable(retryable)
    };
    finished(error, &details)
}

/// The error of a message whose time ran out.
pub(crate) fn timeout(step: Step, millis: u128, message_id: &str) -> NodeError {
    let uncertain = step == Step::Ended;
    let what = format!("time ran out after {millis} ms while {}", step.name());
    let error = if uncertain {
        doubtful(&what, message_id)
    } else {
        NodeError::with_code(code::TEMPORARY_FAILURE, what).retryable(true)
    };
    let details = Details {
        step: step.name(),
        smtp_code: None,
        message_id,
        may_have_been_accepted: uncertain,
        rejected: Vec::new(),
    };
    finished(error, &details)
}

/// Of a message that nobody knows the fate of. Sending it again is for people to decide.
fn doubtful(what: &str, message_id: &str) -> NodeError {
    let why = format!(
        "{what}; the whole message had been sent by then, and the server may have accepted it: look for `{message_id}` \
         before it is sent again"
    );
    NodeError::new(why).retryable(false)
}

fn finished(error: NodeError, details: &Details<'_>) -> NodeError {
    match Value::from_serialize(details) {
        Ok(details) => error.details(details),
        Err(_) => error,
    }
}

const fn code_of(temporary: bool) -> &'static str {
    if temporary {
        code::TEMPORARY_FAILURE
    } else {
        code::EXECUTION_ERROR
    }
}

fn lost_message(lost: Lost, doing: &str) -> (&'static str, bool, String) {
    match lost {
        Lost::Io(error) => (
            code::TEMPORARY_FAILURE,
            true,
            format!("the connection failed while {doing}: {error}"),
        ),
        Lost::Closed => (
            code::TEMPORARY_FAILURE,
            true,
            format!("the server closed the connection while {doing}"),
        ),
        Lost::Tls(why) => (
            code::EXECUTION_ERROR,
            false,
            format!(
                "the server cannot be trusted: {why}; the certificate of an authority of one's own goes into the setting \
                 `email.ca`"
            ),
        ),
        Lost::Garbage(why) => (
            code::EXECUTION_ERROR,
            false,
            format!("the server does not speak SMTP while {doing}: {why}"),
        ),
    }
}

/// What a server said, fit for people; not a word of it when it tells the password, in whatever form that was sent.
pub(crate) fn said(reply: &Reply, server: &Server) -> String {
    let text = reply.shown();
    let Some(Login { user, password, .. }) = &server.login else {
        return text;
    };
    let forms = [
        BASE64_STANDARD.encode(format!("\0{user}\0{password}")),
        BASE64_STANDARD.encode(format!("user={user}\x01auth=Bearer {password}\x01\x01")),
        BASE64_STANDARD.encode(password),
        password.clone(),
    ];
    let whole = reply.lines.join(" ");
    if forms.iter().any(|form| whole.contains(form.as_str())) {
        return format!(
            "{} (what it says is left out, since the password is in it)",
            reply.code
        );
    }
    text
}
