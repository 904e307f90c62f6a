import { flow, url } from "./flow.js";
import { deleteCustomer, getCustomer, listCustomers, postCustomer, updateCustomer } from "./orval/api.js";

// The client sends each path without an origin.
const { fetch } = globalThis;
globalThis.fetch = (path, options) => fetch(url + path, options);

const json = { "content-type": "application/json" };

await flow("orval", {
  create: (body, key) => postCustomer(body, { headers: { ...json, "idempotency-key": key } }),
  read: (id, tag) => getCustomer(id, { headers: tag ? { "if-none-match": tag } : {} }),
  update: (id, body, tag) => updateCustomer(id, body, { headers: { ...json, "if-match": tag } }),
  list: (after, limit) => listCustomers({ after, limit }),
  remove: (id) => deleteCustomer(id),
});
