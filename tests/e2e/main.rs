//! Black-box tests of the component over HTTP, on a host and with a bridge behind it. The component is built for WASI 0.2,
//! or for WASI 0.3 with `MANIFEST=spin.wasip3.toml`. The host is the built-in one, or real Spin with `SPIN=/path/to/spin`. Each stack listens on free ports and keeps its data in a folder of its own.

mod document;
mod faulty;
mod harness;

mod access;
mod artifact;
mod bad_input;
mod conformance;
mod crowd;
mod customers;
mod durability;
mod faults;
mod gateway;
mod interleaved;
mod lifecycle;
mod nagle;
mod openapi;
mod outage;
mod own_entity;
mod pages;
mod pass_through;
mod plugin;
mod preflight;
mod raw_requests;
mod readme;
mod settings;
mod streaming;
mod template;
