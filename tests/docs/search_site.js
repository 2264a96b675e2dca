// Asks the search of the built site, as a browser does: node search_site.js SITE < QUESTIONS.
// Prints one JSON list a question: the pages found, best first, each as its sections, best first.
//
// The search of MkDocs Material is a web worker, which this script gives the few globals that it
// uses. Its messages have a type: 0 sets it up, 2 is a question, 3 is the answer.

import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

const [SETUP, QUERY, RESULT] = [0, 2, 3];
const site = process.argv[2];
const folder = path.join(site, "assets", "javascripts", "workers");
const worker = path.join(folder, fs.readdirSync(folder).find((name) => /^search\..*\.js$/.test(name)));
const index = JSON.parse(fs.readFileSync(path.join(site, "search", "search_index.json"), "utf8"));

let listener;
let answered;
const self = {
  addEventListener: (type, heard) => { if (type === "message") listener = heard; },
  postMessage: (message) => answered(message),
  location: { href: `file://${worker}` },
  importScripts: () => {},
  console, setTimeout, URL, Intl, performance,
};
self.self = self;
vm.runInContext(fs.readFileSync(worker, "utf8"), vm.createContext(self));

const ask = (type, data) => new Promise((resolve) => {
  answered = resolve;
  listener({ data: { type, data } });
});

(async () => {
  await ask(SETUP, { config: index.config, docs: index.docs, options: { suggest: false } });
  for (const question of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    const answer = await ask(QUERY, question);
    if (answer.type !== RESULT) throw new Error(`no answer: ${JSON.stringify(answer)}`);
    console.log(JSON.stringify(answer.data.items.map((page) => page.map((one) => one.location))));
  }
})();
