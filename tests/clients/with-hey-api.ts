import { type Answer, flow, url } from "./flow.js";
import { client } from "./hey-api/client.gen.js";
import { deleteCustomer, getCustomer, listCustomers, postCustomer, updateCustomer } from "./hey-api/sdk.gen.js";

client.setConfig({ baseUrl: url });

const answer = async (call: Promise<{ response?: Response; data?: unknown }>): Promise<Answer> => {
  const { response, data } = await call;
  if (!response) throw new Error("no answer");
  return { status: response.status, headers: response.headers, data };
};

await flow("hey-api", {
  create: (body, key) => answer(postCustomer({ body, headers: { "Idempotency-Key": key } })),
  read: (id, tag) => answer(getCustomer({ path: { id }, headers: { "If-None-Match": tag } })),
  update: (id, body, tag) => answer(updateCustomer({ path: { id }, body, headers: { "If-Match": tag } })),
  list: (after, limit) => answer(listCustomers({ query: { after, limit } })),
  remove: (id) => answer(deleteCustomer({ path: { id } })),
});
