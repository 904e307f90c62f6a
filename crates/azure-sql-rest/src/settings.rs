//! The settings: one table, from which the code, the manifests and the documents follow.
//!
//! The settings come as one text, the component variable `settings` of the manifest, because each look-up of a variable is
//! slow on Spin. The text has a part `name=value` for each application variable. The variable `options` holds the settings
//! that seldom change, as `name=value` pairs separated by white space. `azure-sql-rest generate` writes both into the
//! manifests.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Uri};

use crate::client::access::ApiKeys;
use crate::client::cors::Origins;
use crate::log::Level;
use crate::retry::Policy;

/// The character between two parts of the text: ASCII's separator of records (U+001E). No valid value contains it. So a
/// value with a line break stays one value, and is not taken for the name of a setting.
pub const SEPARATOR: char = '\u{1e}';

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// How it is given.
    pub place: Place,
    /// The default value.
    pub default: &'static str,
    /// The rule for its values.
    pub rule: &'static str,
    /// A sentence about it, in lines of Markdown.
    pub doc: &'static [&'static str],
}

/// How a setting is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A variable of the application.
    Variable,
    /// A secret variable of the application.
    Secret,
    /// A pair of the variable `options`.
    Option,
}

/// Writes the table as [`Settings`] and [`TABLE`]: doc, place, name, type, default, the function that reads it, rule. The
/// code that reads the values has its own copy of what it needs. With the whole table, its texts would be in the component.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $place:ident $name:ident: $type:ty = $default:literal, $read:expr, $rule:literal;)*) => {
        /// Everything that can be configured, checked.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $type,)*
        }

        /// Every setting.
        pub static TABLE: &[Setting] = &[$(Setting {
            name: stringify!($name),
            place: Place::$place,
            default: $default,
            rule: $rule,
            doc: &[$($doc),+],
        }),*];

        /// The values that are given.
        #[derive(Default)]
        struct Given<'t> {
            $($name: Option<&'t str>,)*
        }

        impl<'t> Given<'t> {
            /// The place of a value, and its setting's own name.
            fn place(&mut self, is_option: bool, name: &str) -> Option<(&'static str, &mut Option<&'t str>)> {
                match name {
                    $(stringify!($name) if is_option == matches!(Place::$place, Place::Option) => {
                        Some((stringify!($name), &mut self.$name))
                    })*
                    _ => None,
                }
            }

            fn read(&self) -> Result<Settings, SettingsError> {
                Ok(Settings {
                    $($name: $read(self.$name.unwrap_or($default))
                        .ok_or(SettingsError::Invalid { name: stringify!($name), rule: $rule })?,)*
                })
            }
        }

        /// Lists the options.
        fn write_options(f: &mut fmt::Formatter<'_>) -> fmt::Result {
            $(if let Place::Option = Place::$place {
                f.write_str(concat!(" ", stringify!($name)))?;
            })*
            Ok(())
        }
    };
}

