//! The settings: what each means, its unit, its limits and its default. They come as one text, the component variable
//! `settings` of `spin.toml`, because each look-up of a variable is dear on Spin.
//!
//! The text is a line `name=value` for each application variable. The variable `options` holds the settings that seldom
//! change, as `name=value` pairs separated by spaces.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Uri};

use crate::client::access::ApiKeys;
use crate::client::cors::Origins;
use crate::log::Level;
use crate::retry::Policy;

/// Everything that can be configured, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `dab_url`: Data API Builder's origin, `http(s)://host[:port]`. No path: Spin accepts only origins in
    /// `allowed_outbound_hosts`, which is made from this variable.
    pub dab_url: String,
    /// `api_key`: the keys that open the API, separated by commas; empty leaves it open. A secret.
    pub api_keys: ApiKeys,
    /// `dab_api_key`: sent to Data API Builder as `x-api-key`, for a gateway in front of it that asks for one; empty sends
    /// nothing. A secret.
    pub dab_api_key: Option<HeaderValue>,
    /// `log_level`: `off`, `error`, `warn` or `info`. See [`Level`].
    pub log_level: Level,
    /// Option `dab_path`: Data API Builder's `runtime.rest.path`, starting with `/`, without a slash at the end. Empty when
    /// it is `/`.
    pub dab_path: String,
    /// Options `retry_base_ms`, `retry_cap_ms`, `attempt_timeout_ms`, `request_deadline_ms`: how hard a request tries. See
    /// [`Policy`].
    pub policy: Policy,
    /// Option `max_body_bytes`: the largest request body accepted, in bytes.
    pub max_body_bytes: usize,
    /// Option `forward_authorization`: `true` passes `Authorization` and `X-MS-API-ROLE` on to Data API Builder, which then
    /// decides who may do what; `false` keeps them back.
    pub forward_authorization: bool,
    /// Option `cors_allowed_origins`: the origins whose pages may call the API, separated by commas; empty allows none.
    pub cors_allowed_origins: Origins,
    /// Option `serve_docs`: `false` takes the pages `/`, `/docs` and `/problems` away.
    pub serve_docs: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dab_url: "http://127.0.0.1:5000".to_owned(),
            api_keys: ApiKeys::default(),
            dab_api_key: None,
            log_level: Level::Warn,
            dab_path: "/api".to_owned(),
            policy: Policy {
                base: Duration::from_millis(100),
                cap: Duration::from_millis(2000),
                attempt_timeout: Duration::from_millis(10_000),
                deadline: Duration::from_millis(25_000),
            },
            max_body_bytes: 64 * 1024,
            forward_authorization: false,
            cors_allowed_origins: Origins::default(),
            serve_docs: true,
        }
    }
}

/// Why there are no settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// A variable or option that cannot be used. The message names it and the rule, never the value.
    Invalid {
        /// Its name.
        name: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A variables provider failed, so that nothing is known; the reason is for the log.
    Provider(String),
}

impl SettingsError {
    /// A variable that the manifest does not have.
    pub fn undefined(name: &str) -> Self {
        Self::Invalid { name: name.to_owned(), rule: "is not set" }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { name, rule } => write!(f, "The setting {name} {rule}."),
            Self::Provider(reason) => write!(f, "A variables provider failed: {reason}."),
        }
    }
}

/// Data API Builder holds a request to 30,000,000 bytes, and the JSON text grows at most sixfold when it is made a JSON
/// string.
const MAX_BODY_BYTES: u32 = 4_000_000;

impl Settings {
    /// Reads and checks the text of the component variable.
    ///
    /// # Errors
    ///
    /// The first setting that is unknown or breaks its rule.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let invalid = |name: &str, rule| SettingsError::Invalid { name: name.to_owned(), rule };
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            if name == "options" {
                for option in value.split_ascii_whitespace() {
                    let (name, value) = option.split_once('=').unwrap_or((option, ""));
                    settings.set_option(name, value).map_err(|rule| invalid(name, rule))?;
                }
            } else {
                settings.set_variable(name, value).map_err(|rule| invalid(name, rule))?;
            }
        }
        if settings.policy.cap < settings.policy.base {
            return Err(invalid("retry_cap_ms", "must be at least retry_base_ms"));
        }
        Ok(settings)
    }

    fn set_variable(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "dab_url" => {
                let rule = "must be an origin like http://127.0.0.1:5000 or https://host, without user, path or query";
                self.dab_url = origin(value).ok_or(rule)?;
            }
            "api_key" => {
                let rule = "must be empty, or keys of visible characters separated by commas";
                self.api_keys = ApiKeys::parse(value).ok_or(rule)?;
            }
            "dab_api_key" => {
                let rule = "must be empty, or visible characters without spaces";
                self.dab_api_key = secret_header(value).ok_or(rule)?;
            }
            "log_level" => self.log_level = Level::parse(value).ok_or("must be off, error, warn or info")?,
            _ => return Err("is unknown: it is no variable of this API"),
        }
        Ok(())
    }

    fn set_option(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let milliseconds = || {
            let milliseconds = positive(value, u32::MAX).ok_or("must be a whole number between 1 and 4294967295")?;
            Ok::<_, &str>(Duration::from_millis(milliseconds.into()))
        };
        let boolean = || value.parse().map_err(|_| "must be true or false");
        match name {
            "dab_path" => {
                let rule = "must be a path like /api, of letters, digits, - _ ~ and /";
                self.dab_path = path(value).ok_or(rule)?;
            }
            "retry_base_ms" => self.policy.base = milliseconds()?,
            "retry_cap_ms" => self.policy.cap = milliseconds()?,
            "attempt_timeout_ms" => self.policy.attempt_timeout = milliseconds()?,
            "request_deadline_ms" => self.policy.deadline = milliseconds()?,
            "max_body_bytes" => {
                let bytes = positive(value, MAX_BODY_BYTES).ok_or("must be a whole number between 1 and 4000000")?;
                self.max_body_bytes = bytes as usize;
            }
            "forward_authorization" => self.forward_authorization = boolean()?,
            "cors_allowed_origins" => {
                let rule = "must be empty, or origins like https://shop.example separated by commas";
                self.cors_allowed_origins = Origins::parse(value).ok_or(rule)?;
            }
            "serve_docs" => self.serve_docs = boolean()?,
            _ => return Err("is unknown: it is no option of this API"),
        }
        Ok(())
    }
}

