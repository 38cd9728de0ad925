// Measures ways of showing 50 stored pictures after a reload: see README.md.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

const RUNS = 15;
const WAYS = ["data_url", "bitmap", "object_url"];
const PROBES = [
  "frames_data_sync", "frames_data_new", "frames_data_auto", "frames_blob_sync",
  "frames_data_later", "frames_blob_later",
  "decode_data", "decode_data_new", "decode_blob", "decode_data_detached",
];

const ENGINES = {
  chromium: {
    command: (port) => ["chromedriver", `--port=${port}`],
    capabilities: {
      browserName: "chrome",
      "goog:chromeOptions": { args: ["--headless=new", "--no-sandbox", "--window-size=1000,800"] },
    },
  },
  firefox: {
    command: (port) => ["geckodriver", "--port", `${port}`],
    capabilities: { browserName: "firefox", "moz:firefoxOptions": { args: ["-headless"] } },
  },
  webkit: {
    command: (port) => ["WebKitWebDriver", `--port=${port}`],
    capabilities: {
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": {
        binary: "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
        args: ["--automation"],
      },
    },
  },
};

let pictures = "[]";

async function answer(request, response) {
  if (request.method === "POST") {
    const body = [];
    for await (const chunk of request) body.push(chunk);
    pictures = Buffer.concat(body).toString();
    return response.end();
  }
  const path = new URL(request.url, "http://localhost").pathname;
  if (path === "/pictures") return response.end(pictures);
  const [name, type] = path === "/page.js" ? ["page.js", "text/javascript"] : ["index.html", "text/html"];
  response.setHeader("content-type", type);
  response.end(await readFile(new URL(name, import.meta.url)));
}

async function listen(handler) {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function freePort() {
  const server = await listen(() => {});
  const { port } = server.address();
  server.close();
  return port;
}

async function call(url, method, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(value)}`);
  return value;
}

async function ready(driver) {
  for (;;) {
    const status = await call(`${driver}/status`, "GET").catch(() => ({ ready: false }));
    if (status.ready) return;
    await pause(50);
  }
}

async function session(engine, use) {
  const port = await freePort();
  const [command, ...args] = engine.command(port);
  const process = spawn(command, args, { stdio: "ignore" });
  const driver = `http://127.0.0.1:${port}`;
  try {
    await ready(driver);
    const begun = await call(`${driver}/session`, "POST", { capabilities: { alwaysMatch: engine.capabilities } });
    const url = `${driver}/session/${begun.sessionId}`;
    await use(url);
    await call(url, "DELETE");
  } finally {
    process.kill();
  }
}

async function visit(browser, page, way) {
  await call(`${browser}/url`, "POST", { url: `${page}/?way=${way}` });
  for (;;) {
    const script = "return window.result ?? null";
    const result = await call(`${browser}/execute/sync`, "POST", { script, args: [] });
    if (result?.error) throw new Error(`${way}: ${result.error}`);
    if (result) return result;
    await pause(20);
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const round = (number) => Math.round(number * 10) / 10;

async function measure(name, browser, page) {
  if (pictures === "[]") await visit(browser, page, "make");
  const { bytes } = await visit(browser, page, "store");
  const taken = Object.fromEntries(WAYS.map((way) => [way, []]));
  // Side by side: whatever else the machine does hits all ways alike.
  for (let run = 0; run < RUNS; run++) {
    for (const way of WAYS) taken[way].push((await visit(browser, page, way)).ms);
  }
  console.log(`${name}: ${bytes} bytes in 50 pictures; median (min to max) ms of ${RUNS}`);
  for (const [way, ms] of Object.entries(taken)) {
    console.log(`  ${way.padEnd(12)} ${round(median(ms))} (${round(Math.min(...ms))} to ${round(Math.max(...ms))})`);
  }
}

async function probe(browser, page) {
  for (const name of PROBES) {
    const results = [];
    for (let run = 0; run < RUNS; run++) results.push(await visit(browser, page, name));
    const counts = results.map((result) => result.counts.join("/"));
    const ms = round(median(results.map((result) => result.decode_ms ?? result.ms)));
    console.log(`  ${name.padEnd(22)} ${ms} ms; complete at once/1st/2nd/3rd frame: ${[...new Set(counts)].join(", ")}`);
  }
}

const asked = Object.keys(ENGINES).filter((name) => process.argv.includes(`--${name}`));
const names = asked.length ? asked : ["chromium"];
const server = await listen(answer);
const page = `http://127.0.0.1:${server.address().port}`;
for (const name of names) {
  await session(ENGINES[name], async (browser) => {
    await measure(name, browser, page);
    await probe(browser, page);
  });
}
server.close();
server.closeAllConnections();
