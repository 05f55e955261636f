// The page of `swarmproof report` in a real browser: what a person does with it, and what it must not do.
//
// SWARMPROOF_BIN names the program; CHROMIUM the browser, which is Debian's unless it is said.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const PROGRAM = process.env.SWARMPROOF_BIN ?? new URL("../../../target/debug/swarmproof", import.meta.url).pathname;
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
/** What the issue asks for: a run of 100,000 events is open in under this. It takes a fraction of it, so this is the bound itself. */
const OPEN_WITHIN = 2000;

/** Peers fall silent and crash, and more is expected than can be: it fails, whatever the seed. */
const FAULTY = `description = "Searches while peers fall silent and crash."
duration = "30s"
[network]
peers = 20
registries = 3
profile = "internet"
[catalogue]
packages = 40
publishers = 5
[[workload]]
search = { rate = "3/s", from = "1s", until = "25s" }
[[workload]]
get = { rate = "1/s", from = "1s", until = "25s" }
[[fault]]
at = "6s"
silent = { share = 0.3 }
[[fault]]
at = "10s"
for = "8s"
crash = { share = 0.3 }
[expect]
searches = "<= 2"
`;

/** So many searches that its trace has more than 100,000 events. */
const BUSY = `description = "A busy minute."
duration = "60s"
[network]
peers = 100
registries = 10
profile = "lan"
[catalogue]
packages = 200
publishers = 10
[[workload]]
search = { rate = "150/s", from = "1s", until = "58s" }
`;

let folder;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "swarmproof-browser-"));
  writeFileSync(join(folder, "faulty.toml"), FAULTY);
  writeFileSync(join(folder, "busy.toml"), BUSY);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: ARGUMENTS });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const swarmproof = (...args) => execFileSync(PROGRAM, args, { cwd: folder, encoding: "utf8" });

/** Open a page; whatever it says, asks for or throws is kept. */
async function opened(file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  const asked = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  const begun = performance.now();
  await page.goto(`file://${join(folder, file)}`);
  await page.waitForSelector("html[data-ready]", { state: "attached" });
  // What is drawn is on the screen two frames later.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const took = performance.now() - begun;
  return { page, complaints, asked, took, close: () => context.close() };
}

const shown = (page) => page.locator("canvas.time").first().evaluate((it) => Number(it.dataset.until) - Number(it.dataset.from));
const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** How many different colours a canvas shows. */
const coloursOf = (page) => page.locator("canvas.time").first().evaluate((canvas) => {
  // Read from a copy, so that the page's own canvas is left as it is.
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Map();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 255) continue;
    const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  return [...seen].filter(([, dots]) => dots > 150).map(([colour]) => colour);
});

test("found, replayed, shrunk and looked at, with four commands", async () => {
  const found = spawnSync(PROGRAM, ["sweep", "faulty.toml", "--seeds", "0..1"], { cwd: folder, encoding: "utf8" });
  assert.equal(found.status, 1, found.stderr);
  const replayed = spawnSync(PROGRAM, ["replay", "failures/faulty-0.toml"], { cwd: folder, encoding: "utf8" });
  assert.equal(replayed.status, 1, replayed.stderr);
  swarmproof("shrink", "failures/faulty-0.toml", "--time", "10s");
  swarmproof("report", "failures/faulty-0-small.toml");
  swarmproof("report", "failures/faulty-0.toml");
  assert.ok(existsSync(join(folder, "failures/faulty-0-small.html")));
  const { page, complaints, asked, close } = await opened("failures/faulty-0-small.html");
  assert.match(await page.locator("h1").innerText(), /faulty-0-small\.toml/);
  assert.match(await page.locator("#failures .wrong").first().innerText(), /searches <= 2 was expected, and 3 came/);
  assert.match(await page.locator("header code").first().innerText(), /swarmproof replay failures\/faulty-0-small\.toml/);
  assert.deepEqual(complaints, []);
  assert.equal(asked.length, 1, `it asked for ${asked}`);
  await close();
});

test("it opens without a complaint, and has every part", async () => {
  const { page, complaints, asked, close } = await opened("failures/faulty-0.html");
  for (const part of ["failures", "timeline", "latency", "peers", "reputation", "probes", "events"]) {
    assert.ok(await page.locator(`section#${part}`).isVisible(), part);
  }
  assert.ok((await page.locator("#peers rect").count()) > 10);
  assert.ok((await page.locator("#reputation path").count()) >= 3);
  assert.ok((await page.locator("#latency rect").count()) > 5);
  assert.match(await page.locator("#probes").innerText(), /silent-peer/);
  assert.equal(await page.locator("#events tbody tr").count(), 40);
  assert.deepEqual(complaints, []);
  assert.deepEqual(asked.filter((url) => !url.startsWith("file:")), []);
  await close();
});

