//! The API: which path and method calls which procedure, with what.
//!
//! To add a route, add it to [`ROUTES`]; a procedure of that name in `sql/` and its entity in `dab/dab-config.json`
//! complete it, and `openapi.json` describes it. `docs/add-your-own-entity.md` goes through it step by step.

use http::Method;

use crate::route::{Call, Created, Operation, Route, Source};

/// Every path of the API.
pub static ROUTES: &[Route] = &[
    Route {
        path: "/customer",
        operations: &[(
            Method::PUT,
            Operation::Call(Call {
                procedure: "put_customer",
                method: Method::POST,
                parameters: &[("Json", CUSTOMER), ("RequestKey", Source::RequestKey)],
                created: Some(Created {
                    id_column: "CustomerID",
                    location: "/customer/",
                }),
            }),
        )],
    },
    Route {
        path: "/customer/{id}",
        operations: &[
            (
                Method::GET,
                Operation::Call(Call {
                    procedure: "get_customer",
                    method: Method::GET,
                    parameters: &[("CustomerID", Source::PathId)],
                    created: None,
                }),
            ),
            (
                Method::PATCH,
                Operation::Call(Call {
                    procedure: "patch_customer",
                    method: Method::POST,
                    parameters: &[
                        ("CustomerID", Source::PathId),
                        ("Json", CUSTOMER),
                        ("RequestKey", Source::RequestKey),
                        ("IfMatch", Source::IfMatch),
                    ],
                    created: None,
                }),
            ),
            (
                Method::DELETE,
                Operation::Call(Call {
                    procedure: "delete_customer",
                    method: Method::POST,
                    parameters: &[
                        ("CustomerID", Source::PathId),
                        ("RequestKey", Source::RequestKey),
                        ("IfMatch", Source::IfMatch),
                    ],
                    created: None,
                }),
            ),
        ],
    },
    Route {
        path: "/customers",
        operations: &[(
            Method::GET,
            Operation::Call(Call {
                procedure: "get_customers",
                method: Method::GET,
                parameters: &[
                    (
                        "After",
                        Source::Query {
                            name: "after",
                            default: 0,
                            min: 0,
                            max: i32::MAX,
                        },
                    ),
                    (
                        "Limit",
                        Source::Query {
                            name: "limit",
                            default: 1000,
                            min: 1,
                            max: 10_000,
                        },
                    ),
                ],
                created: None,
            }),
        )],
    },
    Route {
        path: "/openapi.json",
        operations: &[(Method::GET, Operation::Document(OPENAPI))],
    },
    Route {
        path: "/healthz",
        operations: &[(Method::GET, Operation::Alive)],
    },
    Route {
        path: "/readyz",
        operations: &[(
            Method::GET,
            Operation::Ready(Call {
                procedure: "ready",
                method: Method::GET,
                parameters: &[],
                created: None,
            }),
        )],
    },
];

/// `openapi.json` without its white space.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

const CUSTOMER: Source = Source::Body { form_field: "customer" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_paths_that_have_one() {
        for route in ROUTES {
            for (_, operation) in route.operations {
                if let Operation::Call(call) | Operation::Ready(call) = operation {
                    let wants_id = call
                        .parameters
                        .iter()
                        .any(|(_, source)| matches!(source, Source::PathId));
                    assert_eq!(wants_id, route.path.contains("{id}"), "{}", call.procedure);
                }
            }
        }
    }

    #[test]
    fn writes_are_posts_with_a_request_key() {
        for (method, operation) in ROUTES.iter().flat_map(|route| route.operations) {
            if let Operation::Call(call) | Operation::Ready(call) = operation {
                let keyed = call
                    .parameters
                    .iter()
                    .any(|(_, source)| matches!(source, Source::RequestKey));
                assert_eq!(keyed, method != Method::GET, "{}", call.procedure);
                assert_eq!(
                    call.method,
                    if keyed { Method::POST } else { Method::GET },
                    "{}",
                    call.procedure
                );
            }
        }
    }
}
