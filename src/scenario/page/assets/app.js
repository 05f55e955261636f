// The page, put together.

const TWO = RUNS.length > 1;

function setScheme(scheme) {
  if (scheme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = scheme;
  readColours();
  for (const timeline of TIMELINES) timeline.draw();
  for (const button of document.querySelectorAll("[data-scheme]")) button.setAttribute("aria-pressed", String(button.dataset.scheme === scheme));
}

const schemes = () => el("div", { role: "group", "aria-label": "Colours", class: "bar", style: "margin:0" },
  [["auto", "System"], ["light", "Light"], ["dark", "Dark"]].map(([scheme, words]) => el("button", { type: "button", "data-scheme": scheme, "aria-pressed": String(scheme === "auto"), onclick: () => setScheme(scheme) }, words)));

function verdict(run) {
  if (run.broke) return el("span", { class: "pill fail" }, "broke");
  const failed = run.report.verdict === "fail";
  return el("span", { class: `pill ${failed ? "fail" : "pass"}` }, failed ? many(run.wrongs.length, "failure") : "all held");
}

function command(words) {
  const button = el("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(words);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousSibling);
      button.textContent = "Marked";
    }
    announce(button.textContent);
  } }, "Copy");
  return el("div", { class: "command" }, el("code", {}, words), button);
}

function header() {
  return el("header", { class: "top" },
    el("div", { class: "brand" }, `swarmproof ${DATA.version} · ${TWO ? "two runs side by side" : "report of a run"}`),
    RUNS.map((run) => el("div", { style: run.place ? "margin-top:16px" : null },
      el("div", { class: "row" }, el("h1", {}, TWO ? `${run.letter}: ${run.title}` : run.title), verdict(run), run.place ? null : schemes()),
      el("p", { class: "what" }, run.description),
      command(run.replay))));
}

/** What a run came to, in a few numbers: name, value, and a number to compare by where there is one. */
function figures(run) {
  const { report } = run;
  if (!report) return [["events until it broke", count(run.eventsInAll)], ["time of the run", span(run.end)]];
  const ms = (value) => (value === null ? "none" : span(value * 1000));
  const asked = report.searches.started ? report.search_requests / report.searches.started : 0;
  return [
    ["recall", report.recall.toFixed(3), report.recall],
    ["searches", count(report.searches.started), report.searches.started],
    ["search p50", ms(report.latency_ms.p50), report.latency_ms.p50, "ms"],
    ["search p95", ms(report.latency_ms.p95), report.latency_ms.p95, "ms"],
    ["search p99", ms(report.latency_ms.p99), report.latency_ms.p99, "ms"],
    ["requests a search", asked.toFixed(2), asked],
    ["gets", count(report.gets.started), report.gets.started],
    ["partial or failed", count(report.searches.partial + report.searches.failed + report.gets.partial + report.gets.failed), report.searches.partial + report.searches.failed + report.gets.partial + report.gets.failed],
    ["published", `${count(report.publishes.published)} of ${count(report.publishes.started)}`, report.publishes.published],
    ["ill-made refused", count(report.malformed.rejected), report.malformed.rejected],
    ["peers", count(report.peers), report.peers],
    ["messages", count(report.messages), report.messages],
    ["events", count(report.events), report.events],
    ["time of the run", span(report.virtual_ms * 1000), report.virtual_ms],
    ["trace", el("code", { title: report.trace_hash }, report.trace_hash.slice(0, 10))],
  ];
}

function tiles(run) {
  return el("dl", { class: "tiles" }, figures(run).map(([name, value]) => el("div", { class: "tile" }, el("dt", {}, name), el("dd", {}, value))));
}

function comparison() {
  const [one, other] = RUNS.map(figures);
  const rows = one.map(([name, value, number, unit], at) => {
    const [, beside, against] = other[at] ?? [];
    const differs = typeof number === "number" && typeof against === "number";
    const by = differs ? against - number : 0;
    const told = by === 0 ? "=" : `${by > 0 ? "+" : "−"}${unit ? span(Math.abs(by) * 1000) : Math.abs(by) < 10 && by % 1 ? Math.abs(by).toFixed(3) : count(Math.abs(by))}`;
    return [name, value, beside ?? "", differs ? told : ""];
  });
  return part("figures", "Both in numbers", null, table(["", ["A", "num"], ["B", "num"], ["B against A", "num"]], rows));
}

