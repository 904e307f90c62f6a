//! `openapi.json`: its paths follow from the table of routes, its schemas from one description of each entity. Written by hand
//! are `base.json`, what all APIs of this kind have, and one [`Entity`] each.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use azure_sql_rest::client::problem::kind;
use azure_sql_rest::route::{Action, Call, Creates, Kind, Route, Source};
use http::Method;
use serde_json::{Map, Value, json};

use super::entity::{Entity, reference};
use super::schemas::{BASE, title};

/// The tag of routes that no procedure answers.
const OPERATIONS: &str = "operations";

/// The tag of procedures that are about no entity.
const PROCEDURES: &str = "procedures";

fn tag<'e>(route: &Route, entity: Option<&'e Entity>) -> &'e str {
    match (&route.action, entity) {
        (_, Some(entity)) => &entity.plural,
        (Action::Call(_), None) => PROCEDURES,
        _ => OPERATIONS,
    }
}

/// The whole document.
pub(super) fn document(root: &Path, routes: &[Route]) -> Result<Value> {
    let mut document: Value = serde_json::from_str(BASE).context("base.json")?;
    // A procedure's own status may be none of the kinds (RFC 9457, section 4.2.1).
    let types: Vec<_> = kind::ALL.iter().filter_map(|kind| kind.uri.strip_prefix("problems#")).collect();
    let pattern = format!("^(about:blank|(\\.\\./)*problems#({}))$", types.join("|"));
    document["components"]["schemas"]["Problem"]["properties"]["type"]["pattern"] = json!(pattern);
    let entities = Entity::all(root)?;
    for entity in &entities {
        for (name, schema) in entity.schemas()? {
            document["components"]["schemas"][name] = schema;
        }
    }
    let mut paths = Map::new();
    for route in routes {
        let entity = match &route.action {
            Action::Call(call) => entity_of(call, &entities),
            // For people, not for programs.
            Action::Page(_) => continue,
            _ => None,
        };
        let item = paths.entry(route.path).or_insert_with(|| json!({"parameters": shared_parameters(&route.action)}));
        item[route.method.as_str().to_lowercase()] = operation(route, entity);
        if route.method == Method::GET {
            item["head"] = head(route, entity);
        }
    }
    let tags = entities.iter().map(|entity| json!({"name": entity.plural}));
    let is_own = |route: &Route| matches!(&route.action, Action::Call(call) if entity_of(call, &entities).is_none());
    let own = routes.iter().any(is_own).then(|| json!({"name": PROCEDURES, "description": "What no table stands for"}));
    document["tags"] =
        tags.chain(own).chain([json!({"name": OPERATIONS, "description": "For whoever runs the API"})]).collect();
    document["paths"] = paths.into();
    keep_what_is_used(&mut document)?;
    Ok(document)
}

/// Removes the components to which nothing refers. Fails when a reference has no target.
fn keep_what_is_used(document: &mut Value) -> Result<()> {
    loop {
        let mut used = BTreeSet::new();
        references(document, &mut used);
        let is_missing = |used: &&String| used.strip_prefix('#').is_none_or(|used| document.pointer(used).is_none());
        if let Some(missing) = used.iter().find(is_missing) {
            bail!("openapi.json has no {missing}");
        }
        let mut is_stable = true;
        // Security schemes are referred to by name.
        let components = document["components"].as_object_mut().into_iter().flatten();
        for (kind, components) in components.filter(|(kind, _)| *kind != "securitySchemes") {
            let Some(components) = components.as_object_mut() else { continue };
            let count = components.len();
            components.retain(|name, _| used.contains(&format!("#/components/{kind}/{name}")));
            is_stable &= components.len() == count;
        }
        if is_stable {
            return Ok(());
        }
    }
}

/// Adds every `$ref` in `value` to `found`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    found.extend(value["$ref"].as_str().map(str::to_owned));
    for value in value.as_object().into_iter().flat_map(Map::values) {
        references(value, found);
    }
    for value in value.as_array().into_iter().flatten() {
        references(value, found);
    }
}

/// The name that a procedure has behind its verb.
fn about(call: &Call) -> &'static str {
    call.procedure.split_once('_').map_or(call.procedure, |(_, about)| about)
}

/// The entity that a procedure is about; `None` for a procedure of the owner's own.
fn entity_of<'e>(call: &Call, entities: &'e [Entity]) -> Option<&'e Entity> {
    let about = about(call);
    entities.iter().find(|entity| entity.name == about || entity.plural == about)
}

