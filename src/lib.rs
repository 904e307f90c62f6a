//! A REST API on Azure SQL as a WebAssembly component for Spin.
//!
//! The component knows routes, the retry policy and the bridge's wire contract; SQL knows everything about customers. A
//! request passes through the modules in the order in which they are listed here.

pub mod platform;

pub mod api;
pub mod handler;
pub mod problem;
pub mod route;
pub mod settings;

pub mod accept;
pub mod access;
pub mod cors;
pub mod precondition;
pub mod request;

pub mod bridge;
pub mod retry;
pub mod wire;

pub mod envelope;

pub mod response;

pub mod log;
