// Charts: how long searches took, what was asked of whom, and what peers came to in others' eyes.

function table(heads, rows, attributes = {}) {
  const cells = (row, name) => row.map((cell, at) => {
    const head = heads[at];
    const kind = typeof head === "string" ? "" : head[1];
    return el(name, { class: kind || null, scope: name === "th" ? "col" : null }, typeof cell === "object" && cell !== null ? cell : String(cell));
  });
  return el("div", { class: "scroll" }, el("table", attributes,
    el("thead", {}, el("tr", {}, cells(heads.map((head) => (typeof head === "string" ? head : head[0])), "th"))),
    el("tbody", {}, rows.map((row) => (row instanceof Node ? row : el("tr", {}, cells(row, "td")))))));
}

/** The numbers of a chart, for those who would rather read them. */
const asTable = (heads, rows) => el("details", {}, el("summary", {}, "As a table"), table(heads, rows));

/** Round instants of a logarithmic scale. */
function logTicks(from, until) {
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= until; power *= 10) {
    for (const step of [1, 2, 5]) if (step * power >= from && step * power <= until) ticks.push(step * power);
  }
  return ticks;
}

function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** How long queries took: one colour for each run, on a scale that doubles. */
function latencyChart(runs, search) {
  const samples = runs.map((run) => run.queries
    .filter((query) => query.search === search && query.ended !== null && !["cancelled", "died"].includes(query.how))
    .map((query) => query.until - query.begun).sort((a, b) => a - b));
  // What took no time is where the scale begins.
  const floor = Math.min(1000, ...samples.map((times) => times.find((it) => it > 0) ?? 1000));
  const all = samples.flat().map((it) => Math.max(it, floor)).sort((a, b) => a - b);
  const what = search ? "searches" : "gets";
  if (!all.length) return el("p", { class: "soft" }, `No ${what} ended in ${runs.length > 1 ? "these runs" : "this run"}.`);
  const [width, height, left, bottom, top] = [640, 250, 40, 26, 46];
  const least = Math.log10(all[0] / 1.25);
  const most = Math.log10(all.at(-1) * 1.25);
  const x = (micros) => left + ((Math.log10(Math.max(micros, floor)) - least) / (most - least)) * (width - left - 10);
  const bins = 44;
  const counts = samples.map((times) => {
    const counted = new Array(bins).fill(0);
    for (const time of times) counted[Math.min(bins - 1, Math.floor(((Math.log10(Math.max(time, floor)) - least) / (most - least)) * bins))]++;
    return counted;
  });
  const tallest = Math.max(...counts.flat(), 1);
  const y = (number) => height - bottom - (number / tallest) * (height - bottom - top);
  const edge = (bin) => left + (bin / bins) * (width - left - 10);
  let words = `How long ${what} took. `;
  const parts = [];
  for (const tick of logTicks(all[0] / 1.25, all.at(-1) * 1.25)) {
    parts.push(el("line", { class: "rule", x1: x(tick), x2: x(tick), y1: top, y2: height - bottom }));
    const leading = Number(tick.toPrecision(1).replace(/e.*/, "").replace(/0/g, "").replace(".", ""));
    if (most - least < 2.2 || leading === 1) parts.push(el("text", { x: x(tick), y: height - 8, "text-anchor": "middle" }, span(tick)));
  }
  for (const share of [0.5, 1]) {
    parts.push(el("text", { x: left - 6, y: y(tallest * share) + 4, "text-anchor": "end" }, count(tallest * share)));
  }
  counts.forEach((counted, place) => {
    const colour = `var(--s${place})`;
    if (place === 0) {
      counted.forEach((number, bin) => number && parts.push(el("rect", { x: edge(bin) + 0.5, y: y(number), width: Math.max(edge(bin + 1) - edge(bin) - 1.5, 1), height: height - bottom - y(number), rx: 1.5, style: `fill:${colour};opacity:${runs.length > 1 ? 0.55 : 0.85}` },
        el("title", {}, `${count(number)} ${what}, ${span(10 ** (least + (bin / bins) * (most - least)))} to ${span(10 ** (least + ((bin + 1) / bins) * (most - least)))}`))));
    } else {
      const path = counted.map((number, bin) => `${bin ? "L" : "M"}${edge(bin)},${y(number)}L${edge(bin + 1)},${y(number)}`).join("");
      parts.push(el("path", { d: path, style: `fill:none;stroke:${colour};stroke-width:2` }));
    }
    const times = samples[place];
    if (!times.length) return;
    // Each name in a line of its own, so that none stands in another.
    for (const [step, [name, share]] of [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]].entries()) {
      const at = quantile(times, share);
      words += `${runs.length > 1 ? `Run ${runs[place].letter}: ` : ""}${name} ${span(at)}. `;
      if (place > 0) continue;
      const right = x(at) > width - 90;
      parts.push(el("line", { class: "axis", x1: x(at), x2: x(at), y1: top - 40 + step * 13, y2: height - bottom, "stroke-dasharray": "3 3" }));
      parts.push(el("text", { class: "strong", x: x(at) + (right ? -4 : 4), y: top - 31 + step * 13, "text-anchor": right ? "end" : "start" }, `${name} ${span(at)}`));
    }
  });
  parts.push(el("line", { class: "axis", x1: left, x2: width - 10, y1: height - bottom, y2: height - bottom }));
  const rows = runs.map((run, place) => {
    const times = samples[place];
    const at = (share) => (times.length ? span(quantile(times, share)) : "none");
    return [runs.length > 1 ? `run ${run.letter}` : what, count(times.length), at(0.5), at(0.95), at(0.99), at(1)];
  });
  return [
    el("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words }, parts),
    runs.length > 1 ? legend(runs.map((run, place) => [`s${place}`, `run ${run.letter}`])) : null,
    asTable(["", ["ended", "num"], ["p50", "num"], ["p95", "num"], ["p99", "num"], ["longest", "num"]], rows),
  ];
}

