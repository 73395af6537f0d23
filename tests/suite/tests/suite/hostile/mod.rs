//! A directory that nothing can break: hostile files of every kind, while calls go on.

mod calls;
mod cases;
mod coverage;
mod directory;
mod disk;
mod panics;
mod rights;
mod service;
mod whole;
