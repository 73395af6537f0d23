//! A program that embeds the host: opens one over a directory, calls a node in a loop, follows what happens, and
//! changes what is live while it calls.
//!
//! ```text
//! cargo build -p sample-string && cargo run -p patchbay --example embed [ANOTHER-VERSION.so ...]
//! ```
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use patchbay::{
    Call, Config, EventView, Force, Json, Order, Output, Patchbay, PluginName, RevisionState, Selector,
    UnloadMode, Value,
};

const CALLS: u32 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    // First in main: trial loads run in a child of this very executable.
    patchbay::serve_if_asked();

    let folder = tempfile::tempdir()?;
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins)?;
    let sample = sample()?;
    std::fs::copy(&sample, plugins.join("string.so"))?;

    // A configuration is a struct: start from the standard one, change fields.
    let mut config = Config::new(&plugins, folder.path().join("data"));
    config.history_limit = 3;
    let host = Patchbay::open(config)?;
    let mut events = host.subscribe();
    println!("opened a host over {}", sample.display());
    if host.status().unload == UnloadMode::KeepMapped {
        println!("this executable lacks the thread hooks: drained versions will stay mapped");
    }
    for refused in host.rejected() {
        println!("refused {}: {} ({})", refused.path, refused.message, refused.code);
    }

    // The short way: a serde type in, another one out.
    let input: std::collections::BTreeMap<_, _> = [("value", "hello")].into();
    let shout: Json = host.call("string.upper", &input)?;
    println!("string.upper says {}", shout.to_json());

    call_in_a_loop(&host)?;

    for file in std::env::args_os().skip(1).map(PathBuf::from) {
        drop_in(&file, &plugins)?;
        // Each event is one change; the sequence number would tell of events missed.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            match events.try_recv() {
                Ok(event) => {
                    tell(&event);
                    if matches!(event.kind.as_str(), "plugin.live" | "plugin.rejected") {
                        break;
                    }
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
    swap_and_roll_back(&host)?;
    hold_a_version(&host)?;

    while let Ok(event) = events.try_recv() {
        tell(&event);
    }
    host.close(Duration::from_secs(5));
    while let Ok(event) = events.try_recv() {
        tell(&event);
    }
    println!("closed");
    Ok(())
}

/// The sample plugin `string`, built for the same profile: two folders up from where cargo puts examples.
fn sample() -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let found = own
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("libpatchbay_string.so"))
        .find(|file| file.exists());
    found.ok_or_else(|| "the sample plugin is not built: cargo build -p sample-string".into())
}

/// Copies under another name, then renames: the watcher sees one whole file at once.
fn drop_in(file: &Path, plugins: &Path) -> Result<(), Box<dyn Error>> {
    let name = file.file_name().ok_or("not a file")?;
    let hidden = plugins.join(".incoming");
    std::fs::copy(file, &hidden)?;
    std::fs::rename(&hidden, plugins.join(name))?;
    println!("dropped in {}", file.display());
    Ok(())
}

/// The way for callers in a hurry: the node is resolved once, and the buffers are used again.
fn call_in_a_loop(host: &Patchbay) -> Result<(), Box<dyn Error>> {
    let upper = host.resolve("string.upper")?;
    let call = Call::of("acme".parse()?);
    let input = Value::from_json(r#"{"value": "hello"}"#)?;
    let mut out = Output::with_limit(1 << 20);
    let begin = Instant::now();
    for _ in 0..CALLS {
        let (answer, _) = upper.call(input.as_ref(), &call, &mut out)?;
        if answer.get("result").and_then(|result| result.as_str()) != Some("HELLO") {
            return Err(format!("unexpected answer: {}", answer.to_json()).into());
        }
    }
    println!(
        "{CALLS} calls through a resolved node, {} ns each",
        begin.elapsed().as_nanos() / u128::from(CALLS)
    );
    Ok(())
}

/// Goes to the version before and back again, when there are two.
fn swap_and_roll_back(host: &Patchbay) -> Result<(), Box<dyn Error>> {
    let string: PluginName = "string".parse()?;
    let known = host.plugin(&string)?;
    let ready = known
        .revisions
        .iter()
        .filter(|one| matches!(one.state, RevisionState::Live | RevisionState::Warm));
    if ready.count() < 2 {
        println!("one version of `string` is loaded; pass another .so to see a swap");
        return Ok(());
    }
    let back = host.rollback(&string, None, Order::by("example", "to show it"))?;
    let (from, to) = (
        back.from.ok_or("nothing was live")?,
        back.to.ok_or("nothing took over")?,
    );
    println!(
        "rolled back from {} to {} in {} us",
        from.version,
        to.version,
        back.micros.unwrap_or(0)
    );
    // An order has to say that it overrides refusals; this one does not.
    let order = Order {
        force: Force::No,
        ..Order::by("example", "and forth")
    };
    let there = host.promote(&string, &Selector::Revision(from.revision), order)?;
    println!(
        "promoted {} again in {} us",
        from.version,
        there.micros.unwrap_or(0)
    );
    for line in host.history(&string)? {
        println!(
            "  generation {}: {} {} by {}: {}",
            line.generation, line.action, line.version, line.actor, line.reason
        );
    }
    Ok(())
}

/// A session holds each of its nodes at one version, whatever is deployed meanwhile: what a run of many calls wants.
fn hold_a_version(host: &Patchbay) -> Result<(), Box<dyn Error>> {
    let session = host.session(&["string.upper", "string.length"])?;
    let call = Call::of("acme".parse()?);
    let mut out = Output::with_limit(1 << 20);
    for (position, node) in ["string.upper", "string.length"].into_iter().enumerate() {
        let input = Value::from_json(r#"{"value": "held"}"#)?;
        let (answer, revision) = call.in_session(&session, position, node, input.as_ref(), &mut out)?;
        println!(
            "in a session: {node} of revision {revision} says {}",
            answer.to_json()
        );
    }
    Ok(())
}

fn tell(event: &EventView) {
    let plugin = event.plugin.as_ref().map(ToString::to_string).unwrap_or_default();
    let version = event
        .version
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    println!(
        "event {}: {} {plugin} {version} {}",
        event.sequence, event.kind, event.message
    );
}
