import createClient from "openapi-fetch";

import { type Answer, flow, url } from "./flow.js";
import type { paths } from "./openapi-typescript/schema.js";

const { DELETE, GET, PATCH, POST } = createClient<paths>({ baseUrl: url });

const answer = async (call: Promise<{ response: Response; data?: unknown }>): Promise<Answer> => {
  const { response, data } = await call;
  return { status: response.status, headers: response.headers, data };
};

await flow("openapi-typescript", {
  create: (body, key) => answer(POST("/customers", { params: { header: { "Idempotency-Key": key } }, body })),
  read: (id, tag) => answer(GET("/customer/{id}", { params: { path: { id }, header: { "If-None-Match": tag } } })),
  update: (id, body, tag) =>
    answer(PATCH("/customer/{id}", { params: { path: { id }, header: { "If-Match": tag } }, body })),
  list: (after, limit) => answer(GET("/customers", { params: { query: { after, limit } } })),
  remove: (id) => answer(DELETE("/customer/{id}", { params: { path: { id } } })),
});