function part(id, heading, lead, ...children) {
  return el("section", { class: "part", id, "aria-labelledby": `${id}-heading`, tabindex: "-1" }, el("h2", { id: `${id}-heading` }, heading), lead ? el("p", { class: "lead" }, lead) : null, children);
}

function partingPart() {
  const { parting } = DATA;
  if (parting.same !== undefined) return part("parting", "Where they part", null, el("p", { class: "held" },
    parting.cut ? `Not in the first ${count(parting.same)} events, which are the same; what came later was not compared.` : `Nowhere: both traces have the same ${count(parting.same)} events.`));
  const first = parting.event - parting.before.length;
  const cells = parting.before.map((words, at) => el("div", { class: "both" }, `${count(first + at)}  ${words}`));
  cells.push(...RUNS.map((run) => el("div", { class: "name" }, `${run.letter}: ${run.title}`)));
  for (let at = 0; at < Math.max(parting.one.length, parting.other.length); at++) {
    const [one, other] = [parting.one[at] ?? "(nothing more)", parting.other[at] ?? "(nothing more)"];
    for (const words of [one, other]) cells.push(el("div", { class: one === other ? null : "differs" }, `${count(parting.event + at)}  ${words}`));
  }
  const lead = parting.event === 1 ? "They differ from the first event on." : `The first ${count(parting.event - 1)} events are the same; event ${count(parting.event)} is the first that differs.`;
  return part("parting", "Where they part", lead,
    parting.at === null ? null : el("div", { class: "bar" }, el("button", { type: "button", onclick: () => lookAt(TIMELINES[0], parting.at) }, `Show it on the timeline, at ${instant(parting.at)}`)),
    el("div", { class: "parting" }, cells));
}

/** Bring an instant into the middle of the timeline, close. */
function lookAt(timeline, at, query = null) {
  const half = query ? Math.max((query.until - query.begun) * 0.75, 2000) : Math.max(VIEW.end / 60, 2000);
  const middle = query ? (Math.min(query.begun, at) + Math.min(query.until, at)) / 2 : at;
  VIEW.show(middle - half, middle + half);
  timeline.open(query);
  document.getElementById("timeline").scrollIntoView({ block: "start" });
  timeline.canvas.focus({ preventScroll: true });
}

function wrongPart(run) {
  const cards = run.wrongs.slice(0, 100).map((wrong, at) => {
    const query = wrong.query === null ? null : run.queries[wrong.query];
    const { places, here } = around(run, wrong.at, wrong.node);
    const whose = wrong.node === null ? "of all nodes" : `of n${wrong.node}`;
    return el("article", { class: "wrong", id: `wrong-${run.place}-${at}` },
      el("div", { class: "head" }, el("h3", {}, wrong.oracle), el("span", { class: "soft" }, wrong.expected ? "expectation of the scenario" : `at ${instant(wrong.at)}`)),
      el("p", { class: "detail" }, wrong.detail),
      query?.why.length ? el("ul", { class: "why" }, query.why.map((words) => el("li", {}, words))) : null,
      el("div", { class: "bar", style: "margin:0" },
        el("button", { type: "button", class: "place", onclick: () => lookAt(TIMELINES[run.place], wrong.at, query) }, query ? `Show ${run.name(query)} on the timeline` : "Show it on the timeline"),
        el("button", { type: "button", onclick: () => {
          showEvents(run, wrong.at);
        } }, "All events then")),
      places.length ? el("details", { open: at === 0 }, el("summary", {}, `The events around it, ${whose}`), table(EVENT_HEADS, eventRows(run, places, here))) : null);
  });
  const held = run.report?.expectations.filter((it) => it.held) ?? [];
  const bad = run.why.slice(0, 300).map((why) => {
    const query = why.query === null ? null : run.queries[why.query];
    return el("li", {}, query ? el("button", { type: "button", class: "link", onclick: () => lookAt(TIMELINES[run.place], query.until, query) }, why.words) : why.words);
  });
  return part("failures", "What failed", run.wrongs.length ? "What oracles and expectations say, where it happened, and why." : null,
    run.broke ? el("article", { class: "wrong" }, el("h3", {}, "The run broke"), el("p", { class: "detail" }, run.broke), el("p", { class: "soft" }, "What follows is as far as it came.")) : null,
    !run.wrongs.length && !run.broke ? el("p", { class: "held" }, "Nothing: every oracle and every expectation held.") : null,
    cards,
    run.wrongs.length > cards.length ? el("p", { class: "soft" }, `and ${count(run.wrongs.length - cards.length)} further failures`) : null,
    held.length ? el("details", { style: "margin-top:12px" }, el("summary", {}, `${many(held.length, "expectation")} held`), table(["measure", "wanted", "got"], held.map((it) => [it.name, it.wanted, it.got]))) : null,
    bad.length ? el("details", { style: "margin-top:12px", open: bad.length <= 8 }, el("summary", {}, `Why: ${many(run.why.length, "miss or bad ending", "misses and bad endings")}`), el("ul", { class: "why" }, bad)) : null);
}

