//! An app: what one API has of its own. [`component!`](crate::component!) makes a component of it.

use crate::route::Route;

/// The parts that differ from one API to another.
pub struct App {
    /// Its routes.
    pub routes: &'static [Route],
    /// The OpenAPI document with which `GET /openapi.json` answers.
    pub openapi: &'static [u8],
}

/// Makes a Spin component of a table of routes and an OpenAPI document.
///
/// The crate that calls it is a `cdylib`. With the feature `wasip2` it exports `wasi:http/incoming-handler` of WASI 0.2, with
/// `wasip3` `wasi:http/handler` of WASI 0.3. The table becomes `ROUTES`, the whole `APP`. [`crate::route`] explains the words of
/// the table.
///
/// ```
/// azure_sql_rest::component! {
///     openapi: r#"{"openapi": "3.1.0", "info": {"title": "Colors", "version": "1"}, "paths": {}}"#,
///     routes: {
///         /// Read a color
///         GET "/color/{id}" => get_color(ColorID: key(ID));
///
///         /// Create a color
///         POST "/colors" => put_color(Json: body("color")) creates ColorID at "/color/{id}";
///
///         /// Check that the component runs
///         GET "/healthz" => alive;
///     }
/// }
/// # fn main() {
/// assert_eq!(ROUTES.len(), 3);
/// # }
/// ```
#[macro_export]
macro_rules! component {
    (openapi: $openapi:expr, routes: { $($routes:tt)* } $(,)?) => {
        $crate::routes! { $($routes)* }

        /// The app.
        pub static APP: $crate::app::App = {
            const SOURCE: &str = $openapi;
            #[allow(long_running_const_eval, reason = "a loop over the document")]
            const MINIFIED: ([u8; SOURCE.len()], usize) = $crate::app::minified(SOURCE);
            // A copy, because a reference would put the whole array into the component.
            const JSON: [u8; MINIFIED.1] = *MINIFIED.0.first_chunk().unwrap();
            $crate::app::App { routes: ROUTES, openapi: &JSON }
        };

        $crate::export! { APP }
    };
}

/// JSON without the white space between its tokens, and its length in bytes. A string that does not end is an error of the compiler,
/// which interprets this loop: 3 seconds for a megabyte. With a call of a function for each byte, it takes ten times as long.
#[doc(hidden)]
pub const fn minified<const N: usize>(json: &str) -> ([u8; N], usize) {
    let (json, mut at) = (json.as_bytes(), 0);
    let (mut minified, mut length) = ([0; N], 0);
    let mut in_string = false;
    while at < N {
        let byte = json[at];
        if in_string || byte > b' ' {
            minified[length] = byte;
            length += 1;
            if byte == b'"' {
                in_string = !in_string;
            } else if byte == b'\\' {
                at += 1;
                minified[length] = json[at];
                length += 1;
            }
        }
        at += 1;
    }
    (minified, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_stays_in_strings() {
        const SOURCE: &str = "{ \"a b\" : [ 1,\n \"\\\" \\\\\", \" \u{e9}\" ] }\n";
        let (json, length) = minified::<{ SOURCE.len() }>(SOURCE);
        assert_eq!(str::from_utf8(&json[..length]).unwrap(), "{\"a b\":[1,\"\\\" \\\\\",\" \u{e9}\"]}");
    }
}