settings! {
    /// origin of Data API Builder, `http(s)://host[:port]`, without a path; the component may connect to nothing else
    Variable dab_url: String = "http://127.0.0.1:5000", origin,
        "must be an origin like http://127.0.0.1:5000 or https://host, without user, path or query";
    /// keys for the API, separated by commas, each as `key` or `name:key`; without a key, the API is open
    Secret api_key: ApiKeys = "", ApiKeys::parse, "must be empty, or keys of visible characters separated by commas";
    /// sent to Data API Builder as `x-api-key`, for a gateway in front of it
    Secret dab_api_key: Option<HeaderValue> = "", secret_header, "must be empty, or visible characters without spaces";
    /// how much the component logs: `off`, `error`, `warn` or `info`
    Variable log_level: Level = "warn", Level::parse, "must be off, error, warn or info";
    /// `runtime.rest.path` of Data API Builder; `/` for none
    Option dab_path: String = "/api", path, "must be a path like /api, of letters, digits, - _ ~ and /";
    /// the longest time for a request, with all attempts and the waits between them
    Option request_deadline_ms: Duration = "25000", milliseconds, "must be a whole number between 1 and 4294967295";
    /// the longest time for one attempt
    Option attempt_timeout_ms: Duration = "10000", milliseconds, "must be a whole number between 1 and 4294967295";
    /// the longest wait after the first attempt; each further wait may be twice as long
    Option retry_base_ms: Duration = "100", milliseconds, "must be a whole number between 1 and 4294967295";
    /// the longest wait of all; at least `retry_base_ms`
    Option retry_cap_ms: Duration = "2000", milliseconds, "must be a whole number between 1 and 4294967295";
    /// the largest body of a request; at most 4000000
    Option max_body_bytes: usize = "65536", body_bytes, "must be a whole number between 1 and 4000000";
    /// the largest number of requests that an instance handles at a time; others get 503 at once. With WASI 0.2, an
    /// instance handles one
    Option max_in_flight: usize = "256", count, "must be a whole number between 1 and 4294967295";
    /// `true`: the component forwards tokens and roles to Data API Builder, which decides
    Option forward_authorization: bool = "false", boolean, "must be true or false";
    /// origins whose pages may call the API, separated by commas
    Option cors_allowed_origins: Origins = "", Origins::parse,
        "must be empty, or origins like https://shop.example separated by commas";
    /// `false`: there is no `/`, `/docs` and `/problems`
    Option serve_docs: bool = "true", boolean, "must be true or false";
}

/// Why there are no settings. A message never contains a value, which may be secret, or a name that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// A variable or option with an invalid value.
    Invalid {
        /// Its name.
        name: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A variable or an option that no setting has as its name.
    Unknown(Place),
    /// A variables provider failed, so that no setting is known. The log has the reason.
    Provider(String),
}

impl SettingsError {
    /// A variable that the manifest does not have.
    pub fn undefined(name: &'static str) -> Self {
        Self::Invalid { name, rule: "is not set" }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { name, rule } => write!(f, "The setting {name} {rule}."),
            Self::Unknown(Place::Option) => {
                f.write_str("The variable options has a name that is no option. There are:")?;
                write_options(f)
            }
            Self::Unknown(_) => f.write_str("The manifest gives a variable that this version does not have."),
            Self::Provider(reason) => write!(f, "A variables provider failed: {reason}."),
        }
    }
}

impl Settings {
    /// Reads and checks the text of the component variable. White space around a value is removed, because a secret from a
    /// file often ends in a line break.
    ///
    /// # Errors
    ///
    /// A setting that is unknown, given twice, or invalid.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let mut given = Given::default();
        let mut rest = text;
        while !rest.is_empty() {
            let part;
            (part, rest) = cut(rest, SEPARATOR as u8);
            let (name, value) = pair(part);
            match name {
                "options" => value
                    .split_ascii_whitespace()
                    .map(pair)
                    .try_for_each(|(name, value)| give(&mut given, true, name, value))?,
                "" => {}
                _ => give(&mut given, false, name, value)?,
            }
        }
        let settings = given.read()?;
        if settings.retry_cap_ms < settings.retry_base_ms {
            return Err(SettingsError::Invalid { name: "retry_cap_ms", rule: "must be at least retry_base_ms" });
        }
        Ok(settings)
    }

    /// The retry policy of a request.
    pub fn policy(&self) -> Policy {
        Policy {
            base: self.retry_base_ms,
            cap: self.retry_cap_ms,
            attempt_timeout: self.attempt_timeout_ms,
            deadline: self.request_deadline_ms,
        }
    }
}

/// The parts of `name=value`, without white space around them.
fn pair(text: &str) -> (&str, &str) {
    let (name, value) = cut(text, b'=');
    (name.trim_ascii(), value.trim_ascii())
}