/** A query that was opened: its figures, and its requests one below the other. */
function spanPart(run, query) {
  const end = query.until;
  const length = Math.max(end - query.begun, 1);
  const facts = [
    ["begun", instant(query.begun)], ["took", query.ended === null ? "still running at the end" : span(length)],
    ["time it had", span(query.deadline - query.begun)], ["ended", query.how], ["delivered", many(query.delivered, "release")],
  ];
  const rows = query.requests.slice(0, 300).map((it) => {
    const from = ((it.begun - query.begun) / length) * 100;
    const wide = ((Math.min(it.until, end) - it.begun) / length) * 100;
    const bar = el("div", {}, el("i", { style: `left:${Math.min(from, 99)}%;width:${Math.max(wide, 0)}%;background:var(--${requestColour(it.how)})` }));
    return [wanted(it), bar, `+${span(it.begun - query.begun)}`, it.ended < 0 ? "" : span(it.until - it.begun), REQUEST_ENDS[it.how], it.items ? `${many(it.items, "item")}, ${bytes(it.bytes)}` : ""];
  });
  return el("div", { class: "span" },
    el("div", { class: "head" }, el("h3", {}, `${run.name(query)}: ${query.asked}`), el("button", { type: "button", onclick: () => TIMELINES[run.place].open(null) }, "Close")),
    el("dl", {}, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    query.words ? el("p", {}, query.words) : null,
    query.why.length ? el("ul", { class: "why" }, query.why.map((words) => el("li", {}, words))) : null,
    rows.length ? table(["request", ["", "lane"], ["begun", "num"], ["took", "num"], ["ended", "fit"], ["brought", "fit"]], rows, { class: "water" }) : el("p", { class: "soft" }, "It made no request."),
    query.requests.length > 300 ? el("p", { class: "soft" }, `and ${count(query.requests.length - 300)} further requests`) : null);
}

function leftOutWords(run) {
  const names = { queries: "queries", requests: "requests", scores: "changes of reputation", lives: "lives of nodes", events: "events" };
  const parts = Object.entries(run.leftOut).filter(([, number]) => number > 0).map(([name, number]) => `${count(number)} ${names[name]}`);
  return parts.length ? `Not in this page, since it is bounded${TWO ? `, of run ${run.letter}` : ""}: ${parts.join(", ")}.${run.wrongs.length ? " The events around failures are here." : ""}` : null;
}

function timelinePart() {
  const range = el("span", { class: "range" });
  const tell = () => (range.textContent = `${instant(Math.max(VIEW.from, 0))} to ${instant(Math.min(VIEW.until, VIEW.end))}`);
  VIEW.listeners.push(tell);
  tell();
  const button = (words, name, act) => el("button", { type: "button", class: words.length < 2 ? "square" : null, "aria-label": name, title: name, onclick: act }, words);
  const left = RUNS.map(leftOutWords).filter(Boolean);
  return part("timeline", "Timeline", null,
    el("div", { class: "bar" },
      button("−", "Zoom out", () => VIEW.zoom(1 / 0.6)), button("+", "Zoom in", () => VIEW.zoom(0.6)),
      button("←", "Earlier", () => VIEW.pan(-0.25)), button("→", "Later", () => VIEW.pan(0.25)), button("All", "Show all of it", () => VIEW.show(0, VIEW.end)), range),
    TIMELINES.map((timeline) => timeline.element),
    legend([["complete", "complete, answered"], ["enough", "limit reached"], ["partial", "partial, not found"], ["failed", "failed"], ["cancelled", "given up or still out"], ["died", "its node died"], ["band-fill", "fault"], ["up", "peer up"]]),
    el("p", { class: "keys" }, el("kbd", {}, "←"), " ", el("kbd", {}, "→"), " pan, ", el("kbd", {}, "+"), " ", el("kbd", {}, "−"), " or the wheel zoom, ", el("kbd", {}, "↑"), " ", el("kbd", {}, "↓"), " choose a query, ", el("kbd", {}, "Enter"), " opens it, ", el("kbd", {}, "Esc"), " closes it, ", el("kbd", {}, "Home"), " shows all."),
    left.map((words) => el("p", { class: "soft" }, words)),
    OPENED);
}

/** How long queries took: of two runs, both in one chart. */
function latencyPart() {
  const kinds = [true, false].filter((search) => search || RUNS.some((run) => run.queries.some((query) => query.search === search)));
  const charts = kinds.map((search) => el("div", {}, kinds.length > 1 ? el("h3", {}, search ? "Searches" : "Gets") : null, latencyChart(RUNS, search)));
  return part("latency", kinds.length > 1 ? "How long queries took" : "How long searches took", null, el("div", { class: TWO ? "charts" : "stack" }, charts));
}

/** What there is of each run; of two, one at a time. */
function details(run) {
  const events = new Events(run);
  EVENTS[run.place] = events;
  return [
    wrongPart(run),
    el("div", { class: "two" },
      el("div", { class: "stack" }, TWO ? null : latencyPart(), part("reputation", "Reputation", "What peers came to, as the mean in the eyes of all registries that charged them. In between it fades towards 0.5, which is not drawn.", reputationChart(run))),
      part("peers", "Requests by peer", null, peersChart(run, TWO ? 16 : 34))),
    part("probes", "Probes", "Places in the code that matter, and how often this run came to each.", probesPart(run)),
    part("events", "Events", eventsLead(run), events.element),
  ];
}

function eventsLead(run) {
  let seen = 0;
  for (const kind of run.kinds) if (kind >= SEEN_BY_REGISTRIES) seen++;
  const traced = run.many - seen;
  return `${traced === run.eventsInAll ? "All" : count(traced)} of ${many(run.eventsInAll, "event")} of the trace, and between them ${count(seen)} things that registries saw. The number of an event is what --until of replay takes.`;
}

let shownRun = 0;
const DETAILS = el("div");
const EVENTS = [];

function showRun(place) {
  shownRun = place;
  DETAILS.replaceChildren(...details(RUNS[place]).flat());
  for (const button of document.querySelectorAll("[data-run]")) button.setAttribute("aria-pressed", String(Number(button.dataset.run) === place));
}

function showEvents(run, at) {
  if (shownRun !== run.place) showRun(run.place);
  EVENTS[run.place].goTo(at);
  const events = document.getElementById("events");
  events.scrollIntoView({ block: "start" });
  events.focus({ preventScroll: true });
}

const VIEW = new View(Math.max(...RUNS.map((run) => run.end)));
const OPENED = el("div", { id: "opened" });
const TIMELINES = [];
readColours();
for (const run of RUNS) {
  TIMELINES.push(new Timeline(run, VIEW, (timeline, query) => {
    for (const other of TIMELINES) if (other !== timeline && query) other.chosen = null;
    OPENED.replaceChildren(...(query ? [spanPart(run, query)] : []));
    for (const it of TIMELINES) it.draw();
    if (query) announce(`Opened ${queryWords(run, query)}`);
  }));
}

function build() {
  const failures = RUNS.reduce((sum, run) => sum + run.wrongs.length, 0);
  const link = (id, words, number) => el("a", { href: `#${id}` }, words, number ? el("b", {}, ` ${number}`) : null);
  const links = [TWO ? link("parting", "Where they part") : null, TWO ? link("figures", "Numbers") : null, link("failures", "What failed", failures), link("timeline", "Timeline"), link("latency", "Latency"), link("peers", "Peers"), link("reputation", "Reputation"), link("probes", "Probes"), link("events", "Events")];
  showRun(0);
  const page = [header(), el("nav", { class: "parts", "aria-label": "Parts of this page" }, links)];
  if (TWO) {
    const tabs = el("div", { class: "bar", role: "group", "aria-label": "Which run is shown below" }, RUNS.map((run) => el("button", { type: "button", "data-run": run.place, "aria-pressed": String(run.place === 0), onclick: () => showRun(run.place) }, `Run ${run.letter}: ${run.title}`)));
    page.push(partingPart(), comparison(), timelinePart(), latencyPart(), tabs, DETAILS);
  } else {
    const [failed, ...others] = [...DETAILS.childNodes];
    page.push(tiles(RUNS[0]), failed, timelinePart(), ...others);
  }
  document.getElementById("page").replaceChildren(...page.flat());
  for (const timeline of TIMELINES) timeline.drawNow();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    for (const timeline of TIMELINES) timeline.draw();
  });
  document.documentElement.dataset.ready = "";
}

build();