fn operation(route: &Route, entity: Option<&Entity>) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route, entity),
        "tags": [tag(route, entity)],
        "summary": route.doc[0].trim(),
    });
    let description: Vec<_> = route.doc[1..].iter().map(|line| line.trim()).collect();
    if !description.is_empty() {
        operation["description"] = json!(description.join(" "));
    }
    let Action::Call(call) = &route.action else {
        operation["security"] = json!([]);
        operation["responses"] = probe_responses(route);
        return operation;
    };
    let mut parameters = arguments(route, call, entity);
    parameters.extend(headers_of(&route.method, call).iter().map(|name| reference("parameters", name)));
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(form_field) = form_field(call) {
        operation["requestBody"] = request_body(route, call, entity, form_field);
    }
    operation["responses"] = responses(route, call, entity);
    operation
}

fn operation_id(route: &Route, entity: Option<&Entity>) -> String {
    let verb = match (&route.action, route.method.as_str()) {
        (Action::Call(call), _) if is_list(route, call) => "list",
        (Action::Call(call), "PUT") if has_key(call) => "replace",
        (_, "PUT") => "create",
        (_, "PATCH") => "update",
        (_, method) => &method.to_lowercase(),
    };
    let about = match (&route.action, entity) {
        (Action::Alive, _) => "Liveness".to_owned(),
        (Action::Ready, _) => "Readiness".to_owned(),
        (Action::OpenApi, _) => "OpenApi".to_owned(),
        (Action::Call(call), None) => title(about(call)),
        (Action::Call(call), Some(entity)) if is_list(route, call) => match owner(route.path) {
            Some(owner) => format!("{}Of{}", title(&entity.plural), title(owner)),
            None => title(&entity.plural),
        },
        (_, entity) => entity.map(Entity::title).unwrap_or_default(),
    };
    format!("{verb}{about}")
}

/// True for a page of rows, behind which another may follow.
fn is_list(route: &Route, call: &Call) -> bool {
    route.method == Method::GET && call.parameters.iter().any(|(_, source)| matches!(source, Source::Page(_)))
}

/// True if a request may ask how many rows a list has.
fn is_counted(call: &Call) -> bool {
    call.parameters.iter().any(|(_, source)| matches!(source, Source::Query("count", ..)))
}

/// True if the path names a row, and not rows of another: `/customer/{id}/orders`.
fn has_key(call: &Call) -> bool {
    let has = |is: fn(&Source) -> bool| call.parameters.iter().any(|(_, source)| is(source));
    has(|source| matches!(source, Source::Path(_))) && !has(|source| matches!(source, Source::Page(_)))
}

/// The row whose rows a list has: `customer` of `/customer/{id}/orders`.
fn owner(path: &str) -> Option<&str> {
    let (before, _) = path.split_once("/{")?;
    before.rsplit('/').next()
}

fn form_field(call: &Call) -> Option<&'static str> {
    call.parameters.iter().find_map(|(_, source)| match source {
        Source::Body(form_field) => Some(*form_field),
        _ => None,
    })
}

/// The headers, by their names in the base, that an operation reads besides the headers of every request.
fn headers_of(method: &Method, call: &Call) -> Vec<&'static str> {
    match *method {
        Method::GET if has_key(call) => vec!["IfNoneMatch", "ReadIfMatch"],
        Method::GET => vec![],
        Method::PUT if has_key(call) => vec!["IdempotencyKey", "IfMatch", "IfNoRow"],
        _ if call.is_versioned() => vec!["IdempotencyKey", "IfMatch"],
        _ => vec!["IdempotencyKey"],
    }
}

/// True if the examples of the procedure are requests of this route: no example has the rows of another.
fn is_of_example(route: &Route, call: &Call) -> bool {
    !is_list(route, call) || owner(route.path).is_none()
}

/// The parameters in path and query, which the procedure gets.
fn arguments(route: &Route, call: &Call, entity: Option<&Entity>) -> Vec<Value> {
    let mut segments = segments(route.path);
    let is_of_example = is_of_example(route, call);
    let argument = |(parameter_name, source): &(&str, Source)| {
        if let (Source::Query(name, ..), Some(entity)) = (source, entity)
            && let Some(filter) = entity.filter(name)
        {
            return Some(filter.clone());
        }
        let (place, name, kind, default) = match *source {
            Source::Path(kind) => ("path", segments.next().unwrap_or_default(), kind, None),
            Source::Query(name, kind, default) => ("query", name, kind, default),
            Source::Page(kind) => ("query", "after", kind, matches!(kind, Kind::Integer(0, _)).then_some(0)),
            Source::Body(_) | Source::IfMatch | Source::IfNoneMatch | Source::Caller => return None,
        };
        let mut parameter = json!({"name": name, "in": place, "schema": schema(kind, default)});
        if place == "path" {
            parameter["required"] = json!(true);
            if let Some(filter) = entity.filter(|_| !has_key(call)).and_then(|entity| entity.filter_of(parameter_name))
            {
                for member in ["description", "x-filter"] {
                    parameter[member] = filter[member].clone();
                }
            }
        } else if name == "after" {
            parameter["description"] = json!("The page begins behind this key");
            // The procedure refuses other texts than its own.
            if entity.is_some_and(|entity| entity.has_cursor) {
                parameter["description"] = json!("The page begins here: from the `Link` of a page");
                parameter["schema"]["x-cursor"] = json!(true);
            }
        }
        if let Some(example) = entity
            .filter(|_| is_of_example)
            .and_then(|entity| entity.example(call, place))
            .and_then(|example| example.get(name))
        {
            parameter["example"] = example.clone();
        }
        Some(parameter)
    };
    call.parameters.iter().filter_map(argument).collect()
}