/// The text before and after the first `at`, which is ASCII. The search of `str::split_once` is slow in texts of this length.
fn cut(text: &str, at: u8) -> (&str, &str) {
    let place = text.bytes().position(|byte| byte == at).unwrap_or(text.len());
    (text.get(..place).unwrap_or_default(), text.get(place + 1..).unwrap_or_default())
}

/// Stores a value.
fn give<'t>(given: &mut Given<'t>, is_option: bool, name: &str, value: &'t str) -> Result<(), SettingsError> {
    let place = if is_option { Place::Option } else { Place::Variable };
    let (name, given) = given.place(is_option, name).ok_or(SettingsError::Unknown(place))?;
    match given.replace(value) {
        None => Ok(()),
        Some(_) => Err(SettingsError::Invalid { name, rule: "is given twice" }),
    }
}

/// A whole number between 1 and `max`, in decimal digits.
// Not inlined: the component would have it three times.
#[inline(never)]
fn positive(value: &str, max: u32) -> Option<u32> {
    value.parse().ok().filter(|number| (1..=max).contains(number))
}

fn milliseconds(value: &str) -> Option<Duration> {
    positive(value, u32::MAX).map(|number| Duration::from_millis(number.into()))
}

fn count(value: &str) -> Option<usize> {
    positive(value, u32::MAX).map(|number| number as usize)
}

/// Data API Builder accepts requests of up to 30,000,000 bytes, and JSON text grows at most sixfold as a JSON string.
fn body_bytes(value: &str) -> Option<usize> {
    positive(value, 4_000_000).map(|number| number as usize)
}

fn boolean(value: &str) -> Option<bool> {
    value.parse().ok()
}

/// An origin in the form of Spin's `allowed_outbound_hosts`: lower-case scheme, no fragment, and a port behind an IPv6
/// address.
fn origin(value: &str) -> Option<String> {
    let uri: Uri = value.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let is_origin = (value.starts_with("http://") || value.starts_with("https://"))
        && !authority.contains('@')
        && !(authority.starts_with('[') && uri.port().is_none())
        && uri.query().is_none()
        && uri.path() == "/"
        && !value.contains('#');
    is_origin.then(|| value.trim_end_matches('/').to_owned())
}

fn path(value: &str) -> Option<String> {
    let is_path =
        value.starts_with('/') && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte));
    is_path.then(|| value.trim_end_matches('/').to_owned())
}