test("the wheel zooms the timeline about where it points", async () => {
  const { page, complaints, close } = await opened("failures/faulty-0.html");
  const canvas = page.locator("canvas.time");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  const [all, scrolled] = [await shown(page), await page.evaluate(() => scrollY)];
  await page.mouse.move(box.x + box.width * 0.6, box.y + 150);
  for (let turn = 0; turn < 4; turn++) await page.mouse.wheel(0, -200);
  await settled(page);
  const near = await shown(page);
  assert.ok(near < all / 3, `${near} of ${all}`);
  assert.equal(await page.evaluate(() => scrollY), scrolled, "the page stays where it is");
  for (let turn = 0; turn < 12; turn++) await page.mouse.wheel(0, 200);
  await settled(page);
  assert.ok((await shown(page)) >= all, "and out again, to all of it");
  assert.deepEqual(complaints, []);
  await close();
});

test("all of it can be done by keyboard", async () => {
  const { page, complaints, close } = await opened("failures/faulty-0.html");
  for (let tab = 0; tab < 60; tab++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const it = document.activeElement;
      // Focus is seen on the canvas's frame.
      const style = getComputedStyle(it.matches("canvas") ? it.parentElement : it);
      return { canvas: it.matches("canvas.time"), name: it.outerHTML.slice(0, 80), outline: style.outlineStyle, width: Number.parseFloat(style.outlineWidth) };
    });
    assert.ok(at.outline !== "none" && at.width >= 2, `nobody sees the focus on ${at.name}`);
    if (at.canvas) break;
    assert.notEqual(tab, 59, "the timeline is never reached");
  }
  const all = await shown(page);
  for (let press = 0; press < 3; press++) await page.keyboard.press("+");
  await settled(page);
  const near = await shown(page);
  assert.ok(near < all * 0.3, `${near} of ${all}`);
  const from = () => page.locator("canvas.time").evaluate((it) => Number(it.dataset.from));
  const before = await from();
  await page.keyboard.press("ArrowRight");
  await settled(page);
  assert.ok((await from()) > before + near * 0.1, "it pans");
  await page.keyboard.press("-");
  await settled(page);
  assert.ok((await shown(page)) > near * 1.3, "it zooms out");
  await page.keyboard.press("ArrowDown");
  const said = await page.locator("#said").innerText();
  assert.match(said, /^n\d+ q\d+: (search|get|list)/, "what is chosen is said");
  await page.keyboard.press("Enter");
  await settled(page);
  const name = said.match(/^n\d+ q\d+/)[0];
  assert.match(await page.locator("#opened h3").innerText(), new RegExp(`^${name}:`));
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#opened h3").count(), 0);
  await page.keyboard.press("Home");
  await settled(page);
  assert.ok((await shown(page)) >= all);
  assert.match(await page.locator("canvas.time").getAttribute("aria-label"), /Timeline of .* Arrow left and right pan/);
  assert.deepEqual(complaints, []);
  await close();
});

test("an opened query has its requests below it", async () => {
  const { page, close } = await opened("failures/faulty-0.html");
  const [query, requests] = await page.evaluate(() => {
    const run = JSON.parse(document.getElementById("data").textContent).runs[0];
    const of = run.queries.map(() => 0);
    for (let i = 0; i < run.requests.length; i += 9) if (run.requests[i + 2] >= 0) of[run.requests[i + 2]]++;
    const most = of.indexOf(Math.max(...of));
    return [most, of[most]];
  });
  assert.ok(requests > 1);
  await page.focus("canvas.time");
  for (let press = 0; press <= query; press++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#opened tbody tr").count(), requests);
  await close();
});

test("a violation leads to its place", async () => {
  const { page, complaints, close } = await opened("failures/faulty-0.html");
  const end = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).runs[0].wrongs[0].at);
  await page.locator("#failures .wrong button.place").first().click();
  await settled(page);
  const canvas = page.locator("canvas.time");
  const [from, until] = await canvas.evaluate((it) => [Number(it.dataset.from), Number(it.dataset.until)]);
  assert.ok(from <= end && end <= until && until - from < end / 4, `${from}..${until} is not around ${end}`);
  assert.ok(await canvas.evaluate((it) => it === document.activeElement), "and the keyboard is there too");
  await page.waitForFunction(() => {
    const box = document.querySelector("canvas.time").getBoundingClientRect();
    return box.top >= 0 && box.top < innerHeight;
  });
  // A sentence of why leads to its query.
  const why = page.locator("#failures ul.why button.link").first();
  const name = (await why.innerText()).match(/^n\d+ q\d+/)[0];
  await why.click();
  assert.match(await page.locator("#opened h3").innerText(), new RegExp(`^${name}:`));
  assert.match(await page.locator("#opened").innerText(), new RegExp(`${name} at `), "and it says why");
  // The events around it.
  assert.ok((await page.locator("#failures .wrong details tbody tr").count()) > 5);
  await page.locator("#failures .wrong button", { hasText: "All events then" }).first().click();
  assert.match(await page.locator("#events [role=status]").innerText(), / of [\d,]+, from \d+/);
  assert.deepEqual(complaints, []);
  await close();
});

