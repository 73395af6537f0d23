//! Connections that are kept.
//!
//! Invariant: a connection serves one tenant at one address, one call at a time, and goes back only after the server has
//! confirmed that nothing of that call is left in it: no transaction, no setting, no lock, no temporary table. A connection
//! whose call ended in any other way is closed, and what runs on it is cancelled at the server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugin_api::error::code;
use plugin_api::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{CancelToken, Client, Statement};

use super::failure::{failure, no_connection};
use super::secure::Connector;
use crate::address::Server;

/// Connections of one tenant to one address at once.
const OF_ONE: usize = 8;

/// Connections of all tenants at once.
const OF_ALL: usize = 64;

/// How long a connection is kept without use.
const IDLE: Duration = Duration::from_secs(30);

/// How long a server is given to hear that a statement is not wanted any more.
const CANCELLING: Duration = Duration::from_secs(5);

/// Ends what a call that failed left, and then does as `DISCARD ALL`, but for the prepared statements: the client has some of
/// its own.
const CLEANING: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                        SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// All pools, by tenant and address.
static POOLS: Mutex<Option<HashMap<Key, Arc<Pool>>>> = Mutex::new(None);

/// How many connections there are.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Whether somebody looks for connections that are idle.
static SWEEPING: AtomicBool = AtomicBool::new(false);

/// Whose connections they are, and where to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: String,
    pub(crate) address: String,
}

struct Pool {
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    connector: Mutex<Option<Connector>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection.
struct Connection {
    client: Client,
    cancel: CancelToken,
    connector: Connector,
    /// Statements of our own that every call uses; the server has planned them.
    prepared: Mutex<HashMap<&'static str, Statement>>,
    _counted: Counted,
}

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all() -> Vec<Arc<Pool>> {
    let pools = locked(&POOLS);
    pools.iter().flat_map(HashMap::values).cloned().collect()
}

/// A connection in use by one call.
pub(super) struct Lease {
    connection: Option<Connection>,
    pool: Arc<Pool>,
    server: Server,
    secret: String,
    /// Whether somebody used it before.
    pub(super) is_used: bool,
    _place: OwnedSemaphorePermit,
}

/// Waits for a connection.
pub(super) async fn lease(key: Key, server: Server, secret: String) -> NodeResult<Lease> {
    let pool = {
        let mut pools = locked(&POOLS);
        let made = || {
            Arc::new(Pool {
                places: Arc::new(Semaphore::new(OF_ONE)),
                idle: Mutex::default(),
                connector: Mutex::default(),
            })
        };
        Arc::clone(pools.get_or_insert_default().entry(key).or_insert_with(made))
    };
    let place = Arc::clone(&pool.places).acquire_owned().await;
    let place = place.map_err(|_| NodeError::with_code(code::CANCELLED, "the plugin is ending"))?;
    let mut lease = Lease {
        connection: None,
        pool,
        server,
        secret,
        is_used: false,
        _place: place,
    };
    let kept = lease.pool.kept();
    lease.is_used = kept.is_some();
    lease.connection = match kept {
        Some(connection) => Some(connection),
        None => Some(lease.connected().await?),
    };
    Ok(lease)
}

impl Pool {
    /// A connection that is still there.
    fn kept(&self) -> Option<Connection> {
        let mut idle = locked(&self.idle);
        while let Some(last) = idle.pop() {
            if !last.connection.client.is_closed() {
                return Some(last.connection);
            }
        }
        None
    }

    fn sweep(&self) -> bool {
        let mut idle = locked(&self.idle);
        idle.retain(|idle| idle.since.elapsed() < IDLE && !idle.connection.client.is_closed());
        !idle.is_empty()
    }
}

impl Lease {
    pub(super) fn client(&self) -> NodeResult<&Client> {
        let connection = self.connection.as_ref();
        let gone = || NodeError::new("the connection to the database is closed").retryable(true);
        connection.map(|connection| &connection.client).ok_or_else(gone)
    }

    /// A statement that is written here, prepared once for the connection.
    pub(super) async fn prepared(&self, text: &'static str) -> NodeResult<Statement> {
        let client = self.client()?;
        let kept = self
            .connection
            .as_ref()
            .and_then(|connection| locked(&connection.prepared).get(text).cloned());
        if let Some(statement) = kept {
            return Ok(statement);
        }
        let prepared = client.prepare(text).await;
        let statement = prepared.map_err(|error| failure(&error, text))?;
        if let Some(connection) = &self.connection {
            locked(&connection.prepared).insert(text, statement.clone());
        }
        Ok(statement)
    }

