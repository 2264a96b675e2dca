// Requests: each of them ends, whatever the connection does.

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { settle } from "./browser_globals.js";

const { getBlob, getJson, postJson, Refused, Unreachable } = await import("../../../src/cxrview/web/static/server.js");

const later = () => new Promise((resolve) => setImmediate(resolve));
afterEach(() => mock.timers.reset());

// A server whose body comes in the parts that the test sends.
function answerSlowly(status = 200) {
  const sent = {};
  globalThis.fetch = async (address, { signal }) => {
    const body = new ReadableStream({ start: (to) => Object.assign(sent, { to }) });
    signal.addEventListener("abort", () => sent.to.error(new DOMException("gone", "AbortError")));
    return new Response(body, { status });
  };
  return sent;
}

for (const [name, send, limit] of [
  ["JSON", () => getJson("/x"), 20_000],
  ["a picture", () => getBlob("/x"), 180_000],
  ["a post", () => postJson("/x", {}), 20_000],
]) {
  test(`an answer that stops halfway ends ${name} as unreachable`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const sent = answerSlowly();
    const failed = assert.rejects(send(), Unreachable);
    await later();
    sent.to.enqueue(new TextEncoder().encode('{"hal'));
    await later();
    mock.timers.tick(limit);
    await failed;
  });
}

test("a picture that comes slowly is taken", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent = answerSlowly();
  const asked = getBlob("/x");
  await later();
  for (const part of ["one ", "after ", "another"]) {
    sent.to.enqueue(new TextEncoder().encode(part));
    await later();
    mock.timers.tick(50_000);
  }
  sent.to.close();

  assert.equal(await (await asked).text(), "one after another");
});

test("a refusal is told with its reason, also where the answer is no JSON", async () => {
  globalThis.fetch = async () => Response.json({ why: "no" }, { status: 409 });
  await assert.rejects(getJson("/x"), (error) => error instanceof Refused && error.message === "no");
  globalThis.fetch = async () => new Response("broken", { status: 500 });
  await assert.rejects(getJson("/x"), (error) => error instanceof Refused && /500/.test(error.message));
  await settle();
});
