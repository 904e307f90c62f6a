//! The component variables: what each means, its unit and its limits. Values are set in `spin.toml`, with
//! `SPIN_VARIABLE_<NAME>` or by a variables provider.

use std::fmt;

use http::{HeaderValue, Uri};

use crate::access::ApiKeys;
use crate::cors::Origins;
use crate::log::Level;
use crate::retry::Policy;

/// Everything that can be configured, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `dab_url`: the bridge's origin, `http(s)://host[:port]`. No path: Spin accepts only origins in
    /// `allowed_outbound_hosts`, which is made from this variable.
    pub dab_url: String,
    /// `dab_path`: the bridge's `runtime.rest.path`, starting with `/`, without a slash at the end. Empty when it is
    /// `/`.
    pub dab_path: String,
    /// `retry_base_ms`, `retry_cap_ms`, `attempt_timeout_ms`, `request_deadline_ms`: how hard a request tries. See
    /// [`Policy`].
    pub retry: Policy,
    /// `max_body_bytes`: the largest request body accepted, in bytes.
    pub max_body_bytes: usize,
    /// `api_key`: the keys that open the API, separated by commas; empty leaves it open. A secret.
    pub api_keys: ApiKeys,
    /// `forward_authorization`: `true` passes `Authorization` and `X-MS-API-ROLE` on to the bridge, which then decides
    /// who may do what; `false` keeps them back.
    pub forward_authorization: bool,
    /// `dab_api_key`: sent to the bridge as `x-api-key`, for a gateway in front of it that asks for one; empty sends
    /// nothing. A secret.
    pub dab_api_key: Option<HeaderValue>,
    /// `log_level`: `off`, `error`, `warn` or `info`. See [`Level`].
    pub log_level: Level,
    /// `cors_allowed_origins`: the origins whose pages may call the API, separated by commas; empty allows none.
    pub cors_allowed_origins: Origins,
}

/// A variable whose value cannot be used. The message names the variable and the rule, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    /// The variable's name.
    pub variable: &'static str,
    /// What its value must be.
    pub rule: &'static str,
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The variable {} {}.", self.variable, self.rule)
    }
}

/// The bridge holds a request to 30,000,000 bytes, and the JSON text grows at most sixfold when it is made a JSON
/// string.
const MAX_BODY_BYTES_LIMIT: u32 = 4_000_000;

impl Settings {
    /// The names of all variables.
    pub const VARIABLES: [&'static str; 12] = [
        "dab_url",
        "dab_path",
        "retry_base_ms",
        "retry_cap_ms",
        "attempt_timeout_ms",
        "request_deadline_ms",
        "max_body_bytes",
        "api_key",
        "forward_authorization",
        "dab_api_key",
        "log_level",
        "cors_allowed_origins",
    ];

