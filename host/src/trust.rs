//! `keygen`, `sign`, `trust relax`, and whom `inspect` and `check` believe.

use std::io::{IsTerminal, Read};
use std::path::Path;

use patchbay::{
    Config, ConfigError, ConfigFile, Explain, KeyFile, KeyPairView, LifecycleError, Pair, Protection,
    SignError, Signatures, SigningError, SigningKey, Team, TrustPolicy, TrustedKey, read_public_key,
    relax_trust, sign_file,
};
use patchbay_cli::{
    Exit, Format, KeygenArgs, PasswordArgs, RelaxArgs, SignArgs, TrustArgs, render_key_pair, render_relaxed,
    render_signed, with_process_streams,
};

/// The variable that passwords are looked for in.
const PASSWORD: &str = "PATCHBAY_KEY_PASSWORD";
/// The team that keys named on the command line belong to.
const GIVEN: &str = "given";

/// Whom a command believes: the table of a configuration file, and the keys named beside it.
pub(crate) fn policy(arguments: &TrustArgs) -> Result<TrustPolicy, ConfigError> {
    let mut policy = match &arguments.config {
        Some(path) => ConfigFile::read(path)?.trust()?,
        None => TrustPolicy::default(),
    };
    let refuse = |reason| ConfigError::Trust {
        setting: "--key".to_owned(),
        reason,
    };
    let mut keys: Vec<TrustedKey> = Vec::new();
    for given in &arguments.keys {
        let key = match given.parse() {
            Err(patchbay::BadKey::Malformed) => read_public_key(Path::new(given)).map_err(refuse)?,
            parsed => parsed.map_err(|error| refuse(error.to_string()))?,
        };
        let mut known = policy.teams.iter().flat_map(|team| &team.keys).chain(&keys);
        if !known.any(|known| known.id() == key.id()) {
            keys.push(key);
        }
    }
    if !keys.is_empty() {
        policy.teams.push(Team {
            name: GIVEN.parse().map_err(|error| refuse(format!("{error}")))?,
            keys,
            plugins: None,
        });
    }
    if arguments.require_signature {
        policy.signatures = Signatures::Required;
    }
    Ok(policy)
}

pub(crate) fn keygen(arguments: &KeygenArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let made = protection(arguments)
        .and_then(Pair::generate)
        .and_then(|pair| Ok((pair.write(&arguments.out, arguments.name.as_str())?, pair)));
    with_process_streams(|streams| match made {
        Ok(((secret, public), pair)) => {
            let view = KeyPairView {
                key: pair.id(),
                public_key: pair.public().to_owned(),
                secret_file: secret.display().to_string(),
                public_file: public.display().to_string(),
            };
            match format {
                Format::Json => streams.json(&view),
                Format::Human => streams.answer(&render_key_pair(&view, &arguments.name)),
            }
        }
        Err(error) => streams.error(&error, format, exit_of(&error)),
    })
}

/// Signs every file that is a plugin; the others are told of, each by itself.
pub(crate) fn sign(arguments: &SignArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let key = match open_key(arguments) {
        Ok(key) => key,
        Err(error) => return with_process_streams(|streams| streams.error(&error, format, exit_of(&error))),
    };
    let config = Config::new("", "");
    let (mut signed, mut refused) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        match sign_file(file, &key, &config) {
            Ok(view) => signed.push(view),
            Err(error) => refused.push((file, error)),
        }
    }
    with_process_streams(|streams| {
        let mut exit = match format {
            Format::Json => streams.json(&signed),
            Format::Human => streams.answer(&render_signed(&signed)),
        };
        for (file, error) in &refused {
            let mut problem: patchbay_wire::ProblemView = error.explained().into();
            problem.message = format!("`{}` is not signed: {}", file.display(), problem.message);
            let ends = match error {
                SignError::Unfit(LifecycleError::Scratch(_)) => Exit::Internal,
                SignError::Unfit(_) => Exit::No,
                SignError::Signing(error) => exit_of(error),
            };
            let ends = streams.problem(&problem, format, ends);
            if exit == Exit::Success {
                exit = ends;
            }
        }
        exit
    })
}

pub(crate) fn relax(arguments: &RelaxArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let actor = arguments.actor.as_deref().unwrap_or("cli");
    let relaxed = relax_trust(&arguments.data, actor, &arguments.reason);
    with_process_streams(|streams| match (relaxed, format) {
        (Ok(view), Format::Json) => streams.json(&view),
        (Ok(view), Format::Human) => streams.answer(&render_relaxed(&view)),
        (Err(error), format) => streams.error(&error, format, Exit::No),
    })
}

fn exit_of(error: &SigningError) -> Exit {
    match error {
        SigningError::Write { .. } | SigningError::Put { .. } | SigningError::Failed(_) => Exit::Internal,
        _ => Exit::Usage,
    }
}

fn open_key(arguments: &SignArgs) -> Result<SigningKey, SigningError> {
    let file = KeyFile::read(&arguments.key)?;
    let password = if file.is_locked() {
        Some(password(&arguments.password, &["password of the key: "])?)
    } else {
        None
    };
    file.open(password)
}

fn protection(arguments: &KeygenArgs) -> Result<Protection, SigningError> {
    if arguments.no_password {
        return Ok(Protection::None);
    }
    let prompts = ["password for the new key: ", "the same once more: "];
    password(&arguments.password, &prompts).map(Protection::Password)
}

/// A password from the file, the environment or the terminal, which is asked each of the prompts and must answer alike.
fn password(arguments: &PasswordArgs, prompts: &[&str]) -> Result<String, SigningError> {
    let unusable = |why: String| SigningError::BadPassword { why };
    if let Some(path) = &arguments.password_file {
        let mut text = String::new();
        let file = std::fs::File::open(path);
        file.and_then(|file| file.take(4096).read_to_string(&mut text))
            .map_err(|error| unusable(format!("`{}`: {error}", path.display())))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        return Ok(line.strip_suffix('\r').unwrap_or(line).to_owned());
    }
    if let Some(password) = std::env::var_os(PASSWORD) {
        return password
            .into_string()
            .map_err(|_| unusable(format!("`{PASSWORD}` is not UTF-8")));
    }
    if !std::io::stdin().is_terminal() {
        return Err(SigningError::NoPassword);
    }
    let mut answers = prompts
        .iter()
        .map(|prompt| rpassword::prompt_password(prompt).map_err(|error| unusable(error.to_string())));
    let first = answers.next().unwrap_or(Err(SigningError::NoPassword))?;
    for again in answers {
        if again? != first {
            return Err(unusable("the two are not alike".to_owned()));
        }
    }
    Ok(first)
}