function legend(items) {
  return el("ul", { class: "legend" }, items.map(([colour, words]) => el("li", {}, el("i", { style: `background:var(--${colour})` }), words)));
}

const ACCOUNT = [["complete", "answered"], ["failed", "timed out"], ["partial", "refused"], ["died", "failed otherwise"], ["cancelled", "given up"]];

/** What was asked of each peer, most asked first. */
function peersChart(run, rows = 16) {
  const accounts = [];
  for (let i = 0; i < run.accounts.length; i += 8) {
    const [peer, asked, answered, timedOut, refused, failed, givenUp, micros] = run.accounts.slice(i, i + 8);
    accounts.push({ peer, asked, parts: [answered, timedOut, refused, failed, givenUp], mean: answered ? micros / answered : NaN });
  }
  if (!accounts.length) return el("p", { class: "soft" }, "No peer was asked anything.");
  accounts.sort((a, b) => b.asked - a.asked || a.peer - b.peer);
  const top = accounts.slice(0, rows);
  const [width, row, left] = [640, 17, 46];
  const most = top[0].asked;
  const parts = top.flatMap((it, at) => {
    let x = left;
    const bars = it.parts.map((number, kind) => {
      const wide = (number / most) * (width - left - 46);
      const bar = number && el("rect", { x, y: at * row + 2, width: Math.max(wide - 0.5, 0.5), height: row - 5, rx: 1.5, style: `fill:var(--${ACCOUNT[kind][0]})` }, el("title", {}, `n${it.peer}: ${count(number)} ${ACCOUNT[kind][1]}`));
      x += wide;
      return bar || null;
    });
    const name = `n${it.peer}`;
    return [el("text", { x: left - 7, y: at * row + 12, "text-anchor": "end" }, name), ...bars.filter(Boolean), el("text", { x: x + 6, y: at * row + 12 }, count(it.asked))];
  });
  const total = accounts.reduce((sum, it) => sum + it.asked, 0);
  const share = top.reduce((sum, it) => sum + it.asked, 0) / total;
  const words = `${count(total)} questions went to ${many(accounts.length, "peer")}${top.length < accounts.length ? `; the ${top.length} most asked got ${percent(share)} of them` : ""}.`;
  const cells = accounts.slice(0, 400).map((it) => [`n${it.peer}`, count(it.asked), ...it.parts.map(count), Number.isNaN(it.mean) ? "" : span(it.mean)]);
  return [
    el("p", { class: "soft" }, words),
    el("svg", { class: "chart", viewBox: `0 0 ${width} ${top.length * row + 4}`, role: "img", "aria-label": words }, parts),
    legend(ACCOUNT),
    asTable(["peer", ["asked", "num"], ...ACCOUNT.map(([, name]) => [name, "num"]), ["mean answer", "num"]], cells),
  ];
}

/** What peers came to: the mean of what those think who ever charged them, at each charge. */
function scoresOf(run) {
  const peers = new Map();
  for (let i = 0; i < run.scores.length; i += 5) {
    const [at, node, peer, why, score] = run.scores.slice(i, i + 5);
    if (!peers.has(peer)) peers.set(peer, { peer, eyes: new Map(), sum: 0, points: [], lowest: 1, causes: new Array(7).fill(0) });
    const it = peers.get(peer);
    it.sum += score / 1000 - (it.eyes.get(node) ?? 0);
    it.eyes.set(node, score / 1000);
    it.last = it.sum / it.eyes.size;
    it.lowest = Math.min(it.lowest, it.last);
    it.points.push([at, it.last]);
    it.causes[why]++;
  }
  // At the end registries told it themselves: until then it has faded.
  const told = new Map();
  for (let i = 0; i < run.settled.length; i += 3) {
    const [, peer, score] = run.settled.slice(i, i + 3);
    const it = told.get(peer) ?? { sum: 0, many: 0 };
    told.set(peer, { sum: it.sum + score / 1000, many: it.many + 1 });
  }
  for (const [peer, { sum, many: eyes }] of told) {
    const it = peers.get(peer);
    if (it) {
      it.last = sum / eyes;
      it.points.push([run.end, it.last]);
    }
  }
  return [...peers.values()];
}

