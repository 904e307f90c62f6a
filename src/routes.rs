//! The API: which method and path call which procedure, with what. The words are explained in [`crate::route`].
//!
//! A route is a line here and a procedure of that name in `sql/`; `make generate` writes what follows from it into
//! `dab/dab-config.json` and `openapi.json`. `docs/add-your-own-entity.md` goes through it step by step.

use crate::route::routes;

routes! {
    /// Create a customer
    /// Names are unique. With `If-Match`, the answer is 412: there is no version yet.
    PUT "/customer" => put_customer(Json: body("customer")) creates CustomerID;

    /// Read a customer
    GET "/customer/{id}" => get_customer(CustomerID: id);

    /// Change some fields of a customer
    /// JSON Merge Patch (RFC 7396). With `If-None-Match`, the answer is 400.
    PATCH "/customer/{id}" => patch_customer(CustomerID: id, Json: body("customer"), IfMatch: if_match);

    /// Delete a customer
    /// Deleting what does not exist succeeds. With `If-None-Match`, the answer is 400.
    DELETE "/customer/{id}" => delete_customer(CustomerID: id, IfMatch: if_match);

    /// List ids and names, a page at a time
    GET "/customers" => get_customers(After: page, Limit: query("limit", 1000, 1, 10_000));

    /// Create a customer
    /// As `PUT /customer`, with the `ETag` of the new row. With `If-Match`, the answer is 412: there is no version yet.
    POST "/customers" => put_customer(Json: body("customer")) creates CustomerID;

    /// This document
    GET "/openapi.json" => openapi;

    /// Whether the component runs
    GET "/healthz" => alive;

    /// Whether Data API Builder and the database answer
    GET "/readyz" => ready;

    /// Leads to `/docs`
    GET "/" => home;

    /// The API's description as a page, to try it
    GET "/docs" => docs;

    /// What the problems mean, as a page
    GET "/problems" => problems;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Action, Source};

    #[test]
    fn the_routes_of_a_path_are_neighbours() {
        let paths = ROUTES.chunk_by(|route, next| route.path == next.path);
        let mut paths: Vec<_> = paths.map(|routes| routes[0].path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn a_key_is_read_where_the_path_has_one_and_what_is_created_can_be_found() {
        for route in ROUTES {
            let Action::Call(call) = &route.action else { continue };
            let reads_key = call.parameters.iter().any(|(_, source)| matches!(source, Source::Path(_)));
            assert_eq!(reads_key, route.path.contains('{'), "{}", call.procedure);
            assert_eq!(call.creates.is_some(), call.location(ROUTES).is_some(), "{}", call.procedure);
        }
    }
}
