//! Spin's own interfaces.

pub use self::spin_2::fermyon::spin::variables as variables_2;
pub use self::spin_3::spin::variables::variables as variables_3;

/// The interfaces that the SDK for WASI 0.2 imports.
mod spin_2 {
    wasmtime::component::bindgen!({
        inline: "
            package fermyon:spin@2.0.0;

            interface variables {
                get: func(name: string) -> result<string, error>;

                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
            }

            world component {
                import variables;
            }
        ",
    });
}

/// The interfaces that the SDK for WASI 0.3 imports.
mod spin_3 {
    wasmtime::component::bindgen!({
        inline: "
            package spin:variables@3.0.0;

            interface variables {
                get: async func(name: string) -> result<string, error>;

                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
            }

            world component {
                import variables;
            }
        ",
    });
}
