// swagger-client is what /docs sends its requests with. It reads the description behind a proxy that takes a prefix from paths.
import { createServer, request } from "node:http";
import { type AddressInfo } from "node:net";

// @ts-expect-error it has no types
import SwaggerClient from "swagger-client";

import { type Answer, flow, url } from "./flow.js";

const proxy = createServer((incoming, outgoing) => {
  if (!incoming.url?.startsWith("/shop/")) return outgoing.writeHead(404).end();
  const { method, headers } = incoming;
  const forwarded = request(url + incoming.url.slice("/shop".length), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  incoming.pipe(forwarded);
});
await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const { port } = proxy.address() as AddressInfo;
const { apis } = await SwaggerClient(`http://127.0.0.1:${port}/shop/openapi.json`);

const answer = async (call: Promise<any>): Promise<Answer> => {
  const { status, headers, body } = await call.catch((error) => error.response);
  return { status, headers: new Headers(headers), data: body };
};
const body = (requestBody: unknown) => ({ requestBody, requestContentType: "application/json" });

await flow("swagger-client", {
  create: (row, key) => answer(apis.customers.postCustomer({ "Idempotency-Key": key }, body(row))),
  read: (id, tag) => answer(apis.customers.getCustomer({ id, "If-None-Match": tag })),
  update: (id, patch, tag) => answer(apis.customers.updateCustomer({ id, "If-Match": tag }, body(patch))),
  list: (after, limit) => answer(apis.customers.listCustomers({ after, limit })),
  remove: (id) => answer(apis.customers.deleteCustomer({ id })),
});
proxy.close();
