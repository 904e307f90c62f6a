//! The component variables: what each means, its unit and its limits. Values are set in `spin.toml`, with
//! `SPIN_VARIABLE_<NAME>` or by a variables provider.

use std::fmt;
use std::str::FromStr;

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
    /// Reads and checks every variable; `variables` knows their values, and `None` of those that are not declared.
    ///
    /// # Errors
    ///
    /// The first variable that is missing or breaks its rule.
    pub fn read(variables: impl Fn(&'static str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let variables = &variables;
        Ok(Self {
            dab_url: origin(variables, "dab_url")?,
            dab_path: path(variables, "dab_path")?,
            retry: Policy::new(
                positive(variables, "retry_base_ms")?,
                positive(variables, "retry_cap_ms")?,
                positive(variables, "attempt_timeout_ms")?,
                positive(variables, "request_deadline_ms")?,
            )?,
            max_body_bytes: match positive::<u32>(variables, "max_body_bytes")? {
                bytes if bytes <= MAX_BODY_BYTES_LIMIT => bytes as usize,
                _ => return invalid("max_body_bytes", "must be at most 4000000"),
            },
            api_keys: match ApiKeys::parse(&text(variables, "api_key")?) {
                Some(keys) => keys,
                None => {
                    return invalid(
                        "api_key",
                        "must be empty, or keys of visible characters separated by commas",
                    );
                }
            },
            forward_authorization: match text(variables, "forward_authorization")?.as_str() {
                "true" => true,
                "false" => false,
                _ => return invalid("forward_authorization", "must be true or false"),
            },
            dab_api_key: secret_header(variables, "dab_api_key")?,
            log_level: match Level::parse(&text(variables, "log_level")?) {
                Some(level) => level,
                None => return invalid("log_level", "must be off, error, warn or info"),
            },
            cors_allowed_origins: match Origins::parse(&text(variables, "cors_allowed_origins")?) {
                Some(origins) => origins,
                None => {
                    return invalid(
                        "cors_allowed_origins",
                        "must be empty, or origins like https://shop.example separated by commas",
                    );
                }
            },
        })
    }
}

/// The value of each variable that has one.
type Variables<'v> = &'v dyn Fn(&'static str) -> Option<String>;

fn invalid<T>(variable: &'static str, rule: &'static str) -> Result<T, InvalidSetting> {
    Err(InvalidSetting { variable, rule })
}

fn text(variables: Variables, variable: &'static str) -> Result<String, InvalidSetting> {
    match variables(variable) {
        Some(value) => Ok(value),
        None => invalid(variable, "is not set"),
    }
}

/// A whole number above zero, in decimal digits only.
fn positive<T: FromStr + Default + PartialOrd>(
    variables: Variables,
    variable: &'static str,
) -> Result<T, InvalidSetting> {
    match text(variables, variable)?.parse() {
        Ok(number) if number > T::default() => Ok(number),
        _ => invalid(variable, "must be a whole number between 1 and 4294967295"),
    }
}

fn origin(variables: Variables, variable: &'static str) -> Result<String, InvalidSetting> {
    let value = text(variables, variable)?;
    let is_origin = value.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
            && uri.path() == "/"
    });
    match is_origin {
        true => Ok(value.trim_end_matches('/').to_owned()),
        false => invalid(
            variable,
            "must be an origin like http://127.0.0.1:5000 or https://host, without user, path or query",
        ),
    }
}

fn secret_header(variables: Variables, variable: &'static str) -> Result<Option<HeaderValue>, InvalidSetting> {
    let value = text(variables, variable)?;
    if value.is_empty() {
        return Ok(None);
    }
    match HeaderValue::try_from(value) {
        Ok(mut value) if value.as_bytes().iter().all(u8::is_ascii_graphic) => {
            value.set_sensitive(true);
            Ok(Some(value))
        }
        _ => invalid(variable, "must be empty, or visible characters without spaces"),
    }
}

fn path(variables: Variables, variable: &'static str) -> Result<String, InvalidSetting> {
    let value = text(variables, variable)?;
    let is_path = value.starts_with('/')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte));
    match is_path {
        true => Ok(value.trim_end_matches('/').to_owned()),
        false => invalid(variable, "must be a path like /api, of letters, digits, - _ ~ and /"),
    }
}

#[cfg(test)]
mod tests {
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