/// The header that holds a secret; none for the empty text.
fn secret_header(value: &str) -> Option<Option<HeaderValue>> {
    if value.is_empty() {
        return Some(None);
    }
    let mut header = HeaderValue::try_from(value).ok()?;
    header.set_sensitive(true);
    value.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[&str]) -> String {
        parts.join("\u{1e}")
    }

    /// The error for a text, as the log shows it.
    fn error(text: &str) -> String {
        Settings::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn every_setting_is_read() {
        let text = text(&[
            "dab_url=https://dab.example/",
            "api_key=a,b",
            "",
            "dab_api_key=c",
            "log_level=info",
            "options= dab_path=/api/v2/  retry_base_ms=1 retry_cap_ms=2 attempt_timeout_ms=3\nrequest_deadline_ms=4 \
             max_body_bytes=5 max_in_flight=6 forward_authorization=true cors_allowed_origins=https://shop.example serve_docs=false",
        ]);
        let ms = Duration::from_millis;
        let expected = Settings {
            dab_url: "https://dab.example".into(),
            api_key: ApiKeys::parse("a,b").unwrap(),
            dab_api_key: Some(HeaderValue::from_static("c")),
            log_level: Level::Info,
            dab_path: "/api/v2".into(),
            request_deadline_ms: ms(4),
            attempt_timeout_ms: ms(3),
            retry_base_ms: ms(1),
            retry_cap_ms: ms(2),
            max_body_bytes: 5,
            max_in_flight: 6,
            forward_authorization: true,
            cors_allowed_origins: Origins::parse("https://shop.example").unwrap(),
            serve_docs: false,
        };
        assert_eq!(Settings::parse(&text), Ok(expected));
        assert_eq!(Settings::parse("options=dab_path=/").unwrap().dab_path, "");
    }

    #[test]
    fn defaults_keep_their_rules() {
        let settings = Settings::parse("").unwrap();
        assert_eq!((settings.policy().deadline, settings.log_level), (Duration::from_secs(25), Level::Warn));
    }

    #[test]
    fn values_may_end_in_a_line_break() {
        let text = text(&["api_key=secret\n", "dab_api_key=other\r\n", "log_level= info "]);
        let settings = Settings::parse(&text).unwrap();
        assert_eq!(settings.api_key, ApiKeys::parse("secret").unwrap());
        assert_eq!(settings.dab_api_key, Some(HeaderValue::from_static("other")));
    }

    #[test]
    fn a_secret_is_never_told() {
        for (variable, name) in [
            ("api_key=NEW-SECRET-1\nNEW-SECRET-2", "api_key"),
            ("api_key=SECRET\noptions=SECRET", "api_key"),
            ("dab_api_key=U0VD\nUkVUSECRET", "dab_api_key"),
            ("options=SECRET", "options"),
            ("options=SECRET=SECRET", "options"),
            ("options=api_key=SECRET", "options"),
            ("SECRET", "manifest"),
            ("SECRET=SECRET", "manifest"),
        ] {
            let error = error(&text(&["dab_url=http://dab", variable]));
            assert!(error.contains(name) && !error.contains("SECRET"), "{variable:?}: {error}");
        }
        assert!(error("options=soon").contains(": dab_path request_deadline_ms attempt_timeout_ms "));
    }

    #[test]
    fn a_setting_is_given_once() {
        let twice = "options=serve_docs=true serve_docs=true";
        assert_eq!(error(twice), "The setting serve_docs is given twice.");
        assert_eq!(error(&text(&["log_level=info", "log_level=info"])), "The setting log_level is given twice.");
    }

    #[test]
    fn a_bad_value_names_its_setting_and_not_the_value() {
        for (name, value) in [
            ("dab_url", "127.0.0.1:5000"),
            ("dab_url", "http://host/api"),
            ("dab_url", "http://host/?x"),
            ("dab_url", "http://user:secret@host"),
            ("dab_url", "ftp://host"),
            ("dab_url", "http://"),
            ("dab_url", ""),
            ("dab_url", "HTTP://host"),
            ("dab_url", "http://host#x"),
            ("dab_url", "http://[::1]"),
            ("api_key", "secret,"),
            ("dab_api_key", "sec ret"),
            ("log_level", "verbose"),
        ] {
            let error = error(&format!("{name}={value}"));
            assert!(error.contains(&format!("setting {name} ")) && !error.contains("secret"), "{error}");
        }
        for (name, value) in [
            ("dab_path", ""),
            ("dab_path", "api"),
            ("dab_path", "/a?b"),
            ("retry_base_ms", "0"),
            ("retry_base_ms", "-1"),
            ("retry_base_ms", "1.5"),
            ("retry_base_ms", ""),
            ("retry_cap_ms", "many"),
            ("retry_cap_ms", "99"),
            ("attempt_timeout_ms", "0"),
            ("attempt_timeout_ms", "10s"),
            ("request_deadline_ms", "0"),
            ("request_deadline_ms", "4294967296"),
            ("max_body_bytes", "0"),
            ("max_body_bytes", "4000001"),
            ("max_in_flight", "0"),
            ("max_in_flight", "0"),
            ("forward_authorization", "secret"),
            ("cors_allowed_origins", "*"),
            ("serve_docs", "no"),
        ] {
            let error = error(&format!("options={name}={value}"));
            assert!(error.contains(&format!("setting {name} ")) && !error.contains("secret"), "{error}");
        }
    }
}
