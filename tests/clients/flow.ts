// One flow for every client: create, read, 304, If-Match, 412, replay, list to the end, delete.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

/** An answer as each client can give it. */
export type Answer = { status: number; headers: Headers; data: any };

/** The calls of the flow, made with a generated client. */
export type Client = {
  create(body: Customer, key: string): Promise<Answer>;
  read(id: number, ifNoneMatch?: string): Promise<Answer>;
  update(id: number, body: Partial<Customer>, ifMatch: string): Promise<Answer>;
  list(after: number, limit: number): Promise<Answer>;
  remove(id: number): Promise<Answer>;
};

export type Customer = {
  CustomerName: string;
  PhoneNumber: string;
  FaxNumber: string;
  WebsiteURL: string;
  Delivery: { AddressLine1: string; PostalCode: string };
};

export async function flow(name: string, client: Client): Promise<void> {
  const body: Customer = {
    CustomerName: `Made with ${name}`,
    PhoneNumber: "1",
    FaxNumber: "2",
    WebsiteURL: "http://example.com",
    Delivery: { AddressLine1: "Street 1", PostalCode: "12345" },
  };
  const key = randomUUID();
  const created = await client.create(body, key);
  assert.equal(created.status, 201);
  const id: number = created.data[0].CustomerID;
  const again = await client.create(body, key);
  assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [201, "true"]);
  assert.equal(again.data[0].CustomerID, id);

  const read = await client.read(id);
  assert.deepEqual([read.status, read.data[0].CustomerName], [200, body.CustomerName]);
  const version = read.headers.get("etag");
  assert.ok(version);
  assert.equal((await client.read(id, version)).status, 304);

  assert.equal((await client.update(id, { FaxNumber: "3" }, version)).status, 202);
  assert.equal((await client.update(id, { FaxNumber: "4" }, version)).status, 412);

  const ids: number[] = [];
  for (let after = 0; ; ) {
    const page = await client.list(after, 250);
    assert.equal(page.status, 200);
    ids.push(...page.data.map((customer: { CustomerID: number }) => customer.CustomerID));
    const next = /after=(\d+)/.exec(page.headers.get("link") ?? "");
    if (!next) break;
    after = Number(next[1]);
  }
  assert.ok(ids.length > 600 && new Set(ids).size === ids.length && ids.includes(id));

  assert.equal((await client.remove(id)).status, 202);
  assert.equal((await client.read(id)).status, 404);
  console.log(`  ✓ ${name}`);
}

/** Where the API is. */
export const url = process.env.API_URL ?? "http://127.0.0.1:3000";
