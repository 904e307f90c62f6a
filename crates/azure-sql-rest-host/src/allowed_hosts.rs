//! `allowed_outbound_hosts`: where the component may send requests.
//!
//! Spin's format, `scheme://host[:port]`, each part optionally a wildcard: `*://`, `*` or `*.example.com`, `:*`, and
//! `:1000..2000` for a range of ports. Lists, networks in CIDR notation and requests of an application to itself are
//! not supported here.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use http::Uri;

use crate::variables::{Resolver, declared_value, fill};

/// The resolved `allowed_outbound_hosts` of the component.
#[derive(Debug)]
pub(crate) struct AllowedHosts(Vec<Rule>);

#[derive(Debug, PartialEq)]
struct Rule {
    /// `None` allows every scheme.
    scheme: Option<String>,
    host: Host,
    /// `None` allows every port.
    ports: Option<Range<u32>>,
}

#[derive(Debug, PartialEq)]
enum Host {
    Any,
    /// `*.example.com`, kept as `.example.com`.
    Subdomain(String),
    Exactly(String),
}

impl AllowedHosts {
    /// Fills in and parses `allowed_outbound_hosts`.
    ///
    /// # Errors
    ///
    /// A variable without a value, or an entry that Spin refuses as well, such as a URL with a path. The message shows
    /// the entry and its template.
    pub fn resolve(templates: &[String], resolver: &Resolver) -> Result<Self> {
        let values = resolver.all()?;
        let mut rules = Vec::new();
        for template in templates {
            let place = || format!("allowed_outbound_hosts {template:?}");
            let entry = fill(template, |name| declared_value(&values, name)).with_context(place)?;
            // Spin does the same: a template over an empty variable allows nothing, so that a destination can be optional.
            if entry != *template && matches!(entry.as_str(), "" | "http://" | "https://") {
                continue;
            }
            rules.push(Rule::parse(entry.trim()).with_context(|| format!("{} is {entry:?}", place()))?);
        }
        Ok(Self(rules))
    }

    /// True if the component may send a request to this URI.
    pub fn allow(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return false;
        };
        let Some(port) = authority.port_u16().or_else(|| default_port(scheme)) else {
            return false;
        };
        let host = normalize(authority.host());
        self.0.iter().any(|rule| rule.allows(scheme, &host, port))
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self> {
        let (scheme, rest) = entry.split_once("://").context("has no scheme (such as 'http://' or '*://')")?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "has a malformed scheme"
        );
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(!rest.contains(['/', '?', '#']), "has a path but is not allowed to: give scheme, host and port only");
        ensure!(!rest.contains('@'), "must not hold a user name or password");
        // A colon inside the brackets of an IPv6 address does not separate a port.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (rest, ""),
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_ascii_lowercase()),
            host: Host::parse(host)?,
            ports: parse_ports(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(scheme))
            && self.host.allows(host)
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&port.into()))
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self> {
        if host == "*" {
            return Ok(Self::Any);
        }
        let (wildcard, name) = match host.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, host),
        };
        ensure!(!name.is_empty(), "has no host");
        ensure!(!name.contains('*'), "has a wildcard where none is allowed: only '*' and '*.domain' are");
        ensure!(
            name != "self" && name != "self.alt",
            "is the application itself, which the built-in host does not support"
        );
        // A value that is not a host name or address can never match a request, so that it is a mistake.
        ensure!(name.parse::<http::uri::Authority>().is_ok(), "has a malformed host");
        let name = normalize(name);
        Ok(if wildcard { Self::Subdomain(format!(".{name}")) } else { Self::Exactly(name) })
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Subdomain(suffix) => host.ends_with(suffix) && host.parse::<IpAddr>().is_err(),
            Self::Exactly(name) => host == name,
        }
    }
}

/// One spelling for each host: lower case, and the shortest form of an IPv6 address.
fn normalize(host: &str) -> String {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match address.map(str::parse::<Ipv6Addr>) {
        Some(Ok(address)) => format!("[{address}]"),
        _ => host.to_ascii_lowercase(),
    }
}