test("light and dark are drawn, by the system's wish and by the button", async () => {
  const grounds = {};
  for (const scheme of ["light", "dark"]) {
    const { page, complaints, close } = await opened("failures/faulty-0.html", { colorScheme: scheme });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const of = { ground: await ground(), dots: await coloursOf(page) };
    grounds[scheme] = of;
    assert.ok(of.dots.length >= 4, `the timeline shows ${of.dots}`);
    const other = scheme === "light" ? "Dark" : "Light";
    await page.getByRole("button", { name: other, exact: true }).click();
    await settled(page);
    of.turned = { ground: await ground(), dots: await coloursOf(page) };
    assert.equal(await page.getByRole("button", { name: other, exact: true }).getAttribute("aria-pressed"), "true");
    assert.deepEqual(complaints, []);
    await close();
  }
  const { light, dark } = grounds;
  assert.notEqual(light.ground, dark.ground);
  assert.notDeepEqual(light.dots, dark.dots);
  assert.deepEqual(light.turned, { ground: dark.ground, dots: dark.dots });
  assert.deepEqual(dark.turned, { ground: light.ground, dots: light.dots });
});

test("what is written can be read: every text has the contrast that it needs", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await opened("failures/faulty-0.html", { colorScheme });
    const weak = await page.evaluate(() => {
      const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)).reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
      const ground = (it) => {
        for (let at = it; at; at = at.parentElement) {
          const colour = parse(getComputedStyle(at).backgroundColor);
          if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
      };
      const found = new Set();
      for (const it of document.querySelectorAll("#page *")) {
        const own = [...it.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
        if (!own || it.closest("svg, option, :disabled") || !it.checkVisibility()) continue;
        const [one, other] = [light(parse(getComputedStyle(it).color)), light(ground(it))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (contrast < 4.5) found.add(`${it.tagName}.${it.className} ${contrast.toFixed(2)}`);
      }
      return [...found];
    });
    assert.deepEqual(weak, [], colorScheme);
    await close();
  }
});

test("two runs stand side by side, with the first event where they part", async () => {
  swarmproof("report", "faulty.toml", "--seed", "0", "--against-seed", "1", "-o", "two.html");
  const { page, complaints, asked, close } = await opened("two.html");
  assert.equal(await page.locator("canvas.time").count(), 2);
  assert.equal(await page.locator("h1").count(), 2);
  assert.match(await page.locator("#parting").innerText(), /event [\d,]+ is the first that differs|differ from the first event/);
  assert.ok((await page.locator("#parting .differs").count()) >= 2);
  assert.ok((await page.locator("#figures tbody tr").count()) > 10);
  // They share one time, and what is below is of one of them.
  await page.locator("canvas.time").first().focus();
  await page.keyboard.press("+");
  await settled(page);
  const spans = await page.locator("canvas.time").evaluateAll((all) => all.map((it) => [it.dataset.from, it.dataset.until].join()));
  assert.equal(spans[0], spans[1]);
  const events = () => page.locator("#events p.lead").innerText();
  const first = await events();
  await page.getByRole("button", { name: /^Run B/ }).click();
  assert.notEqual(await events(), first);
  assert.deepEqual(complaints, []);
  assert.equal(asked.length, 1);
  swarmproof("report", "faulty.toml", "faulty.toml", "--seed", "0", "-o", "same.html");
  const same = await opened("same.html");
  assert.match(await same.page.locator("#parting").innerText(), /Nowhere: both traces have the same [\d,]+ events/);
  await same.close();
  await close();
});

test("a run of 100,000 events is open in under two seconds", async () => {
  swarmproof("report", "busy.toml", "--seed", "0", "-o", "busy.html");
  const run = JSON.parse(readFileSync(join(folder, "busy.html"), "utf8").match(/id="data">(.*?)<\/script>/s)[1]).runs[0];
  const kept = run.events.length / 7;
  assert.ok(run.eventsInAll >= 100_000 && kept >= 100_000, `${kept} events of ${run.eventsInAll}`);
  const { page, complaints, took, close } = await opened("busy.html");
  console.log(`${kept} events, ${run.queries.length} queries, ${run.requests.length / 9} requests: open after ${Math.round(took)} ms`);
  assert.ok(took < OPEN_WITHIN, `it took ${took} ms`);
  const begun = performance.now();
  await page.focus("canvas.time");
  for (let press = 0; press < 10; press++) await page.keyboard.press("+");
  await settled(page);
  console.log(`ten steps of zoom took ${Math.round(performance.now() - begun)} ms`);
  assert.deepEqual(complaints, []);
  await close();
});