/// The headers of every request.
fn shared_parameters(action: &Action) -> Vec<Value> {
    let names: &[&str] = match action {
        Action::Call(_) => &["Correlation", "MsCorrelation", "TraceParent", "TraceState", "Role"],
        Action::Ready => &["Correlation", "MsCorrelation", "TraceParent", "TraceState"],
        Action::Alive | Action::OpenApi | Action::Page(_) => &["Correlation", "MsCorrelation"],
    };
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// The names in the braces of a path.
fn segments(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn schema(kind: Kind, default: Option<i64>) -> Value {
    let mut schema = match kind {
        Kind::Integer(min, max) => integer(min, max),
        Kind::Text(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
        Kind::Guid => json!({"type": "string", "format": "uuid"}),
    };
    if let Some(default) = default {
        schema["default"] = json!(default);
    }
    schema
}

/// The schema of integers in a range. A reader of JSON that has doubles only cannot read the largest `BIGINT`, but the number
/// behind it.
fn integer(min: i64, max: i64) -> Value {
    let is_int = i32::try_from(min).is_ok() && i32::try_from(max).is_ok();
    let mut schema = json!({"type": "integer", "format": if is_int { "int32" } else { "int64" }, "minimum": min});
    match max {
        i64::MAX => schema["exclusiveMaximum"] = json!(max.unsigned_abs() + 1),
        max => schema["maximum"] = json!(max),
    }
    schema
}

fn request_body(route: &Route, call: &Call, entity: Option<&Entity>, form_field: &str) -> Value {
    let is_patch = route.method == Method::PATCH;
    let kind = match route.method {
        Method::PATCH => "Patch",
        Method::PUT if has_key(call) => "Replace",
        _ => "New",
    };
    let schema = entity.map_or(json!({"type": "object"}), |entity| reference("schemas", &(entity.title() + kind)));
    let mut json = json!({"schema": schema});
    if let Some(example) = entity.and_then(|entity| entity.example(call, "request")) {
        json["example"] = example.clone();
    }
    let form = json!({
        "schema": {"type": "object", "required": [form_field], "properties": {form_field: schema}},
        "encoding": {form_field: {"contentType": "application/json"}}
    });
    let mut content = json!({"application/json": json, "application/x-www-form-urlencoded": form});
    if is_patch {
        content["application/merge-patch+json"] = json!({"schema": schema});
    }
    let mut body = json!({"required": true, "content": content});
    if call.many.is_some() {
        // `oneOf` an object and an array gives a client for Java that does not compile.
        body["content"]["application/json"]["x-rows"] = json!(1000);
        body["description"] = json!("Or an array of 1 to 1000 rows: all or none");
    }
    body
}

/// Headers of responses, as references to headers of the base.
fn response_headers(names: &[(&str, &str)]) -> Value {
    let all = [
        ("server-timing", "Timing"),
        ("cache-control", "Cache"),
        ("x-content-type-options", "NoSniff"),
        ("x-correlation-id", "Guid"),
    ];
    let headers = names.iter().chain(&all);
    headers.map(|(name, component)| ((*name).to_owned(), reference("headers", component))).collect::<Map<_, _>>().into()
}

fn responses(route: &Route, call: &Call, entity: Option<&Entity>) -> Value {
    let key = ("Idempotency-Key", "RanUnder");
    let replayed = ("Idempotency-Replayed", "Replayed");
    let (status, schema, headers): (_, _, &[_]) = match route.method {
        _ if is_list(route, call) && is_counted(call) => {
            ("200", "Page", &[("Link", "Link"), ("X-Total-Count", "Total")])
        }
        _ if is_list(route, call) => ("200", "Page", &[("Link", "Link")]),
        Method::GET if !has_key(call) => ("200", "Rows", &[]),
        Method::GET => ("200", "Rows", &[("ETag", "ETag")]),
        Method::DELETE => ("202", "Deleted", &[key, replayed]),
        Method::PATCH => ("202", "Rows", &[("ETag", "MaybeETag"), key, replayed]),
        // A replacement, or a procedure of the owner's own.
        _ if call.creates.is_none() => ("200", "Rows", &[key, replayed]),
        // Without an ETag, because the stored row differs from the body (RFC 9110, section 9.3.4).
        Method::PUT => ("201", "Rows", &[key, replayed]),
        _ => ("201", "Rows", &[("ETag", "MaybeETag"), key, replayed]),
    };
    let name = entity.map_or("row", |entity| &entity.name);
    let description = match route.method {
        _ if is_list(route, call) => "A page, by key".to_owned(),
        _ if entity.is_none() => "The JSON of the procedure".to_owned(),
        Method::GET => format!("The {name}"),
        Method::DELETE => format!("The {name} does not exist any more"),
        Method::PATCH | Method::PUT if has_key(call) => {
            format!("The {name} as it is now; `[]` when it was deleted before the request was repeated")
        }
        _ => format!("The new {name}; `[]` when it was deleted before the request was repeated"),
    };
    let mut headers = response_headers(headers);
    if let Some(Creates { path: location, .. }) = call.creates {
        let (before, _) = location.trim_start_matches('/').split_once('{').unwrap_or_default();
        let keys = vec!["[^/]+"; segments(location).count()].join("/");
        headers["Location"] = json!({
            "description": format!("The new {name}, relative to the request"),
            "schema": {"type": "string", "pattern": format!("^(\\.\\./)*{before}{keys}$")}
        });
        if call.many.is_none() {
            headers["Location"]["required"] = json!(true);
        }
    }
    let schema = match (entity, call.many) {
        (None, _) => json!({}),
        (Some(entity), None) => reference("schemas", &(entity.title() + schema)),
        (Some(entity), Some(_)) => json!({"type": "array", "items": reference("schemas", &entity.title())}),
    };
    let mut json = json!({"schema": schema});
    if let Some(example) =
        entity.and_then(|entity| entity.example(call, "response")).filter(|_| is_of_example(route, call))
    {
        json["example"] = example.clone();
    }
    let success = json!({"description": description, "headers": headers, "content": {"application/json": json}});
    let mut responses = json!({status: success});
    if has_key(call) && route.method == Method::PUT {
        responses["201"] = responses["200"].clone();
        responses["201"]["description"] =
            json!(format!("The new {name}; `[]` when it was deleted before the request was repeated"));
    }
    if has_key(call) && route.method == Method::GET {
        responses["304"] = reference("responses", "NotModified");
    }
    for status in ["503", "504"] {
        responses[status] = reference("responses", "Unavailable");
    }
    // Not 4XX and 5XX, of which some generators make names that no compiler takes.
    responses["default"] = reference("responses", "Problem");
    responses
}

/// The responses of a route that calls no procedure of an entity.
fn probe_responses(route: &Route) -> Value {
    let (description, schema, example) = match route.action {
        Action::Alive => ("It runs", reference("schemas", "Health"), Some("alive")),
        Action::Ready => ("They answer", reference("schemas", "Health"), Some("ready")),
        _ => ("This document", json!({"type": "object"}), None),
    };
    let mut headers = response_headers(&[]);
    if !matches!(route.action, Action::Ready)
        && let Some(headers) = headers.as_object_mut()
    {
        headers.remove("server-timing");
    }
    let mut json = json!({"schema": schema});
    if let Some(status) = example {
        json["example"] = json!({"status": status});
    }
    let mut responses = json!({
        "200": {"description": description, "headers": headers, "content": {"application/json": json}}
    });
    match route.action {
        Action::Ready => {
            responses["503"] = reference("responses", "Unavailable");
            responses["default"] = reference("responses", "Problem");
        }
        Action::OpenApi => responses["default"] = reference("responses", "Problem"),
        _ => {}
    }
    responses
}

/// The `HEAD` that comes with a `GET`.
fn head(route: &Route, entity: Option<&Entity>) -> Value {
    let get = operation(route, entity);
    let id = get["operationId"].as_str().unwrap_or_default();
    let about = id.trim_start_matches("get").trim_start_matches("list");
    let mut head = json!({
        "operationId": format!("head{about}"),
        "tags": get["tags"],
        "summary": format!("{}, without the body", route.doc[0].trim()),
    });
    for member in ["parameters", "security"] {
        if !get[member].is_null() {
            head[member] = get[member].clone();
        }
    }
    let mut responses = json!({"200": reference("responses", "Head")});
    for (status, _) in get["responses"].as_object().into_iter().flatten() {
        match status.as_str() {
            "304" => responses["304"] = reference("responses", "NotModified"),
            "default" => responses[status.as_str()] = reference("responses", "HeadProblem"),
            _ => {}
        }
    }
    head["responses"] = responses;
    head
}

#[cfg(test)]
mod tests;
