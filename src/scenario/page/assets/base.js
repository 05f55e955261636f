"use strict";
// The data, and what every part of the page needs: elements, words, numbers, colours.

const DATA = JSON.parse(document.getElementById("data").textContent);

/** An element. Children that are no elements become text, so nothing is ever read as HTML. */
function el(name, attributes = {}, ...children) {
  const svg = SVG_NAMES.has(name);
  const it = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) it.addEventListener(key.slice(2), value);
    else if (key === "style") it.style.cssText = value;
    else it.setAttribute(key, value === true ? "" : value);
  }
  it.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return it;
}
const SVG_NAMES = new Set(["svg", "g", "rect", "line", "path", "text", "circle", "title"]);

const count = (number) => Math.round(number).toLocaleString("en-GB");
const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;
const percent = (share) => `${(share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : 1)} %`;

/** A length of time, from microseconds, with as many digits as tell something. */
function span(micros) {
  if (micros < 0) return `−${span(-micros)}`;
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 1e6) return `${(micros / 1e3).toPrecision(3).replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros))} ms`;
  if (micros < 60e6) return `${(micros / 1e6).toFixed(micros < 10e6 ? 2 : 1)} s`;
  const seconds = Math.round(micros / 1e6);
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  return parts.filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`).join(" ");
}
/** An instant of the run: seconds, with as many decimals as `step` asks for. */
function instant(micros, step = 1000) {
  const decimals = step >= 1e6 ? 0 : step >= 1e5 ? 1 : step >= 1e4 ? 2 : step >= 1e3 ? 3 : 6;
  return `${(micros / 1e6).toFixed(decimals)} s`;
}
const bytes = (number) => (number < 10240 ? `${count(number)} B` : `${count(number / 1024)} KiB`);

const REQUEST_ENDS = ["out at the end", "well", "given up", "its node died", "this node's own limits", "unreachable", "unsupported", "timed out", "broken off", "refused", "not found"];
const CAUSES = ["answered", "unreachable", "timed out", "broken off", "busy", "malformed", "forged"];
const QUERY_ENDS = ["complete", "enough", "partial", "failed", "cancelled", "died", "running"];
/** The colour that stands for how a request ended. */
const requestColour = (how) => (how === 1 ? "complete" : how === 0 || how === 2 ? "cancelled" : how === 3 ? "died" : how === 10 ? "partial" : "failed");

let colours = {};
/** Read the colours of the present scheme. */
function readColours() {
  const style = getComputedStyle(document.documentElement);
  colours = {};
  for (const name of [...QUERY_ENDS, "ground", "card", "ink", "soft", "line", "faint", "focus", "band", "band-fill", "up", "down", "bad", "bad-ground", "s0", "s1"]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

/** Say something to whoever listens instead of looking. */
function announce(words) {
  document.getElementById("said").textContent = words;
}

/** One run, laid open. */
class Run {
  constructor(data, place) {
    Object.assign(this, data);
    this.place = place;
    this.letter = "AB"[place];
    this.queries = data.queries.map(([node, id, search, asked, begun, deadline, ended, how, words, delivered], at) => {
      return { at, node, id, search: search === 1, asked, begun, deadline, ended, until: ended ?? data.end, how, words, delivered, requests: [], why: [] };
    });
    this.requests = [];
    for (let i = 0; i < data.requests.length; i += 9) {
      const [node, id, query, peer, begun, ended, how, items, size] = data.requests.slice(i, i + 9); // 9 for each
      const request = { node, id, query, peer, begun, ended, until: ended < 0 ? data.end : ended, how, items, bytes: size };
      this.requests.push(request);
      if (query >= 0) this.queries[query].requests.push(request);
    }
    for (const why of data.why) if (why.query !== null) this.queries[why.query].why.push(why.words);
    this.readEvents(data.events);
  }

  /** Events in columns: their numbers and times are told as differences. */
  readEvents(row) {
    const many = row.length / 7;
    this.many = many;
    this.numbers = new Float64Array(many);
    this.times = new Float64Array(many);
    this.kinds = new Uint8Array(many);
    this.fields = new Float64Array(many * 4);
    let number = 0;
    let at = 0;
    for (let i = 0, from = 0; i < many; i++, from += 7) {
      number += row[from];
      at += row[from + 1];
      this.numbers[i] = number;
      this.times[i] = at;
      this.kinds[i] = row[from + 2];
      for (let field = 0; field < 4; field++) this.fields[i * 4 + field] = row[from + 3 + field];
    }
  }

  /** The first event at `time` or later. */
  eventAt(time) {
    let low = 0;
    let high = this.many;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An event in words. */
  eventWords(at) {
    return DATA.words[this.kinds[at]].replace(/\{([a-z]?)(\d)(?:\?([^}]*))?\}/g, (_, letter, field, choice) => {
      const value = this.fields[at * 4 + Number(field)];
      if (choice !== undefined) return choice.split("|")[value] ?? String(value);
      if (letter === "k") {
        const what = DATA.messages[value & 127] ?? "something";
        return value & 128 ? `the answer (${what})` : what;
      }
      if (letter === "t") return span(value);
      // What is there at the start came from nobody.
      return letter === "n" && value === 4294967295 ? "the plan" : letter + String(value);
    });
  }

  /** Whether an event concerns this node. */
  concerns(at, node) {
    const words = DATA.words[this.kinds[at]];
    for (let field = 0; field < 4; field++) {
      if (this.fields[at * 4 + field] === node && words.includes(`{n${field}}`)) return true;
    }
    return false;
  }

  name(query) {
    return `n${query.node} q${query.id}`;
  }
}

const RUNS = DATA.runs.map((run, place) => new Run(run, place));
