//! Tests of operations that the document of the customers does not have.

use super::*;

#[test]
fn integers_have_a_format_and_limits_that_are_doubles() {
    let id = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 2_147_483_647});
    assert_eq!(schema(azure_sql_rest::route::kind::ID, None), id);
    let big = json!({
        "type": "integer", "format": "int64", "minimum": i64::MIN, "exclusiveMaximum": 9_223_372_036_854_775_808_u64
    });
    assert_eq!(schema(azure_sql_rest::route::kind::BIGINT, None), big);
}

#[test]
fn a_key_of_several_columns_has_a_parameter_for_each() {
    azure_sql_rest::routes! {
        /// One
        GET "/line/{order}/{number}" => get_line(Order: key(NVARCHAR(9)), Nr: key(INT));
        /// Create
        POST "/lines" => put_line(Json: body("line")) creates RowID at "/line/{order}/{number}";
    }
    let get = operation(&ROUTES[0], None);
    let parameters = get["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path");
    let names: Vec<_> = parameters.map(|one| (one["name"].clone(), one["schema"]["type"].clone())).collect();
    assert_eq!(names, [(json!("order"), json!("string")), (json!("number"), json!("integer"))]);
    let location = &operation(&ROUTES[1], None)["responses"]["201"]["headers"]["Location"];
    assert_eq!(location["schema"]["pattern"], "^(\\.\\./)*line/[^/]+/[^/]+$");
}

#[test]
fn a_list_of_rows_of_another_row_has_a_name_of_its_own() {
    azure_sql_rest::routes! {
        /// All orders
        GET "/orders" => get_orders(After: page(INT), ByCustomerID: optional("CustomerID", INT));
        /// The orders of a customer
        GET "/customer/{id}/orders" => get_orders(ByCustomerID: key(INT), After: page(INT));
    }
    let filter = json!({
        "name": "CustomerID", "in": "query", "schema": {"type": "integer"},
        "description": "Rows whose CustomerID is this", "x-filter": {"member": "CustomerID", "by": "equal"}
    });
    let examples = json!({"get_orders": {"query": {"after": 1}, "response": [{"OrderID": 2}]}});
    let entity = Entity::of_filter("order", "orders", ("ByCustomerID", filter.clone()), &examples);
    let [all, of_customer] = [&ROUTES[0], &ROUTES[1]].map(|route| operation(route, Some(&entity)));
    assert_eq!(
        (&all["operationId"], &of_customer["operationId"]),
        (&json!("listOrders"), &json!("listOrdersOfCustomer"))
    );
    let id = &of_customer["parameters"][0];
    assert_eq!((&id["name"], &id["in"], &id["required"]), (&json!("id"), &json!("path"), &json!(true)));
    assert_eq!((&id["x-filter"], &id["description"]), (&filter["x-filter"], &filter["description"]));
    // No example, and no entity tag: a list has none.
    let response = |operation: &Value| operation["responses"]["200"]["content"]["application/json"].clone();
    assert!(response(&all)["example"].is_array() && response(&of_customer)["example"].is_null());
    assert_eq!(of_customer["parameters"][1].get("example"), None);
    assert!(of_customer["responses"].get("304").is_none() && !of_customer.to_string().contains("IfNoneMatch"));
}

#[test]
fn a_procedure_that_creates_no_row_answers_200() {
    azure_sql_rest::routes! {
        /// Remove
        POST "/removals" => post_removal(Json: body("removal"));
    }
    let post = operation(&ROUTES[0], None);
    assert_eq!((&post["operationId"], &post["tags"]), (&json!("postRemoval"), &json!(["procedures"])));
    let answers: Vec<_> = post["responses"].as_object().unwrap().keys().collect();
    assert_eq!(answers, ["200", "503", "504", "default"]);
    assert!(post["responses"]["200"]["headers"]["Idempotency-Replayed"].is_object());
}

#[test]
fn a_list_that_counts_says_so() {
    azure_sql_rest::routes! {
        /// Counted
        GET "/a" => get_a(After: page(INT), Count: optional("count", NVARCHAR(5)));
        /// Not counted
        GET "/b" => get_b(After: page(INT));
    }
    let headers = |route| operation(route, None)["responses"]["200"]["headers"].clone();
    assert_eq!(headers(&ROUTES[0])["X-Total-Count"], reference("headers", "Total"));
    assert_eq!(headers(&ROUTES[1]).get("X-Total-Count"), None);
}

#[test]
fn components_stay_while_they_are_used() {
    let schemas = json!({"A": reference("schemas", "B"), "B": {}, "C": reference("schemas", "D"), "D": {}});
    let mut document = json!({"paths": reference("schemas", "A"), "components": {"schemas": schemas}});
    keep_what_is_used(&mut document).unwrap();
    let left = document["components"]["schemas"].as_object().unwrap();
    assert!(left.keys().eq(["A", "B"]));

    document["paths"] = reference("schemas", "E");
    let error = keep_what_is_used(&mut document).unwrap_err();
    assert_eq!(error.to_string(), "openapi.json has no #/components/schemas/E");
}

#[test]
fn a_row_is_created_or_replaced_at_its_path() {
    azure_sql_rest::routes! {
        /// Create or replace
        PUT "/thing/{id}" => replace_thing(ID: key(INT), Json: body("thing"), IfMatch: if_match, IfNoneMatch: if_none_match);
        /// Create
        PUT "/thing" => put_thing(Json: body("thing")) creates ID at "/thing/{id}";
    }
    let [replace, create] = [&ROUTES[0], &ROUTES[1]].map(|route| operation(route, None));
    assert_eq!((&replace["operationId"], &create["operationId"]), (&json!("replaceThing"), &json!("createThing")));
    let header = |name: &str| reference("parameters", name);
    let headers = &replace["parameters"].as_array().unwrap()[1..];
    assert_eq!(headers, ["IdempotencyKey", "IfMatch", "IfNoRow"].map(header));
    let of = |status: &str| replace["responses"][status]["headers"].clone();
    assert!(of("200").get("ETag").is_none() && of("200") == of("201") && create["responses"].get("200").is_none());
}

#[test]
fn a_body_that_may_be_an_array_says_how_many_rows_it_takes() {
    azure_sql_rest::routes! {
        /// Create one or many
        POST "/things" => put_thing(Json: body("thing")) creates ID at "/thing/{id}", many by put_things;
        /// Create one
        PUT "/thing" => put_thing(Json: body("thing")) creates ID at "/thing/{id}";
    }
    let [many, one] = [&ROUTES[0], &ROUTES[1]].map(|route| operation(route, None));
    let json = |operation: &Value| operation["requestBody"]["content"]["application/json"].clone();
    assert_eq!((json(&many)["x-rows"].as_u64(), json(&one).get("x-rows")), (Some(1000), None));
    // Many rows have no path.
    let location = |operation: &Value| operation["responses"]["201"]["headers"]["Location"].clone();
    assert_eq!((location(&many).get("required"), &location(&one)["required"]), (None, &json!(true)));
}
