// What is left to decide, what is undone, and what comes while the server is away.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { settle } from "../../../web/pages/browser_globals.js";

const { ReviewSession } = await import("../../../../src/cxrview/audit/review/static/review_session.js");

const names = (session) => session.items.map(({ showing }) => showing).join("");

/** A server with images a, b, c ... that writes what it is sent when `acknowledge` is called. */
function makeServer(total) {
  const server = { left: [..."abcdefghijklmnopqrst"].slice(0, total), unsent: [], sent: [], isAway: false, asked: 0, asks: [] };
  server.fetch = async (address) => {
    if (server.isAway) throw new Error("away");
    if (address === "/api/recent") return { items: server.recent ?? [] };
    server.asked += 1;
    const held = new URL(address, "http://x").searchParams.get("held").split(",");
    const count = Number(new URL(address, "http://x").searchParams.get("count"));
    server.asks.push({ held: held.join(""), count });
    const items = server.left.filter((one) => !held.includes(one)).slice(0, count);
    return {
      items: items.map((showing) => ({ showing, proposed: "frontal" })),
      finished: held.filter((one) => one && !server.left.includes(one)),
      total, decided: total - server.left.length, skipped: 0, left: server.left.length,
    };
  };
  server.acknowledge = () => {
    for (const { showing, act } of server.unsent.splice(0)) {
      server.left = server.left.filter((one) => one !== showing);
      if (act === "undo") server.left.unshift(showing);
    }
  };
  server.session = new ReviewSession("1", {
    fetch: server.fetch,
    unsent: () => server.unsent,
    send: (action) => {
      server.unsent.push(action);
      server.sent.push(action);
    },
    onChange() {},
  });
  return server;
}

test("the next images are there before they are needed, and none is shown twice", async () => {
  const server = makeServer(12);
  await server.session.start();
  const shown = [];
  while (server.session.items.length) {
    assert.ok(server.session.items.length >= 3 || server.left.length < 6);
    shown.push(server.session.items[0].showing);
    server.session.decide("accept");
    if (shown.length % 4 === 0) server.acknowledge();
    await settle();
  }

  assert.equal(shown.join(""), "abcdefghijkl");
  assert.equal(server.session.isAtEnd, true);
});

test("an undo names its decision, shows the image first, and of a skipped one names none", async () => {
  const server = makeServer(8);
  await server.session.start();
  server.session.decide("reject", "AP");
  server.session.decide("skip");
  assert.equal(names(server.session).slice(0, 1), "c");
  server.session.undo();
  server.session.undo();
  await settle();

  const [rejected, , unskipped, undone] = server.sent;
  assert.deepEqual([rejected.act, rejected.projection], ["reject", "AP"]);
  assert.deepEqual([unskipped.showing, unskipped.undoes], ["b", ""]);
  assert.deepEqual([undone.showing, undone.undoes], ["a", rejected.uid]);
  assert.equal(names(server.session).slice(0, 3), "abc");
  assert.deepEqual(server.session.items.slice(0, 3).map(({ said }) => said), ["reject", undefined, undefined]);
  assert.equal(server.session.undo(), false);
});

test("after a reload the decisions of before can be undone, the last one first", async () => {
  const server = makeServer(2);
  server.recent = [{ showing: "y", uid: "2", said: "accept" }, { showing: "x", uid: "1", said: "reject" }];
  await server.session.start();
  server.session.undo();
  server.session.undo();

  assert.deepEqual(server.sent.map(({ undoes }) => undoes), ["2", "1"]);
  assert.equal(names(server.session), "xyab");
});

test("a tab keeps the images that it shows, also one that came back by an undo", async () => {
  const server = makeServer(8);
  await server.session.start();
  server.session.decide("accept");
  await settle();
  server.acknowledge();
  server.asks.length = 0;
  server.session.undo();

  // Before the undo is sent, by which other tabs could get the image.
  assert.deepEqual(server.asks, [{ held: "abcdefa", count: 0 }]);
  await settle();
  server.asks.length = 0;
  server.acknowledge();
  await server.session.renew();
  assert.deepEqual(server.asks, [{ held: "abcdef", count: 0 }]);
  assert.equal(names(server.session), "abcdef");
});

test("what another tab decided is taken away, but never the image that is shown", async () => {
  const server = makeServer(8);
  await server.session.start();
  server.left = server.left.filter((one) => !"abd".includes(one));
  server.session.items.length = 4; // few are left: it asks
  await server.session.refill();
  server.session.items.length = 3;
  await server.session.refill();

  assert.equal(names(server.session).slice(0, 2), "ac");
  assert.ok(!names(server.session).includes("d"));
});

test("while the server is away it is asked again, and the images go on when it is back", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  const server = makeServer(8);
  await server.session.start();
  server.isAway = true;
  for (let i = 0; i < 6; i += 1) server.session.decide("accept");
  await settle();
  assert.equal(names(server.session), "");
  assert.equal(server.session.isAtEnd, false);
  server.isAway = false;
  mock.timers.tick(2000);
  await settle();

  assert.equal(names(server.session), "gh");
});

test("an error while an image is shown is not taken for a server that is away", async () => {
  const server = makeServer(2);
  const session = new ReviewSession("1", {
    fetch: server.fetch, unsent: () => [], send() {},
    onChange() {
      throw new Error("fault of the page");
    },
  });

  await assert.rejects(session.refill(), /fault of the page/);
});