fn parse_ports(port: &str, scheme: &str) -> Result<Option<Range<u32>>> {
    let number =
        |text: &str| text.parse::<u16>().map(u32::from).with_context(|| format!("port {text:?} is not a number"));
    match port {
        "*" => Ok(None),
        "" => match default_port(scheme) {
            Some(port) => Ok(Some(single(port))),
            None => bail!("has no port, and scheme {scheme:?} has no default one"),
        },
        _ => match port.split_once("..") {
            Some((start, end)) => Ok(Some(number(start)?..number(end)?)),
            None => number(port).map(|port| Some(port..port + 1)),
        },
    }
}

fn single(port: u16) -> Range<u32> {
    let port = u32::from(port);
    port..port + 1
}

/// The port of a URI that names none. Other schemes cannot be sent through `wasi:http`.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entry: &str, uri: &str) -> bool {
        AllowedHosts(vec![Rule::parse(entry).unwrap()]).allow(&uri.parse().unwrap())
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        let entry = "http://localhost:5000";
        assert!(allowed(entry, "http://localhost:5000/api/get_customer?CustomerID=123"));
        assert!(allowed(entry, "http://LOCALHOST:5000/"));
        assert!(!allowed(entry, "https://localhost:5000/"));
        assert!(!allowed(entry, "http://localhost:5001/"));
        assert!(!allowed(entry, "http://localhost/"));
        assert!(!allowed(entry, "http://127.0.0.1:5000/"));
        assert!(!allowed(entry, "http://localhost.example.com:5000/"));
        assert!(!allowed(entry, "http://evil.test:5000/http://localhost:5000"));
        assert!(!allowed(entry, "http://localhost:5000@evil.test/"));
    }

    #[test]
    fn a_missing_port_is_the_default_of_the_scheme() {
        assert!(allowed("https://dab.example.com", "https://dab.example.com/"));
        assert!(allowed("https://dab.example.com/", "https://dab.example.com:443/x"));
        assert!(!allowed("https://dab.example.com", "http://dab.example.com/"));
        assert!(allowed("http://[::1]", "http://[0:0::1]:80/"));
        assert!(allowed("http://[::1]:5000", "http://[::1]:5000/"));
    }

    #[test]
    fn wildcards_stand_for_scheme_host_and_port() {
        assert!(allowed("*://*:*", "http://anything.test:1/"));
        assert!(allowed("https://*.example.com", "https://a.b.example.com/"));
        assert!(!allowed("https://*.example.com", "https://example.com/"));
        assert!(!allowed("https://*.example.com", "https://badexample.com/"));
        assert!(allowed("http://a.test:8000..8002", "http://a.test:8001/"));
        assert!(!allowed("http://a.test:8000..8002", "http://a.test:8002/"));
        assert!(allowed("http://a.test:65535", "http://a.test:65535/"));
    }

    #[test]
    fn a_relative_uri_is_never_allowed() {
        assert!(!AllowedHosts(vec![Rule::parse("*://*:*").unwrap()]).allow(&Uri::from_static("/path")));
    }

    #[test]
    fn malformed_entries_say_what_is_wrong() {
        for (entry, reason) in [
            ("http://localhost:5000/api", "has a path"),
            ("http://localhost/api", "has a path"),
            ("localhost:5000", "no scheme"),
            ("http://", "no host"),
            ("http://:5000", "no host"),
            ("http://user:pass@host", "user name"),
            ("http://localhost:port", "not a number"),
            ("http://localhost:70000", "not a number"),
            ("*://localhost", "no port"),
            ("http://a.*.test", "wildcard"),
            ("http://self", "itself"),
            ("http://a b", "malformed host"),
            ("ht tp://a", "malformed scheme"),
        ] {
            let error = format!("{:#}", Rule::parse(entry).unwrap_err());
            assert!(error.contains(reason), "{entry:?}: {error}");
        }
    }
}
