//! The node that sends mail.

use std::time::Duration;

use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Dict, Flag, List, Text, Whole};

use crate::compose::Draft;
use crate::dialogue::{Envelope, Partly, Sent, send};
use crate::drafting::draft;
use crate::failure::{Rejected, failure, said, timeout};
use crate::progress::Progress;
use crate::server::Server;
use crate::tls;

/// Milliseconds that sending may take, unless told otherwise.
const TIMEOUT_MS: i64 = 60_000;
/// What is left of the caller's time for telling it that it is up.
const MARGIN: Duration = Duration::from_millis(200);
#[parameters]
pub(crate) struct Mail<'a> {
    /// Who gets it: addresses with commas between, a map of `name` and `address`, or a list of either.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "object", "array", "null"]))]
    pub(crate) to: Any<'a>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "object", "array", "null"]))]
    pub(crate) cc: Any<'a>,
    /// Who gets a copy without the others' knowing.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "object", "array", "null"]))]
    pub(crate) bcc: Any<'a>,
    /// Who it is from; the setting `email.from` when it is missing.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "object", "null"]))]
    pub(crate) from: Any<'a>,
    /// Where answers go, if not to the sender.
    #[serde(default, alias = "reply_to")]
    #[schemars(extend("type" = ["string", "object", "array", "null"]))]
    pub(crate) reply_to: Any<'a>,
    /// The subject; the template's when it is missing.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "number", "boolean", "null"]), length(max = 1_000))]
    pub(crate) subject: Option<Text<'a>>,
    /// The text.
    #[serde(default, alias = "text")]
    #[schemars(extend("type" = ["string", "number", "boolean", "null"]), length(max = 5_242_880))]
    pub(crate) body: Option<Text<'a>>,
    /// The text as HTML, instead of `body` or beside it.
    #[serde(default)]
    #[schemars(length(max = 5_242_880))]
    pub(crate) html: Option<&'a str>,
    /// The name of a template, which the administrator set as `email.template.NAME`.
    #[serde(default)]
    #[schemars(length(max = 128))]
    pub(crate) template: Option<&'a str>,
    /// A template of the workflow's own: a map with `subject`, `text` and `html`, where `{{ name }}` is a field of `data`.
    #[serde(default, alias = "template_source")]
    #[schemars(extend("x-template" = false))]
    pub(crate) template_source: Dict<'a>,
    /// What fills the fields of the template.
    #[serde(default)]
    pub(crate) data: Dict<'a>,
    /// Files: maps of `filename` and `content` in base64, and, if wanted, `contentType`, `encoding` (`utf8` for a `content`
    /// as it is) and `cid` (for HTML to show it by).
    #[serde(default)]
    pub(crate) attachments: List<'a>,
    /// Further headers, such as `X-Priority` or `List-Unsubscribe`.
    #[serde(default)]
    pub(crate) headers: Dict<'a>,
    /// The message's own id, `name@domain`; a random one when it is missing.
    #[serde(default, alias = "message_id")]
    #[schemars(length(max = 255))]
    pub(crate) message_id: Option<&'a str>,
    /// The server: the secret `SMTP_URL_NAME` for `name`, else `SMTP_URL`.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) connection: Option<&'a str>,
    /// Whether nobody gets it when the server refuses somebody.
    #[serde(default, alias = "require_all")]
    #[schemars(extend("default" = false))]
    pub(crate) require_all: Option<Flag>,
    /// Milliseconds that it may take.
    #[serde(default)]
    #[schemars(extend("default" = 60_000, "minimum" = 1, "maximum" = 600_000))]
    pub(crate) timeout: Option<Whole>,
    /// Refused: the server is not for a workflow to choose.
    #[serde(default, alias = "host", alias = "smtp_host")]
    pub(crate) smtp_host: Any<'a>,
    /// Refused: the server is not for a workflow to choose.
    #[serde(default, alias = "port", alias = "smtp_port")]
    pub(crate) smtp_port: Any<'a>,
    /// Refused: who logs in is not for a workflow to choose.
    #[serde(default)]
    pub(crate) username: Any<'a>,
    /// Refused: no password belongs into a workflow.
    #[serde(default)]
    pub(crate) password: Any<'a>,
}

