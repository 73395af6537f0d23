//! What documents run in: a host with every plugin that is built, and for each document a tenant with a database, a
//! folder, secrets and settings of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::database;
use super::document::Needs;
use super::servers::Servers;
use super::value::{EMAIL, PASSWORD, USER, id_of};
use crate::tree;

/// How long a run may take.
const LIMIT: &str = "20s";
/// Where the host finds its plugins and keeps its own files.
const PLACES: &str = "plugins = \"plugins\"\ndata = \"store\"\n";
/// A name that leads to the loopback server.
const SERVICE: &str = "service.example.com";

/// One document, and whose it is.
pub(super) struct Case {
    pub(super) path: PathBuf,
    /// Its file without the extension.
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) needs: Needs,
    pub(super) input: Json,
}

pub(super) struct World {
    folder: TempDir,
    /// Where what cargo built lies.
    built: PathBuf,
    servers: Servers,
    env: BTreeMap<String, String>,
    host: Option<Host>,
    /// Plugins that are not built.
    pub(super) unbuilt: Vec<String>,
}

struct Host {
    child: Child,
    url: String,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who runs every document.
pub(super) fn user(tenant: &str) -> Json {
    json!({"id": USER, "email": EMAIL, "name": "Ada", "displayName": "Ada", "level": 5, "role": "admin",
        "roles": ["admin"], "tenantId": tenant, "permissions": ["*"]})
}

impl World {
    /// Prepares everything, and starts the host.
    pub(super) fn open(built: &Path, cases: &mut [Case]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("patchbay-corpus-").tempdir()?;
        let servers = Servers::start()?;
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins)?;
        let root = tree::root();
        let mut unbuilt = Vec::new();
        for package in tree::packages(&root)? {
            if !package.folder(&root).starts_with("sample-plugins/") {
                continue;
            }
            for target in package
                .targets
                .iter()
                .filter(|target| target.kind.iter().any(|kind| kind == "cdylib"))
            {
                let file = format!("lib{}.so", target.name);
                if fs::copy(built.join(&file), plugins.join(&file)).is_err() {
                    unbuilt.push(package.name.clone());
                }
            }
        }
        let names = cases.iter().flat_map(|case| &case.needs.env);
        let env = names.map(|name| (name.clone(), variable(name))).collect();
        let mut world = Self {
            folder,
            built: built.to_owned(),
            servers,
            env,
            host: None,
            unbuilt,
        };
        // Which secrets nodes read is for the host to say.
        fs::write(world.path("patchbay.toml"), PLACES)?;
        world.start()?;
        let secrets = world.secrets()?;
        world.host = None;
        let text = world.configuration(cases, &secrets)?;
        fs::write(world.path("patchbay.toml"), text)?;
        world.start()?;
        for case in cases {
            world.prepare(case);
        }
        Ok(world)
    }

