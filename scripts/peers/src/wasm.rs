//! WebAssembly: wasmtime alone, and extism on top of it.
//!
//! Invariant: the guests are compiled and instantiated before the first call is timed; a call is what is left.

use anyhow::{Context, Result};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

use crate::measure::Subject;

/// Both, each with one warm instance.
pub(crate) struct Wasm {
    guest: Guest,
    plugin: extism::Plugin,
}

impl Wasm {
    pub(crate) fn start() -> Result<Self> {
        let guest = extism::Wasm::data(include_str!("../guests/extism.wat"));
        Ok(Self {
            guest: Guest::start()?,
            plugin: extism::Plugin::new(extism::Manifest::new([guest]), [], false)?,
        })
    }

    pub(crate) fn noop(&mut self) -> [Subject<'_>; 2] {
        let Self { guest, plugin } = self;
        let nothing = "nothing";
        [
            Subject::new("wasmtime, typed function", nothing, || guest.noop().is_ok()),
            Subject::new("extism, plugin.call", nothing, || {
                plugin.call::<(), ()>("noop", ()).is_ok()
            }),
        ]
    }

    pub(crate) fn echo<'s>(&'s mut self, json: &'s [u8]) -> [Subject<'s>; 2] {
        let Self { guest, plugin } = self;
        [
            Subject::new(
                "wasmtime, typed function",
                "JSON bytes through linear memory",
                move || guest.echo(json).is_ok_and(|answer| answer == json),
            ),
            Subject::new(
                "extism, plugin.call",
                "JSON bytes through extism's memory",
                move || {
                    plugin
                        .call::<&[u8], &[u8]>("echo", json)
                        .is_ok_and(|answer| answer == json)
                },
            ),
        ]
    }
}

/// A wasmtime guest with one instance.
struct Guest {
    store: Store<()>,
    memory: Memory,
    noop: TypedFunc<(), ()>,
    echo: TypedFunc<(i32, i32), i32>,
    answer: Vec<u8>,
}

impl Guest {
    fn start() -> Result<Self> {
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

    fn noop(&mut self) -> Result<()> {
        Ok(self.noop.call(&mut self.store, ())?)
    }

    /// Writes the input into the guest's memory, calls it, and reads the answer back.
    fn echo(&mut self, input: &[u8]) -> Result<&[u8]> {
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
