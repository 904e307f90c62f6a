//! {{ project-description }}: which method and path call which stored procedure, with which arguments.
//!
//! A route is a line here, a procedure of that name in `sql/`, and a script of that name in `sqlite/`. `make generate` writes the files that
//! follow from a route.

azure_sql_rest::component! {
    openapi: include_str!("../openapi.json"),
    routes: {
        /// This document
        GET "/openapi.json" => openapi;

        /// Check that the component runs
        GET "/healthz" => alive;

        /// Check that Data API Builder and the database answer
        GET "/readyz" => ready;

        /// Leads to `/docs`
        GET "/" => home;

        /// The API's description as a page, to try it
        GET "/docs" => docs;

        /// Explain the problems, as a page
        GET "/problems" => problems;
    }
}
