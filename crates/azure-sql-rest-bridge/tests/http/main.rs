//! Black-box tests: a bridge on a port of its own, and a client that shows every byte.

mod data;
mod durability;
mod faults;
mod scripts;
mod server;
mod transcript;
mod wire;
