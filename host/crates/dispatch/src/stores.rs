//! Where key-value pairs, secrets and settings live.
//!
//! Invariant: every access names the tenant, and the tenant is the outermost key; there is no way to reach another's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use patchbay_vocab::TenantId;
use plugin_api::shim::host::Refusal;
use plugin_api::value::{Value, ValueRef};

/// Keys one tenant's store, or one run's variables, may have.
pub(crate) const MAX_KEYS: usize = 100_000;
/// Bytes of one value.
pub(crate) const MAX_VALUE: usize = 16 << 20;

type Pairs = HashMap<String, Value>;

/// The key-value stores, secrets and settings of all tenants, in memory.
#[derive(Debug, Default)]
pub struct TenantStores {
    pairs: RwLock<HashMap<TenantId, Pairs>>,
    secrets: RwLock<HashMap<TenantId, Pairs>>,
    secrets_set: AtomicU64,
    settings: RwLock<HashMap<TenantId, Pairs>>,
    /// For tenants that have none of their own.
    settings_of_all: RwLock<Pairs>,
}

impl TenantStores {
    /// Sets a secret of a tenant.
    pub fn set_secret(&self, tenant: &TenantId, name: &str, value: &str) {
        let value = Value::from(value);
        self.secrets
            .write()
            .entry(tenant.clone())
            .or_default()
            .insert(name.to_owned(), value);
        // After it is there: who has seen this number has seen the secret.
        self.secrets_set.fetch_add(1, Ordering::Release);
    }

    /// How often a secret has been set, of any tenant: what was said about missing ones holds while this stays as it is.
    #[must_use]
    pub fn secrets_set(&self) -> u64 {
        self.secrets_set.load(Ordering::Acquire)
    }

    /// Whether a tenant has a secret.
    #[must_use]
    pub fn has_secret(&self, tenant: &TenantId, name: &str) -> bool {
        let secrets = self.secrets.read();
        secrets.get(tenant).is_some_and(|of| of.contains_key(name))
    }

    pub(crate) fn secret(&self, tenant: &TenantId, name: &str) -> Option<Value> {
        self.secrets.read().get(tenant)?.get(name).cloned()
    }

    /// Sets what the plugins of a tenant are told under a name; of all tenants that have none of their own for `None`.
    pub fn set_setting(&self, tenant: Option<&TenantId>, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), Value::from(value));
        match tenant {
            Some(tenant) => {
                let mut settings = self.settings.write();
                settings.entry(tenant.clone()).or_default().insert(name, value);
            }
            None => drop(self.settings_of_all.write().insert(name, value)),
        }
    }

    pub(crate) fn setting(&self, tenant: &TenantId, name: &str) -> Option<Value> {
        let own = self
            .settings
            .read()
            .get(tenant)
            .and_then(|own| own.get(name).cloned());
        own.or_else(|| self.settings_of_all.read().get(name).cloned())
    }

    pub(crate) fn get(&self, tenant: &TenantId, key: &str) -> Option<Value> {
        self.pairs.read().get(tenant)?.get(key).cloned()
    }

    pub(crate) fn put(&self, tenant: &TenantId, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        put(self.pairs.write().entry(tenant.clone()).or_default(), key, value)
    }

    pub(crate) fn remove(&self, tenant: &TenantId, key: &str) -> bool {
        self.pairs
            .write()
            .get_mut(tenant)
            .is_some_and(|pairs| pairs.remove(key).is_some())
    }

    /// Sets a key to `new` (`None` removes it) when it is `expected` (`None`: not there); says whether it was.
    pub(crate) fn replace(
        &self,
        tenant: &TenantId,
        key: &str,
        expected: Option<ValueRef<'_>>,
        new: Option<ValueRef<'_>>,
    ) -> Result<bool, Refusal> {
        let mut tenants = self.pairs.write();
        let pairs = tenants.entry(tenant.clone()).or_default();
        if pairs.get(key).map(Value::as_ref) != expected {
            return Ok(false);
        }
        match new {
            Some(value) => put(pairs, key, value)?,
            None => drop(pairs.remove(key)),
        }
        Ok(true)
    }
}

fn put(pairs: &mut Pairs, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
    if value.raw().len() > MAX_VALUE || (pairs.len() >= MAX_KEYS && !pairs.contains_key(key)) {
        return Err(Refusal::Limit);
    }
    pairs.insert(key.to_owned(), value.to_value());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_sees_its_own_pairs_and_secrets_alone() {
        let stores = TenantStores::default();
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        stores.put(&a, "k", Value::from("of a").as_ref()).unwrap();
        stores.set_secret(&a, "s", "secret");
        assert_eq!(stores.get(&a, "k"), Some(Value::from("of a")));
        assert_eq!(stores.get(&b, "k"), None);
        assert_eq!(stores.secret(&b, "s"), None);
        let (old, new) = (Value::from("of a"), Value::from("of b"));
        assert_eq!(stores.replace(&b, "k", Some(old.as_ref()), None), Ok(false));
        assert_eq!(stores.replace(&b, "k", None, Some(new.as_ref())), Ok(true));
        assert_eq!(stores.get(&a, "k"), Some(old));
        assert_eq!(stores.replace(&b, "k", Some(new.as_ref()), None), Ok(true));
        assert!(!stores.remove(&b, "k") && stores.remove(&a, "k"));
    }

    #[test]
    fn a_setting_of_a_tenant_goes_before_that_of_all() {
        let stores = TenantStores::default();
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        stores.set_setting(Some(&a), "x", "of a");
        assert_eq!(
            (stores.setting(&a, "x"), stores.setting(&b, "x")),
            (Some(Value::from("of a")), None)
        );
        stores.set_setting(None, "x", "of all");
        assert_eq!(stores.setting(&a, "x"), Some(Value::from("of a")));
        assert_eq!(stores.setting(&b, "x"), Some(Value::from("of all")));
    }
}