    /// Reads and checks every variable; `variables` knows their values, and `None` of those that are not declared.
    ///
    /// # Errors
    ///
    /// The first variable that is missing or breaks its rule.
    pub fn read(variables: impl Fn(&'static str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let variables: Variables = &variables;
        let milliseconds = |variable| {
            let rule = "must be a whole number between 1 and 4294967295";
            checked(variables, variable, rule, |value| positive(value, u32::MAX))
        };
        Ok(Self {
            dab_url: checked(
                variables,
                "dab_url",
                "must be an origin like http://127.0.0.1:5000 or https://host, without user, path or query",
                origin,
            )?,
            dab_path: checked(
                variables,
                "dab_path",
                "must be a path like /api, of letters, digits, - _ ~ and /",
                path,
            )?,
            retry: Policy::new(
                milliseconds("retry_base_ms")?,
                milliseconds("retry_cap_ms")?,
                milliseconds("attempt_timeout_ms")?,
                milliseconds("request_deadline_ms")?,
            )?,
            max_body_bytes: checked(
                variables,
                "max_body_bytes",
                "must be a whole number between 1 and 4000000",
                |value| positive(value, MAX_BODY_BYTES_LIMIT),
            )? as usize,
            api_keys: checked(
                variables,
                "api_key",
                "must be empty, or keys of visible characters separated by commas",
                ApiKeys::parse,
            )?,
            forward_authorization: checked(variables, "forward_authorization", "must be true or false", |value| {
                value.parse().ok()
            })?,
            dab_api_key: checked(
                variables,
                "dab_api_key",
                "must be empty, or visible characters without spaces",
                secret_header,
            )?,
            log_level: checked(variables, "log_level", "must be off, error, warn or info", Level::parse)?,
            cors_allowed_origins: checked(
                variables,
                "cors_allowed_origins",
                "must be empty, or origins like https://shop.example separated by commas",
                Origins::parse,
            )?,
        })
    }
}

/// The value of each variable that has one.
type Variables<'v> = &'v dyn Fn(&'static str) -> Option<String>;

/// The value of `variable` as `parse` understands it; `rule` says what that is.
fn checked<T>(
    variables: Variables,
    variable: &'static str,
    rule: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, InvalidSetting> {
    let value = variables(variable).ok_or(InvalidSetting {
        variable,
        rule: "is not set",
    })?;
    parse(&value).ok_or(InvalidSetting { variable, rule })
}

/// A whole number between 1 and `max`, in decimal digits.
fn positive(value: &str, max: u32) -> Option<u32> {
    value.parse().ok().filter(|number| (1..=max).contains(number))
}

fn origin(value: &str) -> Option<String> {
    let uri: Uri = value.parse().ok()?;
    let is_origin = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.query().is_none()
        && uri.path() == "/";
    is_origin.then(|| value.trim_end_matches('/').to_owned())
}

fn path(value: &str) -> Option<String> {
    let is_path = value.starts_with('/')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte));
    is_path.then(|| value.trim_end_matches('/').to_owned())
}

/// The header that holds a secret; none for the empty text.
fn secret_header(value: &str) -> Option<Option<HeaderValue>> {
    if value.is_empty() {
        return Some(None);
    }
    let mut header = HeaderValue::try_from(value).ok()?;
    header.set_sensitive(true);
    value
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then_some(Some(header))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::platform::Platform;
    use crate::platform::fake::Fake;

    fn read(variable: &str, value: &str) -> Result<Settings, InvalidSetting> {
        Fake::default().set(variable, value).settings().cloned()
    }

    #[test]
    fn the_manifest_defaults_are_valid() {
        let settings = Fake::default().settings().cloned().unwrap();
        assert_eq!(settings.dab_url, "http://127.0.0.1:5000");
        assert_eq!(settings.dab_path, "/api");
        assert_eq!(settings.max_body_bytes, 65536);
    }

    #[test]
    fn the_variables_are_those_of_the_manifest_and_each_is_read_once() {
        let manifest = include_str!("../spin.toml");
        let declared = manifest.split_once("[variables]\n").unwrap().1;
        let declared = declared.split("\n[").next().unwrap().lines();
        let declared: Vec<_> = declared
            .filter_map(|line| line.split_once(" = {"))
            .map(|(name, _)| name)
            .collect();
        let asked = RefCell::new(Vec::new());
        let platform = Fake::default();
        Settings::read(|name| {
            asked.borrow_mut().push(name);
            platform.variable(name)
        })
        .unwrap();
        for mut names in [declared, asked.into_inner()] {
            let mut expected = Settings::VARIABLES.to_vec();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_bad_value_names_its_variable_and_not_the_value() {
        let cases = [
            ("dab_url", "127.0.0.1:5000"),
            ("dab_url", "http://host/api"),
            ("dab_url", "http://host/?x"),
            ("dab_url", "http://user:secret@host"),
            ("dab_url", "ftp://host"),
            ("dab_url", "http://"),
            ("dab_url", ""),
            ("dab_path", ""),
            ("dab_path", "api"),
            ("dab_path", "/a?b"),
            ("dab_path", "/a b"),
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
            ("api_key", "secret,"),
            ("forward_authorization", "secret"),
            ("dab_api_key", "sec ret\n"),
            ("cors_allowed_origins", "*"),
            ("log_level", "verbose"),
        ];
        for (variable, value) in cases {
            let error = read(variable, value).expect_err(variable);
            assert_eq!(error.variable, variable, "{value}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn slashes_at_the_end_do_not_matter() {
        assert_eq!(
            read("dab_url", "https://dab.example/").unwrap().dab_url,
            "https://dab.example"
        );
        assert_eq!(read("dab_path", "/").unwrap().dab_path, "");
        assert_eq!(read("dab_path", "/api/v2/").unwrap().dab_path, "/api/v2");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Fake::default().unset("dab_path").settings().unwrap_err();
        assert_eq!(error.to_string(), "The variable dab_path is not set.");
    }
}
