//! Procedures and parameters: `sql/` = local bridge = the component's calls = `dab/dab-config.json`.

use customer_api::request::{IDEMPOTENCY_KEY, idempotency_key};
use customer_api::route::Source;
use http::{HeaderMap, HeaderValue, Method};
use local_bridge::procedures::DefaultValue;

use crate::dab_config::entities;
use crate::tsql::{Parameter, Routine, Token, find};
use crate::{bridge, bridge_procedures, call, calls, web, web_procedures};

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    names
}

fn names(parameters: &[Parameter]) -> Vec<&str> {
    parameters.iter().map(|parameter| parameter.name.as_str()).collect()
}

#[test]
fn all_four_have_the_same_procedures() {
    let sql = sorted(web_procedures().into_iter().map(|procedure| procedure.name));
    assert!(sql.len() >= 6, "{sql:?}");
    assert_eq!(
        sorted(bridge_procedures().iter().map(|procedure| procedure.name.to_owned())),
        sql,
        "local bridge, sql/"
    );
    assert_eq!(
        sorted(calls().into_iter().map(|call| web(call.procedure))),
        sql,
        "component, sql/"
    );
    assert_eq!(
        sorted(entities().into_iter().map(|entity| entity.object)),
        sql,
        "dab-config.json, sql/"
    );
}

#[test]
fn the_bridge_declares_the_parameters_of_sql() {
    for procedure in web_procedures() {
        let declared: Vec<_> = bridge(&procedure.name)
            .parameters
            .iter()
            .map(|parameter| Parameter {
                name: parameter.name.to_owned(),
                sql_type: parameter.sql_type.to_string(),
                default: parameter.default.map(|default| match default {
                    DefaultValue::Null => Token::Word("NULL".into()),
                    DefaultValue::Int(value) => Token::Number(value.into()),
                }),
            })
            .collect();
        assert_eq!(declared, procedure.parameters, "local bridge, {}", procedure.script);
    }
}

#[test]
fn the_component_sends_the_parameters_of_sql() {
    for procedure in web_procedures() {
        let call = call(&procedure.name);
        let sent: Vec<_> = call.parameters.iter().map(|(name, _)| *name).collect();
        assert_eq!(sent, names(&procedure.parameters), "component, {}", procedure.script);
        for (parameter, (_, source)) in procedure.parameters.iter().zip(call.parameters) {
            // Only a parameter with a default may be left out, and what the component sends in its place is that
            // default.
            let (sql_type, default) = match source {
                Source::PathId => ("INT", None),
                Source::Query { default, min, max, .. } => {
                    assert_range(&procedure, &parameter.name, *min, *max);
                    ("INT", Some(Token::Number((*default).into())))
                }
                Source::Body { .. } => ("NVARCHAR(MAX)", None),
                Source::RequestKey => ("NVARCHAR(255)", None),
                Source::IfMatch => ("NVARCHAR(4000)", Some(Token::Word("NULL".into()))),
            };
            let name = &parameter.name;
            assert_eq!(
                (&parameter.sql_type[..], &parameter.default),
                (sql_type, &default),
                "{}: @{name}",
                procedure.script
            );
        }
    }
}

/// The procedure accepts what the component lets through: `@Name >= min` or `@Name BETWEEN min AND max`.
fn assert_range(procedure: &Routine, name: &str, min: i32, max: i32) {
    let is_parameter = |token: &Token| matches!(token, Token::Variable(variable) if variable == name);
    let range = procedure.body.windows(5).find_map(|window| match window {
        [variable, greater, equals, Token::Number(least), _]
            if is_parameter(variable) && greater.is(">") && equals.is("=") =>
        {
            Some((*least, i64::from(i32::MAX)))
        }
        [variable, between, Token::Number(least), and, Token::Number(greatest)]
            if is_parameter(variable) && between.is("BETWEEN") && and.is("AND") =>
        {
            Some((*least, *greatest))
        }
        _ => None,
    });
    assert_eq!(
        range,
        Some((min.into(), max.into())),
        "{}: range of @{name}",
        procedure.script
    );
}

#[test]
fn keys_fit_their_parameter() {
    let accepts = |length| {
        let value = HeaderValue::from_str(&"k".repeat(length)).expect("visible ASCII");
        idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)])).is_ok()
    };
    assert!(
        accepts(255) && !accepts(256),
        "SQL Server would cut a longer key off at NVARCHAR(255)"
    );
}

#[test]
fn dab_serves_each_procedure_under_its_name_with_the_components_method() {
    for entity in entities() {
        let call = call(&entity.object);
        assert_eq!((&entity.name[..], &entity.path[..]), (call.procedure, call.procedure));
        assert_eq!(entity.methods, [call.method.as_str().to_lowercase()], "{}", entity.name);
    }
}

#[test]
fn dab_names_the_parameters_of_sql_and_leaves_defaults_to_it() {
    let procedures = web_procedures();
    for entity in entities() {
        let procedure = procedures
            .iter()
            .find(|procedure| procedure.name == entity.object)
            .expect("in sql/");
        let expected: Vec<_> = procedure
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.default.is_none(), None))
            .collect();
        assert_eq!(entity.parameters, expected, "{}: name, required, default", entity.name);
    }
}

#[test]
fn writes_are_posts_in_a_transaction_and_reads_are_gets() {
    for procedure in web_procedures() {
        let changes = ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| {
            let targets = |window: &[Token]| window[0].is(verb) && !matches!(window[1], Token::Variable(_));
            let from =
                |window: &[Token]| matches!(&window[2], Token::Word(schema) if schema == "Sales" || schema == "web");
            procedure
                .body
                .windows(3)
                .any(|window| targets(window) && (from(window) || window[1].is("Sales")))
        });
        let name = &procedure.name;
        assert_eq!(bridge(name).writes, changes, "{name}: the local bridge's transaction");
        assert_eq!(
            call(name).method,
            if changes { Method::POST } else { Method::GET },
            "{name}"
        );
        let is_read_with_transaction = !changes && find(&procedure.body, &["BEGIN", "TRANSACTION"]).is_some();
        assert!(!is_read_with_transaction, "{name}");
    }
}
