//! What is demanded of a plugin before it is mapped.

use std::collections::BTreeSet;

use plugin_api::Contract;

/// The format and processor a plugin has to be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// ELF on x86-64.
    ElfX86_64,
    /// ELF on 64-bit Arm.
    ElfAarch64,
    /// Mach-O on x86-64.
    MachOX86_64,
    /// Mach-O on 64-bit Arm.
    MachOAarch64,
}

impl Platform {
    /// The one this host was built for.
    #[must_use]
    pub const fn of_this_build() -> Self {
        match (cfg!(target_vendor = "apple"), cfg!(target_arch = "aarch64")) {
            (false, false) => Self::ElfX86_64,
            (false, true) => Self::ElfAarch64,
            (true, false) => Self::MachOX86_64,
            (true, true) => Self::MachOAarch64,
        }
    }

    pub(super) const fn is_elf(self) -> bool {
        matches!(self, Self::ElfX86_64 | Self::ElfAarch64)
    }

    /// The processor, as the first part of a target triple spells it.
    pub(super) const fn arch(self) -> &'static str {
        match self {
            Self::ElfX86_64 | Self::MachOX86_64 => "x86_64",
            Self::ElfAarch64 | Self::MachOAarch64 => "aarch64",
        }
    }

    /// The system, as a part of a target triple spells it.
    pub(super) const fn system(self) -> &'static str {
        if self.is_elf() { "linux" } else { "darwin" }
    }
}

/// What is demanded of a plugin before it is mapped.
#[derive(Clone, Debug)]
pub struct InspectPolicy {
    /// The format and processor.
    pub platform: Platform,
    /// The contract the host speaks; a minor below its own makes it refuse, and lend, what an older host would.
    pub contract: Contract,
    /// The libraries a plugin may need. On Mach-O the system's own are always allowed.
    pub allowed_libraries: BTreeSet<String>,
    /// Symbols that a plugin may not import.
    pub forbidden_imports: BTreeSet<String>,
    /// Symbols that a plugin may not define, since the host keeps its books in them.
    pub reserved_symbols: BTreeSet<String>,
    /// The most address space its segments may take.
    pub max_mapped_bytes: u64,
    /// The most entries of its program headers, and of its dynamic table.
    pub max_headers: u64,
    /// The most bytes of its notes together.
    pub max_note_bytes: u64,
    /// The most symbols.
    pub max_symbols: u64,
    /// The most relocations of one table.
    pub max_relocations: u64,
    /// How many exported names are listed; the others are only checked.
    pub max_exports_listed: usize,
}

impl InspectPolicy {
    /// What a host demands unless it is told otherwise.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            platform: Platform::of_this_build(),
            contract: plugin_api::CONTRACT,
            allowed_libraries: owned(&ALLOWED_LIBRARIES),
            forbidden_imports: owned(&FORBIDDEN_IMPORTS),
            reserved_symbols: owned(&RESERVED_SYMBOLS),
            max_mapped_bytes: 1 << 30,
            max_headers: 512,
            max_note_bytes: 64 << 10,
            max_symbols: 1 << 18,
            max_relocations: 1 << 22,
            max_exports_listed: 256,
        }
    }
}

fn owned(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Libraries that are in the host process anyway, or carry no state that two versions could fight over.
const ALLOWED_LIBRARIES: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libstdc++.so.6",
];

/// None of these is imported by a Rust plugin that uses all of `std` (processes, sockets, threads, files), nor by SQLite
/// or OpenSSL: `fork`, `execvp`, `exit`, `setuid`, `chroot`, `syscall` and `dlopen` are, and hence cannot be refused here.
const FORBIDDEN_IMPORTS: [&str; 33] = [
    // End or take over a thread that belongs to the host.
    "pthread_cancel",
    "pthread_exit",
    "quick_exit",
    "thrd_exit",
    // Leave something behind that runs after the plugin was unmapped.
    "at_quick_exit",
    "on_exit",
    // Load past the checks: a second copy of the C library, or a library for everyone.
    "dlmopen",
    // Replace the whole process, its privileges or its view of the system.
    "daemon",
    "fexecve",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "setns",
    "unshare",
    "pivot_root",
    "seteuid",
    "setegid",
    "setresuid",
    "setresgid",
    "setreuid",
    "setregid",
    // Change the machine.
    "acct",
    "delete_module",
    "finit_module",
    "init_module",
    "ioperm",
    "iopl",
    "mount",
    "reboot",
    "sethostname",
    "swapoff",
    "swapon",
    "umount2",
];

/// What the executable interposes to know a plugin's threads, keys and destructors, and the allocator of the process.
const RESERVED_SYMBOLS: [&str; 17] = [
    "__cxa_thread_atexit_impl",
    "pthread_create",
    "pthread_key_create",
    "pthread_key_delete",
    "dlclose",
    "dlopen",
    "dlsym",
    "aligned_alloc",
    "calloc",
    "free",
    "malloc",
    "malloc_usable_size",
    "memalign",
    "posix_memalign",
    "realloc",
    "reallocarray",
    "valloc",
];