    /// Gives the connection up for a new one: it was closed while nobody used it.
    pub(super) async fn renew(&mut self) -> NodeResult<()> {
        self.connection = None;
        self.is_used = false;
        self.connection = Some(self.connected().await?);
        Ok(())
    }

    async fn connected(&self) -> NodeResult<Connection> {
        let counted = counted()?;
        let connector = self.connector().await?;
        let connecting = self.server.config.connect(connector.clone());
        let (client, driver) = connecting
            .await
            .map_err(|error| no_connection(&error, &self.secret))?;
        // It ends when its client is gone or the server is.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(Connection {
            cancel: client.cancel_token(),
            client,
            connector,
            prepared: Mutex::default(),
            _counted: counted,
        })
    }

    async fn connector(&self) -> NodeResult<Connector> {
        if let Some(connector) = &*locked(&self.pool.connector) {
            return Ok(connector.clone());
        }
        let (trust, secret) = (self.server.trust.clone(), self.secret.clone());
        let made = tokio::task::spawn_blocking(move || Connector::new(&trust, &secret)).await;
        let connector = made.map_err(|_| NodeError::with_code(code::CANCELLED, "the plugin is ending"))??;
        *locked(&self.pool.connector) = Some(connector.clone());
        Ok(connector)
    }

    /// Gives the connection back once there is nothing left in it. Nobody waits for that.
    pub(super) fn give_back(self) {
        tokio::spawn(async move {
            let cleaned = tokio::time::timeout(CANCELLING, self.cleaned()).await;
            drop(cleaned);
        });
    }

    async fn cleaned(mut self) {
        let Ok(client) = self.client() else {
            return;
        };
        if client.batch_execute(CLEANING).await.is_err() {
            return;
        }
        if let Some(connection) = self.connection.take() {
            let since = Instant::now();
            locked(&self.pool.idle).push(Idle { connection, since });
            start_sweeping();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.connection.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        // The server goes on with a statement whose client is gone until it has something to say. So it is told, and the
        // connection is closed after that.
        runtime.spawn(async move {
            let told = connection.cancel.cancel_query(connection.connector.clone());
            let _ = tokio::time::timeout(CANCELLING, told).await;
            drop(connection);
        });
    }
}

/// A place among all connections; one that is idle is closed when there is none.
fn counted() -> NodeResult<Counted> {
    if OPEN.fetch_add(1, Ordering::Relaxed) < OF_ALL {
        return Ok(Counted);
    }
    let counted = Counted;
    let pools = all();
    let oldest = pools
        .iter()
        .filter_map(|pool| {
            let since = locked(&pool.idle).first().map(|idle| idle.since)?;
            Some((since, pool))
        })
        .min_by_key(|(since, _)| *since);
    if let Some((_, pool)) = oldest {
        let mut idle = locked(&pool.idle);
        if !idle.is_empty() {
            drop(idle.remove(0));
            return Ok(counted);
        }
    }
    Err(NodeError::with_code(
        code::TEMPORARY_FAILURE,
        format!("{OF_ALL} connections to databases are in use; try again"),
    )
    .status(503)
    .retryable(true))
}

/// Closes connections that are idle for long, as long as there are any.
fn start_sweeping() {
    if SWEEPING.swap(true, Ordering::Relaxed) {
        return;
    }
    tokio::spawn(async {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            let left: Vec<bool> = all().iter().map(|pool| pool.sweep()).collect();
            forget_unused();
            if !left.contains(&true) {
                SWEEPING.store(false, Ordering::Relaxed);
                return;
            }
        }
    });
}

/// Drops pools that nobody uses and that have nothing.
fn forget_unused() {
    if let Some(pools) = &mut *locked(&POOLS) {
        pools.retain(|_, pool| {
            let is_unused = Arc::strong_count(pool) == 1 && locked(&pool.idle).is_empty();
            !is_unused
        });
    }
}

/// Closes everything; within the runtime.
pub(crate) fn close() {
    drop(locked(&POOLS).take());
}
