//! WebAssembly: wasmtime alone, and extism on top of it.
//!
//! Invariant: the guests are compiled and instantiated before the first call is timed; a call is what is left.

use anyhow::{Context, Result};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

/// A wasmtime guest with one instance.
pub(crate) struct Guest {
    store: Store<()>,
    memory: Memory,
    noop: TypedFunc<(), ()>,
    echo: TypedFunc<(i32, i32), i32>,
    answer: Vec<u8>,
}

impl Guest {
    pub(crate) fn start() -> Result<Self> {
        let engine = Engine::default();
        let module = Module::new(&engine, include_str!("../guests/plain.wat"))?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        Ok(Self {
            memory: instance
                .get_memory(&mut store, "memory")
                .context("the guest has no memory")?,
            noop: instance.get_typed_func(&mut store, "noop")?,
            echo: instance.get_typed_func(&mut store, "echo")?,
            store,
            answer: Vec::new(),
        })
    }

    pub(crate) fn noop(&mut self) -> Result<()> {
        Ok(self.noop.call(&mut self.store, ())?)
    }

    /// Writes the input into the guest's memory, calls it, and reads the answer back.
    pub(crate) fn echo(&mut self, input: &[u8]) -> Result<&[u8]> {
        self.memory.write(&mut self.store, 0, input)?;
        let at = self
            .echo
            .call(&mut self.store, (0, i32::try_from(input.len())?))?;
        self.answer.resize(input.len(), 0);
        self.memory
            .read(&self.store, usize::try_from(at)?, &mut self.answer)?;
        Ok(&self.answer)
    }
}

/// An extism plugin with one instance.
pub(crate) struct Extism(extism::Plugin);

impl Extism {
    pub(crate) fn start() -> Result<Self> {
        let guest = extism::Wasm::data(include_str!("../guests/extism.wat"));
        Ok(Self(extism::Plugin::new(
            extism::Manifest::new([guest]),
            [],
            false,
        )?))
    }

    pub(crate) fn noop(&mut self) -> Result<()> {
        self.0.call::<(), ()>("noop", ())
    }

    pub(crate) fn echo(&mut self, input: &[u8]) -> Result<&[u8]> {
        self.0.call("echo", input)
    }
}