function reputationChart(run) {
  const peers = scoresOf(run);
  if (!peers.length) return el("p", { class: "soft" }, "No peer was charged with anything.");
  peers.sort((a, b) => a.lowest - b.lowest || b.points.length - a.points.length || a.peer - b.peer);
  const picks = peers.slice(0, Math.min(5, peers.length));
  const shown = el("div");
  const choose = el("select", { "aria-label": "A further peer", onchange: () => draw(peers.find((it) => String(it.peer) === choose.value)) },
    el("option", { value: "" }, "also show…"), [...peers].sort((a, b) => a.peer - b.peer).slice(0, 2000).map((it) => el("option", { value: it.peer }, `n${it.peer}`)));
  function draw(further) {
    const drawn = further && !picks.includes(further) ? [...picks, further] : picks;
    const [width, height, left, right, bottom, top] = [640, 230, 34, 48, 24, 8];
    const x = (at) => left + (at / run.end) * (width - left - right);
    const y = (score) => top + (1 - score) * (height - top - bottom);
    const parts = [0, 0.25, 0.5, 0.75, 1].flatMap((score) => [
      el("line", { class: "rule", x1: left, x2: width - right, y1: y(score), y2: y(score) }),
      el("text", { x: left - 6, y: y(score) + 4, "text-anchor": "end" }, score),
    ]);
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      parts.push(el("text", { x: x(run.end * share), y: height - 6, "text-anchor": "middle" }, instant(run.end * share, run.end > 2e7 ? 1e6 : 1e5)));
    }
    // Names at the ends of lines, pushed apart where they would cover each other.
    const names = drawn.map((it, place) => ({ it, place, y: y(it.last) })).sort((a, b) => a.y - b.y);
    names.forEach((name, at) => (name.y = Math.max(name.y, at ? names[at - 1].y + 13 : top + 6)));
    const over = Math.max(0, (names.at(-1)?.y ?? 0) - (height - bottom));
    names.forEach((name) => (name.y -= over));
    for (const { it, place, y: beside } of names) {
      const colour = `var(--s${place % 6})`;
      // As many points as there are dots is enough.
      const every = Math.ceil(it.points.length / 1500);
      let path = `M${x(it.points[0][0])},${y(0.5)}`;
      it.points.forEach(([at, score], place) => {
        if (place % every === 0 || place === it.points.length - 1) path += `H${x(at).toFixed(1)}V${y(score).toFixed(1)}`;
      });
      path += `H${x(run.end)}`;
      parts.push(el("path", { d: path, style: `fill:none;stroke:${colour};stroke-width:2`, "stroke-dasharray": ["", "7 3", "2 3", "10 3 2 3", "4 4", "1 4"][place % 6] || null }, el("title", {}, `n${it.peer}`)));
      parts.push(el("text", { class: "strong", x: width - right + 6, y: beside + 4, style: `fill:${colour}` }, `n${it.peer}`));
    }
    const words = `Reputation over time of the ${picks.length} peers that came to the lowest: ${picks.map((it) => `n${it.peer} down to ${it.lowest.toFixed(2)}`).join(", ")}.`;
    shown.replaceChildren(el("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words }, parts));
  }
  draw();
  const rows = peers.slice(0, 400).map((it) => [`n${it.peer}`, it.lowest.toFixed(3), it.last.toFixed(3), ...it.causes.map(count)]);
  return [
    el("div", { class: "bar" }, el("span", { class: "soft" }, "The peers that came to the lowest"), choose),
    shown,
    asTable(["peer", ["lowest", "num"], ["at the end", "num"], ...CAUSES.map((cause) => [cause, "num"])], rows),
  ];
}

/** The places that matter: how often the run came to each. */
function probesPart(run) {
  if (!run.probes) return el("p", { class: "soft" }, "The run did not come to its end, so they were not counted.");
  const reached = run.probes.filter(([, number]) => number > 0);
  const never = run.probes.filter(([, number]) => number === 0);
  return [
    el("h3", {}, `Reached, ${reached.length}`),
    el("ul", { class: "probes" }, reached.map(([name, number]) => el("li", {}, el("span", { class: "mono" }, name), el("b", {}, count(number))))),
    el("h3", { style: "margin-top:14px" }, `Not reached, ${never.length}`),
    el("ul", { class: "probes never" }, never.map(([name, , need]) => el("li", { title: need || null }, el("span", { class: "mono" }, name), need ? el("span", { class: "soft" }, "rare") : null))),
  ];
}