/// What became of a message.
#[output]
pub(crate) struct Mailed {
    /// Whether the server took it, for everybody in `accepted`.
    success: bool,
    /// Its id, without angle brackets.
    message_id: String,
    /// The addresses it goes to.
    accepted: Vec<String>,
    /// The addresses that the server refused.
    rejected: Vec<Rejected>,
    /// What the server said.
    response: String,
}

/// Sends a mail over the administrator's SMTP server. A failure before the message was handed over is worth another try when
/// it may pass; one while the server is taking it is not, since the message may be on its way.
#[node(
    id = "email-send",
    aliases = ["smtp-relay-send", "smtp-send", "smtp.sendEmail", "smtp.send_email", "email.send", "email_send"],
    category = "integration",
    effect = "effectful",
    timeout_ms = 90_000,
    capabilities = ["network", "secrets"],
    secrets = ["SMTP_URL", "SMTP_URL_*"],
    tags = ["email", "smtp", "network"],
    example(
        title = "a text",
        input = r#"{
            "from": "shop@example.com", "to": "Ada <ada@example.com>", "subject": "Your order", "body": "It is on its way.",
            "messageId": "order-17@example.com"
        }"#,
        output = r#"{
            "success": true, "messageId": "order-17@example.com", "accepted": ["ada@example.com"], "rejected": [],
            "response": "250 OK"
        }"#
    ),
    example(
        title = "a template",
        input = r#"{
            "from": "shop@example.com", "to": ["ada@example.com"], "cc": {"name": "Bob", "address": "bob@example.com"},
            "templateSource": {"subject": "Hello {{ name }}", "html": "<p>Hello {{ name }}</p>"}, "data": {"name": "Ada"},
            "messageId": "hello-1@example.com"
        }"#,
        output = r#"{
            "success": true, "messageId": "hello-1@example.com", "accepted": ["ada@example.com", "bob@example.com"],
            "rejected": [], "response": "250 OK"
        }"#
    )
)]
pub(crate) async fn email_send(input: Mail<'_>, ctx: Ctx<'_>) -> NodeResult<Mailed> {
    let draft = draft(&input, &ctx)?;
    let server = Server::of(input.connection, &ctx)?;
    let partly = match input.require_all {
        Some(Flag(true)) => Partly::Refused,
        _ => Partly::Allowed,
    };
    let limit = input
        .timeout
        .map_or(Ok(TIMEOUT_MS), |ms| ms.within("timeout", 1..=600_000))?;
    let limit = Duration::from_millis(u64::try_from(limit)?);
    let pem = tls::authorities(ctx).await?;
    // The caller's own limit would end this without a word of whether the message may be on its way.
    let limit = ctx
        .remaining()
        .map_or(limit, |left| limit.min(left.saturating_sub(MARGIN.min(left / 4))));
    plugin_io::run(ctx, mailed(draft, server, partly, pem, limit)).await
}

/// Writes the message and hands it over, within a time.
async fn mailed(
    draft: Draft,
    server: Server,
    partly: Partly,
    pem: Option<String>,
    limit: Duration,
) -> NodeResult<Mailed> {
    let config = tls::configuration(pem.as_deref())?;
    let everybody = [&draft.to, &draft.cc, &draft.bcc].into_iter().flatten();
    let message_id = draft.message_id.clone();
    let envelope = Envelope {
        from: draft.from.email.clone(),
        to: once(everybody),
        partly,
        message: draft.written()?,
    };
    let progress = Progress::default();
    let sent = tokio::time::timeout(limit, send(&server, config, envelope, &progress)).await;
    match sent {
        Ok(Ok(sent)) => Ok(done(sent, message_id, &server)),
        Ok(Err(trouble)) => Err(failure(trouble, progress.step(), &message_id, &server)),
        Err(_) => Err(timeout(progress.step(), limit.as_millis(), &message_id)),
    }
}

fn done(sent: Sent, message_id: String, server: &Server) -> Mailed {
    Mailed {
        success: true,
        message_id,
        accepted: sent.accepted,
        rejected: sent
            .rejected
            .into_iter()
            .map(|refusal| Rejected::of(refusal, server))
            .collect(),
        response: said(&sent.reply, server),
    }
}

/// Each address once, in the order in which they come.
fn once<'m>(mailboxes: impl Iterator<Item = &'m Mailbox>) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for mailbox in mailboxes {
        if !addresses.contains(&mailbox.email) {
            addresses.push(mailbox.email.clone());
        }
    }
    addresses
}
