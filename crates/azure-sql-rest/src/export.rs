//! The entry point that [`component!`](crate::component!) writes into an app, and what it needs of other crates.

#[cfg(feature = "wasip3")]
#[doc(hidden)]
pub use spin_sdk_wasip3::wasip3;
#[cfg(feature = "wasip2")]
#[doc(hidden)]
pub use wasi;

/// Exports the app's entry point for WASI 0.2.
#[cfg(feature = "wasip2")]
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($app:ident) => {
        // A native linker would reject the exported names.
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "what an export expands to")]
        const _: () = {
            use $crate::export::wasi;
            struct Component;
            impl wasi::exports::http::incoming_handler::Guest for Component {
                fn handle(request: wasi::http::types::IncomingRequest, out: wasi::http::types::ResponseOutparam) {
                    $crate::host::wasip2::run(&$app, request, out);
                }
            }
    wasi::http::proxy::export!(Component with_types_in wasi);
        };
    };
}

/// Exports the app's entry point for WASI 0.3.
#[cfg(all(feature = "wasip3", not(feature = "wasip2")))]
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($app:ident) => {
        // A native linker would reject the exported names.
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "what an export expands to")]
        const _: () = {
            use $crate::export::wasip3;
            struct Component;
            impl wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: wasip3::http::types::Request,
                ) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
                    $crate::host::wasip3::run(&$app, request).await
                }
            }
    wasip3::http::service::export!(Component with_types_in wasip3);
        };
    };
}

/// An app without an entry point, for programs that only read its routes and description.
#[cfg(not(any(feature = "wasip2", feature = "wasip3")))]
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($app:ident) => {};
}
