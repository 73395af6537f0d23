//! Lists of versions: which one is the latest, and what is known of each.

use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, kind_name};
use semver::VersionReq;

use crate::reference::{Names, Raw, cut};
use crate::store::value_of;
use crate::version::Known;

/// Versions that are looked at.
const MAX_VERSIONS: usize = 10_000;
/// What is known of an artifact and is shown with its version.
const SHOWN: [&str; 4] = ["digest", "size", "uploaded_at", "uploaded_by"];

/// The entries of a list of versions, and the version of each.
fn entries(versions: ValueRef<'_>) -> NodeResult<Vec<(ValueRef<'_>, &str)>> {
    let Some(list) = versions.as_list() else {
        let why = format_args!("expected a list, found {}", kind_name(versions));
        return Err(NodeError::invalid("versions", why));
    };
    if list.len() > MAX_VERSIONS {
        let why = format_args!("must have at most {MAX_VERSIONS} items, but has {}", list.len());
        return Err(NodeError::invalid("versions", why));
    }
    let read = list.iter().enumerate().map(|(place, entry)| {
        let version = entry.as_str().or_else(|| entry.get("version")?.as_str());
        let wrong = || {
            let why = format_args!("item {place} is neither a text nor a map with a text as `version`");
            NodeError::invalid("versions", why)
        };
        Ok((entry, version.ok_or_else(wrong)?))
    });
    read.collect()
}

#[parameters]
pub(crate) struct Resolve<'a> {
    /// Versions: texts, or maps with a `version`.
    #[serde(default)]
    versions: Raw<'a>,
    /// Which versions will do, such as `^1.2` or `>=1, <3`; all of them, if missing.
    #[serde(default)]
    range: Raw<'a>,
    /// Takes versions before a release like any other. Otherwise one of them is taken where there is nothing else.
    #[serde(default, alias = "prereleases")]
    prerelease: bool,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the latest of a list of versions, by the rules of semver.org, as it is in the list; null when there is none. Of
/// several entries of that version, the first. What is no version is older than all that are.
#[node(
    id = "packagerepo.resolveLatestVersion",
    aliases = ["packagerepo.resolve_latest_version"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["version", "semver"],
    example(
        title = "a release before what leads to the next one",
        input = r#"{"versions": [{"version": "1.9.0"}, {"version": "1.10.0"}, {"version": "2.0.0-rc.1"}]}"#,
        output = r#"{"result": {"version": "1.10.0"}}"#
    ),
    example(
        title = "within a range",
        input = r#"{"versions": ["1.9.0", "1.10.0", "2.0.0"], "range": "<1.10"}"#,
        output = r#"{"result": "1.9.0"}"#
    ),
    example(title = "none", input = r#"{"versions": []}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn resolve_latest_version(
    input: Resolve<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let range = match names.read(input.range, "range")? {
        None => None,
        Some(_) => {
            let text = names.text(input.range, "range", 256)?;
            let read = VersionReq::parse(&text);
            Some(
                read.map_err(|error| NodeError::invalid("range", format_args!("`{}`: {error}", cut(&text))))?,
            )
        }
    };
    let versions = names.needed(input.versions, "versions")?;
    let mut best: Option<(bool, Known<'_>, ValueRef<'_>)> = None;
    for (entry, text) in entries(versions.as_ref())? {
        ctx.check()?;
        let known = Known::read(text);
        let fits = range
            .as_ref()
            .is_none_or(|range| known.version().is_some_and(|version| range.matches(version)));
        if !fits {
            continue;
        }
        let stable = input.prerelease || !known.is_unstable();
        let better = best
            .as_ref()
            .is_none_or(|(best_stable, best, _)| (stable, &known) > (*best_stable, best));
        if better {
            best = Some((stable, known, entry));
        }
    }
    let result = best.map_or_else(Value::null, |(_, _, entry)| entry.to_value());
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

#[parameters]
pub(crate) struct Enrich<'a> {
    /// Versions: texts, or maps with `version` and `variant`.
    #[serde(default)]
    versions: Raw<'a>,
    /// The namespace of the package.
    #[serde(default)]
    namespace: Raw<'a>,
    /// The name of the package. Without it nothing is looked up.
    #[serde(default)]
    name: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives a list of versions with the newest first. Each is a map with `latest` and `prerelease`, and with what
/// `packagerepo.kvPut` wrote about it under `artifact/NAMESPACE/NAME/VERSION/VARIANT`: `digest`, `size`, `uploaded_at`,
/// `uploaded_by`, where the list does not say it already.
#[node(
    id = "packagerepo.enrichVersionList",
    aliases = ["packagerepo.enrich_version_list"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["version", "semver"],
    example(
        title = "in order",
        input = r#"{"namespace": "acme", "name": "lib", "versions": [{"version": "1.0.0", "variant": "any"}, {"version": "2.0.0-rc.1", "variant": "any"}]}"#,
        output = r#"{"result": [{"version": "2.0.0-rc.1", "variant": "any", "latest": false, "prerelease": true}, {"version": "1.0.0", "variant": "any", "latest": true, "prerelease": false}]}"#
    ),
    example(
        title = "texts",
        input = r#"{"versions": ["1.0.0"]}"#,
        output = r#"{"result": [{"version": "1.0.0", "latest": true, "prerelease": false}]}"#
    )
)]
pub(crate) fn enrich_version_list(input: Enrich<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let part = |raw: Raw<'_>, parameter: &str| match names.read(raw, parameter)? {
        None => Ok(None),
        Some(_) => names.text(raw, parameter, 256).map(Some),
    };
    let (namespace, name) = (part(input.namespace, "namespace")?, part(input.name, "name")?);
    let package = namespace.zip(name);
    let versions = names.needed(input.versions, "versions")?;
    let entries = entries(versions.as_ref())?;
    let mut known: Vec<(ValueRef<'_>, Known<'_>, &str)> = entries
        .into_iter()
        .map(|(entry, text)| (entry, Known::read(text), text))
        .collect();
    // Stable, so that variants of a version stay in their order.
    known.sort_by(|a, b| b.1.cmp(&a.1));
    let release = known
        .iter()
        .find(|entry| !entry.1.is_unstable())
        .or_else(|| known.first());
    let latest = release.map(|entry| entry.1.clone());
    let mut enriched = Vec::with_capacity(known.len());
    for (entry, version, text) in &known {
        ctx.check()?;
        let own = Value::from(*text);
        let fields = entry.as_map();
        let alone = fields.is_none().then_some(("version", own.as_ref()));
        let mut added = vec![
            ("latest", Value::from(latest.as_ref() == Some(version))),
            ("prerelease", Value::from(version.is_unstable())),
        ];
        if let Some((namespace, name)) = &package {
            let variant = entry.get("variant").and_then(|variant| variant.as_str());
            let place = match variant {
                Some(variant) => format!("artifact/{namespace}/{name}/{text}/{variant}"),
                None => format!("artifact/{namespace}/{name}/{text}"),
            };
            let about = value_of(&place, ctx)?.unwrap_or_default();
            let told = SHOWN
                .iter()
                .filter_map(|field| Some((*field, about.as_ref().get(field)?.to_value())));
            added.extend(told);
        }
        let is_new = |field: &str| fields.is_none_or(|fields| fields.get(field).is_none());
        let kept = alone.into_iter().chain(fields.into_iter().flatten());
        let added = added.iter().filter(|(field, _)| is_new(field));
        let added = added.map(|(field, value)| (*field, value.as_ref()));
        enriched.push(Value::from_pairs(kept.chain(added))?);
    }
    let result = Value::from_items(enriched.iter().map(Value::as_ref))?;
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}
