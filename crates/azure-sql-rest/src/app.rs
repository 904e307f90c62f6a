//! An app: what one API has of its own. [`component!`](crate::component!) makes a component of it.

use crate::route::Route;

/// The parts that differ from one API to another.
pub struct App {
    /// Its routes.
    pub routes: &'static [Route],
    /// The OpenAPI document with which `GET /openapi.json` answers.
    pub openapi: &'static str,
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
            const JSON: &[u8; $crate::app::minified_bytes(SOURCE)] = &$crate::app::minify(SOURCE);
            $crate::app::App { routes: ROUTES, openapi: $crate::app::text(JSON) }
        };

        $crate::export! { APP }
    };
}

/// The length in bytes of JSON without the white space between its tokens.
#[doc(hidden)]
pub const fn minified_bytes(json: &str) -> usize {
    let (bytes, mut at, mut length, mut scan) = (json.as_bytes(), 0, 0, Scan::BEGIN);
    while at < bytes.len() {
        scan = scan.after(bytes[at]);
        length += scan.keeps as usize;
        at += 1;
    }
    length
}

/// JSON without the white space between its tokens; `N` is [`minified_bytes`].
#[doc(hidden)]
pub const fn minify<const N: usize>(json: &str) -> [u8; N] {
    let (bytes, mut at, mut length, mut scan) = (json.as_bytes(), 0, 0, Scan::BEGIN);
    let mut minified = [0; N];
    while at < bytes.len() {
        scan = scan.after(bytes[at]);
        if scan.keeps {
            minified[length] = bytes[at];
            length += 1;
        }
        at += 1;
    }
    minified
}

/// The text of [`minify`], which cuts between tokens only.
#[doc(hidden)]
pub const fn text(minified: &'static [u8]) -> &'static str {
    match str::from_utf8(minified) {
        Ok(text) => text,
        Err(_) => panic!("the document is UTF-8"),
    }
}

/// Where a scan of JSON is.
#[derive(Clone, Copy)]
struct Scan {
    in_string: bool,
    /// The last byte was a backslash that escapes the next one.
    escapes: bool,
    /// The last byte is not white space between tokens.
    keeps: bool,
}

impl Scan {
    const BEGIN: Self = Self { in_string: false, escapes: false, keeps: false };

    const fn after(self, byte: u8) -> Self {
        let is_quote = byte == b'"' && !self.escapes;
        Self {
            in_string: self.in_string != is_quote,
            escapes: self.in_string && byte == b'\\' && !self.escapes,
            keeps: self.in_string || !byte.is_ascii_whitespace(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minify_keeps_white_space_in_strings() {
        const SOURCE: &str = "{ \"a b\" : [ 1,\n \"\\\" \\\\\", \" \u{e9}\" ] }\n";
        const JSON: [u8; minified_bytes(SOURCE)] = minify(SOURCE);
        assert_eq!(str::from_utf8(&JSON).unwrap(), "{\"a b\":[1,\"\\\" \\\\\",\" \u{e9}\"]}");
    }
}
