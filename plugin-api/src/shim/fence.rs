//! The panic fence: a panic becomes a text, and none crosses the line.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What was caught.
#[derive(Debug)]
pub(crate) struct Caught {
    /// The panic's message and, when the quiet hook is in place, where it was.
    pub(crate) message: String,
}

/// Where the last panic of this thread was. A thread-local without a destructor: one with would keep the plugin
/// mapped until the thread ends.
#[derive(Clone, Copy)]
struct Place {
    file: [u8; 120],
    len: u8,
    line: u32,
}

thread_local! {
    static PLACE: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Runs `work`; a panic inside is caught.
///
/// The payload is dropped behind a second fence, since its destructor may panic too.
#[inline]
pub(crate) fn fence<T>(work: impl FnOnce() -> T) -> Result<T, Caught> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Ok(value),
        Err(payload) => Err(caught(payload)),
    }
}

#[cold]
fn caught(payload: Box<dyn Any + Send>) -> Caught {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked with a payload that is no text".to_owned());
    let place = PLACE.take();
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // A destructor that panics with a payload that panics: leaking it ends the chain.
        std::mem::forget(second);
    }
    let message = match place {
        Some(place) => {
            let file = String::from_utf8_lossy(&place.file[..usize::from(place.len)]).into_owned();
            format!("{text} (at {file}:{})", place.line)
        }
        None => text,
    };
    Caught { message }
}

/// Replaces the plugin's panic hook by one that prints nothing and only notes the place: the standard hook's first
/// backtrace costs tens of megabytes per loaded version, and the host reports the panic itself.
///
/// The hook is a function without captures, so nothing is allocated for it.
pub(crate) fn install_quiet_hook() {
    std::panic::set_hook(Box::new(|info| {
        let Some(location) = info.location() else { return };
        let name = location.file().as_bytes();
        let name = &name[name.len().saturating_sub(120)..];
        let mut place = Place {
            file: [0; 120],
            len: 0,
            line: location.line(),
        };
        place.file[..name.len()].copy_from_slice(name);
        place.len = u8::try_from(name.len()).unwrap_or(0);
        PLACE.set(Some(place));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_panic_of_any_kind_becomes_a_text() {
        assert_eq!(fence(|| 7).unwrap(), 7);
        assert!(
            fence(|| panic!("plain"))
                .unwrap_err()
                .message
                .starts_with("plain")
        );
        let n = 3;
        assert!(
            fence(|| panic!("formatted {n}"))
                .unwrap_err()
                .message
                .starts_with("formatted 3")
        );
        assert!(
            fence(|| std::panic::panic_any(3))
                .unwrap_err()
                .message
                .contains("no text")
        );
    }

    #[test]
    fn a_payload_that_panics_on_drop_is_caught_too() {
        let caught = fence(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert!(caught.message.contains("no text"));
    }
}
