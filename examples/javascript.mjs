// The five calls with fetch, in Node.js 18 or later: node examples/javascript.mjs [API]
const api = process.argv[2] ?? "http://localhost:3000";

async function call(method, path, customer, headers = {}) {
  const response = await fetch(api + path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: customer && JSON.stringify(customer),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  console.log(text);
  return JSON.parse(text);
}

await call("GET", "/customer/123");
const jane = {
  CustomerName: "Jane Doe",
  PhoneNumber: "123-234-5678",
  FaxNumber: "123-234-5678",
  WebsiteURL: "http://www.something.com",
  Delivery: { AddressLine1: "One Microsoft Way", PostalCode: 98052 },
};
const [created] = await call("PUT", "/customer", jane, { "Idempotency-Key": "create-jane" });
const one = `/customer/${created.CustomerID}`;
await call("PATCH", one, { PhoneNumber: "123-234-9999" });
await call("DELETE", one);
await call("GET", "/customers?limit=2&after=121");
