//! The customer API: which method and path call which stored procedure, with which arguments.
//!
//! A route is a line here and a procedure of that name in `sql/`. `make generate` writes what follows from it into
//! `dab/dab-config.json` and `openapi.json`. `docs/add-your-own-entity.md` goes through it step by step, and
//! [`azure_sql_rest::route`] explains the words.

azure_sql_rest::component! {
    openapi: include_str!("../openapi.json"),
    routes: {
        /// Create a customer
        /// Names are unique. With `If-Match`, the answer is 412: there is no version yet.
        PUT "/customer" => put_customer(Json: body("customer")) creates CustomerID at "/customer/{id}";

        /// Read a customer
        GET "/customer/{id}" => get_customer(CustomerID: key(ID));

        /// Change some fields of a customer
        /// JSON Merge Patch (RFC 7396). With `If-None-Match`, the answer is 400.
        PATCH "/customer/{id}" => patch_customer(CustomerID: key(ID), Json: body("customer"), IfMatch: if_match);

        /// Delete a customer
        /// Deleting what does not exist succeeds. With `If-None-Match`, the answer is 400.
        DELETE "/customer/{id}" => delete_customer(CustomerID: key(ID), IfMatch: if_match);

        /// List ids and names, a page at a time
        GET "/customers" => get_customers(After: page(ID), Limit: query("limit", 1..=1000, 100), PrefixCustomerName: optional("name", NVARCHAR(100)));

        /// Create a customer
        /// As `PUT /customer`, with the `ETag` of the new row. With `If-Match`, the answer is 412: there is no version yet.
        POST "/customers" => put_customer(Json: body("customer")) creates CustomerID at "/customer/{id}", many by put_customers;

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