/// A whole number between 1 and `max`, in decimal digits.
fn positive(value: &str, max: u32) -> Option<u32> {
    value.parse().ok().filter(|number| (1..=max).contains(number))
}

/// As Spin takes it in `allowed_outbound_hosts`: lower-case scheme, no fragment, and a port behind an IPv6 address.
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

    /// The error of a text, as it is shown.
    fn error(text: &str) -> String {
        Settings::parse(text).expect_err(text).to_string()
    }

    /// The text that Spin makes of the manifest's own defaults.
    fn of_manifest(manifest: &str) -> String {
        let value = |name: &str| {
            let line = manifest.lines().find_map(|line| line.strip_prefix(&format!("{name} = {{ default = \"")));
            line.unwrap_or_else(|| panic!("{name} is declared")).split('"').next().unwrap().to_owned()
        };
        let template = manifest.split("\"\"\"").nth(1).expect("settings");
        let lines = template.trim().lines().map(|line| {
            let (name, variable) = line.split_once('=').expect(line);
            assert_eq!(variable, format!("{{{{ {name} }}}}"));
            format!("{name}={}\n", value(name))
        });
        lines.collect()
    }

    #[test]
    fn the_manifest_has_the_variables_and_their_defaults() {
        let text = of_manifest(include_str!("../../../spin.toml"));
        assert_eq!(Settings::parse(&text), Ok(Settings::default()));
        let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["api_key", "dab_api_key", "dab_url", "log_level", "options"]);
    }

    #[test]
    fn the_documents_show_the_options_defaults() {
        let (_, options) = include_str!("../../../docs/local.md").split_once("| option |").expect("a table");
        let rows = options.lines().skip(2).map_while(|line| line.strip_prefix("| `"));
        let pairs = rows.map(|row| {
            let (name, rest) = row.split_once("` | ").expect(row);
            let (value, _) = rest.split_once(" |").expect(row);
            format!("{name}={}", value.trim_matches('`').replace("empty", ""))
        });
        let pairs: Vec<_> = pairs.collect();
        assert!(pairs.len() > 5, "{pairs:?}");
        for pair in pairs {
            assert_eq!(Settings::parse(&format!("options={pair}")), Ok(Settings::default()), "{pair}");
        }
    }

    #[test]
    fn every_setting_is_read() {
        let text = "dab_url=https://dab.example/\napi_key=a,b\n\ndab_api_key=c\nlog_level=info\noptions= dab_path=/api/v2/  \
                    retry_base_ms=1 retry_cap_ms=2 attempt_timeout_ms=3 request_deadline_ms=4 max_body_bytes=5 \
                    forward_authorization=true cors_allowed_origins=https://shop.example serve_docs=false\n";
        let ms = Duration::from_millis;
        let expected = Settings {
            dab_url: "https://dab.example".into(),
            api_keys: ApiKeys::parse("a,b").unwrap(),
            dab_api_key: Some(HeaderValue::from_static("c")),
            log_level: Level::Info,
            dab_path: "/api/v2".into(),
            policy: Policy { base: ms(1), cap: ms(2), attempt_timeout: ms(3), deadline: ms(4) },
            max_body_bytes: 5,
            forward_authorization: true,
            cors_allowed_origins: Origins::parse("https://shop.example").unwrap(),
            serve_docs: false,
        };
        assert_eq!(Settings::parse(text), Ok(expected));
        assert_eq!(Settings::parse("options=dab_path=/").unwrap().dab_path, "");
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
            ("other", "secret"),
            ("dab_path", "/secret"),
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
            ("forward_authorization", "secret"),
            ("cors_allowed_origins", "*"),
            ("serve_docs", "no"),
            ("api_key", "secret"),
            ("other", "secret"),
        ] {
            let error = error(&format!("options={name}={value}"));
            assert!(error.contains(&format!("setting {name} ")) && !error.contains("secret"), "{error}");
        }
        assert_eq!(error("options=soon"), "The setting soon is unknown: it is no option of this API.");
    }
}
