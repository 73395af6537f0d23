//! SQLite, a copy of which is part of this plugin.
//!
//! Invariant: a file is open only during the [turn](turns) of this copy of SQLite, and no longer than a call.

mod authorizer;
mod cells;
mod failure;
mod opening;
mod schema;
mod session;
mod turns;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use plugin_api::prelude::*;
use plugin_io::Stop;
use rusqlite::Connection;

use self::session::SqliteSession;
use self::turns::Turns;
use crate::address::File;
use crate::policy::Policy;

/// The turns of the copy of SQLite that is part of this library.
static TURNS: Turns = Turns::new();

/// Databases in memory, by tenant and secret.
static MEMORIES: Mutex<Option<HashMap<(String, String), Memory>>> = Mutex::new(None);

type Memory = Arc<Mutex<Connection>>;

/// How many databases in memory there may be.
const MOST_MEMORIES: usize = 32;

/// How often somebody who waits for a database in memory looks whether it is free.
const RETRY: Duration = Duration::from_millis(1);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a file, and closes it afterwards.
pub(crate) fn with_file<T>(
    file: &File,
    secret: &str,
    policy: &Policy,
    stop: &Stop,
    work: impl FnOnce(&mut SqliteSession<'_>) -> NodeResult<T>,
) -> NodeResult<T> {
    let path = opening::real_path(file, secret)?;
    let turn = TURNS.take(&path, stop)?;
    let mut connection = opening::open_file(&path, file.mode, stop)?;
    let result = work(&mut SqliteSession::new(&mut connection, policy, stop)?);
    // The connection first: the turn ends when nothing is open any more.
    drop(connection);
    drop(turn);
    result
}

/// Uses the tenant's database in memory, which is made when it is not there yet.
pub(crate) fn with_memory<T>(
    secret: &str,
    policy: &Policy,
    stop: &Stop,
    work: impl FnOnce(&mut SqliteSession<'_>) -> NodeResult<T>,
) -> NodeResult<T> {
    let key = (policy.tenant.clone(), secret.to_owned());
    let memory = {
        let mut memories = locked(&MEMORIES);
        let memories = memories.get_or_insert_with(HashMap::new);
        match memories.get(&key) {
            Some(memory) => Arc::clone(memory),
            None if memories.len() >= MOST_MEMORIES => return Err(opening::too_many(MOST_MEMORIES)),
            None => {
                let made = Arc::new(Mutex::new(opening::open_memory(stop)?));
                memories.insert(key, Arc::clone(&made));
                made
            }
        }
    };
    let mut connection = loop {
        match memory.try_lock() {
            Ok(connection) => break connection,
            Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                stop.check()?;
                std::thread::sleep(RETRY);
            }
        }
    };
    work(&mut SqliteSession::new(&mut connection, policy, stop)?)
}

/// Closes what is kept from call to call.
pub(crate) fn close() {
    drop(locked(&MEMORIES).take());
}