    /// Names of secrets that nodes declare.
    fn secrets(&self) -> Result<BTreeSet<String>> {
        let output = self.command(&["nodes"])?;
        let nodes: Json = serde_json::from_slice(&output.stdout).context("the nodes of the host")?;
        let declared = nodes.as_array().into_iter().flatten();
        let declared = declared.flat_map(|node| node["secrets"].as_array().into_iter().flatten());
        Ok(declared.filter_map(Json::as_str).map(str::to_owned).collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self, cases: &[Case], secrets: &BTreeSet<String>) -> Result<String> {
        let http = self.servers.http;
        let mut text = format!("{PLACES}\n[workflows]\n");
        let env: Vec<&String> = self.env.keys().collect();
        writeln!(text, "env = {}\n", json!(env))?;
        let settings = [
            ("http.allow_hosts", "*, 127.0.0.1".to_owned()),
            ("http.base_url", format!("http://{http}")),
            ("http.connect_to", format!("{SERVICE}:80={http}")),
            ("email.from", "patchbay@example.com".to_owned()),
            ("ai.url", format!("http://{http}/v1")),
            ("ai.model", "a-model".to_owned()),
        ];
        writeln!(text, "[settings]")?;
        for (name, value) in settings {
            writeln!(text, "{} = {}", json!(name), json!(value))?;
        }
        let templates: BTreeSet<&String> = cases.iter().flat_map(|case| &case.needs.templates).collect();
        for name in templates {
            let name = format!("email.template.{name}");
            writeln!(text, "{} = \"A message.\"", json!(name))?;
            writeln!(text, "{} = \"A subject\"", json!(format!("{name}.subject")))?;
        }
        let mut furnished = BTreeSet::new();
        for case in cases {
            // Documents that name one tenant share what was made for the first of them.
            if !furnished.insert(&case.tenant) {
                continue;
            }
            let home = self.path(&case.tenant);
            let files = home.join("files");
            fs::create_dir_all(&files)?;
            fs::write(files.join("picture.png"), PICTURE)?;
            fs::write(files.join("notes.txt"), "a few words\n")?;
            let base = home.join("world.db");
            database::seed(&base, &case.needs, &case.input, &user(&case.tenant), &case.tenant)
                .with_context(|| format!("the database of {}", case.name))?;
            writeln!(text, "\n[tenants.{}.settings]", case.tenant)?;
            writeln!(text, "\"files.folder\" = {}", json!(files))?;
            writeln!(text, "\n[tenants.{}.secrets]", case.tenant)?;
            let families = case
                .needs
                .families
                .iter()
                .map(|family| family.to_uppercase().replace('-', "_"));
            let families: Vec<String> = families.collect();
            let mut named: BTreeSet<String> = case.needs.credentials.clone();
            for secret in secrets {
                match secret.strip_suffix('*') {
                    // A name that a node makes of its own.
                    Some(begin) => named.extend(families.iter().map(|family| format!("{begin}{family}"))),
                    None => drop(named.insert(secret.clone())),
                }
            }
            let value = |name: &str| {
                if name.starts_with("DATABASE_URL") {
                    format!("sqlite://{}", base.display())
                } else if name.starts_with("SMTP_URL") {
                    format!("smtp://{}?tls=none", self.servers.smtp)
                } else {
                    "a key of thirty-two bytes or more".to_owned()
                }
            };
            for (at, name) in named.iter().enumerate() {
                let file = home.join(format!("secret-{at}"));
                fs::write(&file, value(name))?;
                writeln!(text, "{} = {{ file = {} }}", json!(name), json!(file))?;
            }
        }
        Ok(text)
    }

    fn start(&mut self) -> Result<()> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))?;
        let mut child = Command::new(self.built.join("patchbay"))
            .args(["up", "--listen", "127.0.0.1:0", "--log", "warn", "--config"])
            .arg(self.path("patchbay.toml"))
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}/patchbay; build it first", self.built.display()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let Some(url) = line.trim().strip_prefix("ready ") else {
            let _ = child.kill();
            let _ = child.wait();
            bail!(
                "the host did not come up:\n{}",
                fs::read_to_string(self.path("log"))?
            );
        };
        let url = url.to_owned();
        self.host = Some(Host { child, url });
        Ok(())
    }

    /// Whether the host has ended by itself, and how; another one is started then.
    pub(super) fn crashed(&mut self) -> Result<Option<String>> {
        let Some(host) = &mut self.host else {
            return Ok(None);
        };
        // A signal is told a moment after the connection broke.
        let mut ended = None;
        for _ in 0..20 {
            ended = host.child.try_wait()?;
            if ended.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let Some(status) = ended else { return Ok(None) };
        self.host = None;
        self.start()?;
        Ok(Some(match status.signal() {
            Some(signal) => format!("the host was ended by signal {signal}"),
            None => format!("the host ended with {status}"),
        }))
    }

    fn command(&self, arguments: &[&str]) -> Result<Output> {
        let url = self.host.as_ref().map_or("http://127.0.0.1:1", |host| &host.url);
        let output = Command::new(self.built.join("patchbay"))
            .args(arguments)
            .args(["--url", url, "--json"])
            .stdin(Stdio::null())
            .output();
        output.context("cannot run patchbay")
    }

    /// Makes what is there before a document runs, beside files and rows: an account, a token in the request, and, unless
    /// the document itself publishes it, a package. A node that is not there shows when the document runs.
    fn prepare(&self, case: &mut Case) {
        if !case.needs.families.contains("packagerepo") {
            return;
        }
        let account = case.input["request"]["body"].as_str();
        let account: Json = account
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let name = account["username"].as_str().unwrap_or("ada");
        let password = account["password"].as_str().unwrap_or(PASSWORD);
        let scopes = ["read", "write"];
        self.call(
            case,
            "userPut",
            &json!({"username": name, "password": password, "scopes": scopes}),
        );
        let token = self.call(
            case,
            "authGenerateJwt",
            &json!({"subject": name, "scopes": scopes}),
        );
        if let (Some(token), Some(headers)) = (
            token["result"].as_str(),
            case.input["request"]["headers"].as_object_mut(),
        ) {
            headers.insert("authorization".into(), json!(format!("Bearer {token}")));
        }
        if case
            .needs
            .kinds
            .iter()
            .any(|kind| kind.ends_with("blob_put") || kind.ends_with("blobPut"))
        {
            return;
        }
        let blob = self.call(case, "blobPut", &json!({"data": "the bytes of a package"}));
        let entry = json!({"version": "1.2.0", "variant": "linux", "digest": blob["result"]});
        self.call(
            case,
            "indexUpsert",
            &json!({"key": "acme/library", "entry": entry}),
        );
        self.call(case, "kvPut", &json!({"key": "artifact/acme/library/1.2.0/linux", "value": {
            "digest": blob["result"], "size": blob["size"], "uploaded_at": "2026-01-15T10:00:00.000Z", "uploaded_by": name,
        }}));
    }

    /// Calls a node of the repository; null when it does not answer.
    fn call(&self, case: &Case, node: &str, input: &Json) -> Json {
        let node = format!("packagerepo.{node}");
        let output = self.command(&["call", &node, &input.to_string(), "--tenant", &case.tenant]);
        let reply = output
            .ok()
            .and_then(|output| serde_json::from_slice::<Json>(&output.stdout).ok());
        reply.map_or(Json::Null, |reply| reply["output"].clone())
    }

    /// What `validate` says, as JSON.
    pub(super) fn validate(&self, case: &Case) -> Result<Output> {
        let path = case.path.display().to_string();
        self.command(&["validate", &path, "--tenant", &case.tenant])
    }

    /// What `run` says, as JSON.
    pub(super) fn run(&self, case: &Case) -> Result<Output> {
        let path = case.path.display().to_string();
        let (input, user) = (case.input.to_string(), user(&case.tenant).to_string());
        let file = self.path(&case.tenant).join("input.json");
        fs::write(&file, input)?;
        let input = format!("@{}", file.display());
        let variables = case.needs.variables.to_string();
        self.command(&[
            "run",
            &path,
            "--variables",
            &variables,
            "--tenant",
            &case.tenant,
            "--input",
            &input,
            "--user",
            &user,
            "--timeout",
            LIMIT,
            "--quiet",
        ])
    }

    /// What the servers were asked, in words.
    pub(super) fn traffic(&self) -> String {
        let load = |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
        format!(
            "{} HTTP requests and {} mails reached the loopback servers",
            load(&self.servers.requests),
            load(&self.servers.mails)
        )
    }
}

/// What a variable of the environment holds.
fn variable(name: &str) -> String {
    if name.ends_with("URL") || name.ends_with("ENDPOINT") {
        format!("http://{SERVICE}")
    } else if name.contains("EMAIL") {
        EMAIL.to_owned()
    } else if name.contains("SECRET") {
        "a secret of thirty-two bytes or more".to_owned()
    } else {
        id_of(name)
    }
}

/// A picture of one pixel.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0,
    1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
