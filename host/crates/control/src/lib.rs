//! Use cases shared by the library, the API and the command line.
#![forbid(unsafe_code)]
