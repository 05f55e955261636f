// The timeline: faults as bands, peers up and down, each query as a span with its requests below it.

const GUTTER = 116;
const AXIS = 26;
const BAND = 17;
const BAR = 13;
const SUB = 4;
const SUBS = 6;

/** What part of the time is shown; all timelines of the page share one. */
class View {
  constructor(end) {
    this.end = Math.max(end, 1);
    this.from = 0;
    this.until = this.end;
    this.listeners = [];
  }
  show(from, until) {
    // No closer than 200 µs, and never beyond the run by more than a little.
    const margin = this.end * 0.02;
    let width = Math.min(Math.max(until - from, 200), this.end + 2 * margin);
    from = Math.min(Math.max(from, -margin), this.end + margin - width);
    this.from = from;
    this.until = from + width;
    for (const listener of this.listeners) listener();
  }
  zoom(factor, around = (this.from + this.until) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.until - around) * factor);
  }
  pan(share) {
    const by = (this.until - this.from) * share;
    this.show(this.from + by, this.until + by);
  }
}

/** Put spans into as few rows as they need: of each the row, and how many rows there are. */
function packed(spans, most = Infinity) {
  const ends = [];
  const rows = spans.map((it) => {
    let row = ends.findIndex((end) => end <= it.begun);
    if (row < 0) row = ends.length < most ? ends.length : ends.indexOf(Math.min(...ends));
    ends[row] = Math.max(ends[row] ?? 0, it.until);
    return row;
  });
  return { rows, many: ends.length };
}

class Timeline {
  constructor(run, view, opened) {
    this.run = run;
    this.view = view;
    this.opened = opened;
    this.chosen = null;
    this.scroll = 0;
    this.layOut();
    const keys = "Arrow left and right pan, plus and minus zoom, arrow up and down choose a query, Enter opens it, Home shows all.";
    const name = `Timeline of ${RUNS.length > 1 ? `run ${run.letter}, ` : ""}${run.title}: ${many(run.queries.length, "query", "queries")} over ${span(run.end)}, ${many(run.wrongs.length, "failure")}. ${keys}`;
    this.canvas = el("canvas", { class: "time", tabindex: "0", role: "application", "aria-label": name, "aria-roledescription": "timeline" });
    this.map = el("canvas", { class: "map", "aria-hidden": "true" });
    this.element = el("div", { class: "stage" }, this.canvas, this.map);
    this.listen();
    view.listeners.push(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** What is where, from top to bottom. */
  layOut() {
    const { run } = this;
    this.kinds = [...new Set(run.bands.map((band) => band.kind))];
    this.bandsTop = AXIS;
    this.peersTop = AXIS + this.kinds.length * BAND + (this.kinds.length ? 6 : 0);
    this.lanes = run.nodes <= 40;
    this.peersHeight = this.lanes ? Math.max(24, run.nodes * 5) : 46;
    this.top = this.peersTop + this.peersHeight + 10;
    this.groups = [];
    this.readLives();
    const byNode = new Map();
    for (const query of run.queries) {
      if (!byNode.has(query.node)) byNode.set(query.node, []);
      byNode.get(query.node).push(query);
    }
    let y = 0;
    for (const node of [...byNode.keys()].sort((a, b) => a - b)) {
      const queries = byNode.get(node);
      const { rows, many: height } = packed(queries);
      const lines = Array.from({ length: height }, () => ({ queries: [], subs: 0 }));
      queries.forEach((query, at) => {
        const inner = packed(query.requests, SUBS);
        query.requests.forEach((request, place) => (request.row = inner.rows[place]));
        lines[rows[at]].queries.push(query);
        lines[rows[at]].subs = Math.max(lines[rows[at]].subs, inner.many);
      });
      const group = { node, top: y, lines };
      for (const line of lines) {
        line.top = y;
        line.height = BAR + 2 + line.subs * SUB + 6;
        for (const query of line.queries) query.line = line;
        y += line.height;
      }
      group.bottom = y;
      y += 8;
      this.groups.push(group);
    }
    this.contents = Math.max(y, 40);
    this.shown = Math.min(this.contents, 430);
    this.height = this.top + this.shown + 6;
  }

  /** Lives by node, and how many nodes are up when. */
  readLives() {
    const row = this.run.lives;
    this.lives = [];
    const steps = [];
    for (let i = 0; i < row.length; i += 3) {
      this.lives.push({ node: row[i], from: row[i + 1], until: row[i + 2] });
      steps.push([row[i + 1], 1], [row[i + 2], -1]);
    }
    steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.up = [];
    let up = 0;
    for (const [at, change] of steps) {
      up += change;
      if (at < this.run.end) {
        if (this.up.length && this.up.at(-1)[0] === at) this.up.at(-1)[1] = up;
        else this.up.push([at, up]);
      }
    }
  }

  x(time) {
    return GUTTER + ((time - this.view.from) / (this.view.until - this.view.from)) * (this.width - GUTTER);
  }
  time(x) {
    return this.view.from + ((x - GUTTER) / (this.width - GUTTER)) * (this.view.until - this.view.from);
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const context = fitted(this.canvas, this.width, this.height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    this.drawAxis(context);
    this.drawBands(context);
    this.drawPeers(context);
    this.drawQueries(context);
    this.drawWrongs(context);
    this.drawMap();
    this.canvas.dataset.from = String(Math.round(this.view.from));
    this.canvas.dataset.until = String(Math.round(this.view.until));
  }

  drawAxis(context) {
    const width = this.view.until - this.view.from;
    const rough = width / Math.max(2, (this.width - GUTTER) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((it) => it * power).find((it) => it >= rough);
    context.textAlign = "center";
    for (let at = Math.ceil(Math.max(0, this.view.from) / step) * step; at <= Math.min(this.view.until, this.run.end); at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      line(context, x, AXIS - 5, x, this.height, colours.faint);
      context.fillStyle = colours.soft;
      if (x > GUTTER + 12 && x < this.width - 18) context.fillText(instant(at, step), x, 11);
    }
    line(context, GUTTER, AXIS - 0.5, this.width, AXIS - 0.5, colours.line);
    if (RUNS.length > 1) label(context, `run ${this.run.letter}`, 11, colours.ink, true);
  }

  drawBands(context) {
    this.kinds.forEach((kind, row) => label(context, kind, this.bandsTop + row * BAND + BAND / 2 + 1, colours.band));
    clipped(context, GUTTER, this.bandsTop, this.width - GUTTER, this.height, () => {
      for (const band of this.run.bands) {
        if (band.until < this.view.from || band.from > this.view.until) continue;
        const y = this.bandsTop + this.kinds.indexOf(band.kind) * BAND + 3;
        const from = this.x(band.from);
        // Between bands that are wide enough to be told apart there is a gap.
        const whole = this.x(band.until) - from;
        const width = Math.max(whole > 12 ? whole - 1 : whole, 1.5);
        context.fillStyle = colours["band-fill"];
        context.fillRect(from, y, width, BAND - 5);
        const words = `${band.count} · ${band.words}`;
        const left = Math.max(from, GUTTER) + 5;
        if (from + width - left > 50) {
          context.fillStyle = colours.band;
          context.textAlign = "left";
          context.font = "11px system-ui, sans-serif";
          context.fillText(cut(context, words, from + width - left - 4), left, y + (BAND - 5) / 2 + 0.5);
          context.font = "12px system-ui, sans-serif";
        }
      }
    });
  }

  drawPeers(context) {
    const { peersTop: top, peersHeight: height, run } = this;
    label(context, "peers up", top + 8, colours.soft);
    clipped(context, GUTTER, top, this.width - GUTTER, height, () => {
      if (this.lanes) {
        const each = height / Math.max(run.nodes, 1);
        const down = Math.max(each - 1.5, 1);
        for (let node = 0; node < run.nodes; node++) {
          line(context, this.x(0), top + (node + 0.5) * each, this.x(run.end), top + (node + 0.5) * each, colours.line);
        }
        context.fillStyle = colours.up;
        for (const life of this.lives) {
          context.fillRect(this.x(life.from), top + life.node * each, this.x(life.until) - this.x(life.from), down);
        }
        context.fillStyle = colours.down;
        for (const life of this.lives) {
          if (life.until < run.end) context.fillRect(this.x(life.until) - 1, top + life.node * each, 2, down);
        }
        return;
      }
      const most = this.up.reduce((most, it) => Math.max(most, it[1]), 1);
      const y = (up) => top + height - 1 - (up / most) * (height - 4);
      context.beginPath();
      context.moveTo(this.x(0), top + height);
      let before = 0;
      for (const [at, up] of this.up) {
        context.lineTo(this.x(at), y(before));
        context.lineTo(this.x(at), y(up));
        before = up;
      }
      context.lineTo(this.x(run.end), y(before));
      context.lineTo(this.x(run.end), top + height);
      context.fillStyle = colours.up;
      context.fill();
    });
    if (!this.lanes) {
      const now = this.up.reduce((up, step) => (step[0] <= this.view.from ? step[1] : up), this.up[0]?.[1] ?? 0);
      label(context, `${count(now)} of ${count(run.nodes)}`, top + 25, colours.soft);
    }
    line(context, 0, top + height + 5.5, this.width, top + height + 5.5, colours.line);
  }

  drawQueries(context) {
    const { top, shown, scroll } = this;
    clipped(context, 0, top, this.width, shown + 6, () => {
      for (const group of this.groups) {
        const y = top + group.top - scroll;
        if (y > top + shown || top + group.bottom - scroll < top) continue;
        label(context, `n${group.node}`, Math.max(y, top) + 7, colours.soft);
        line(context, GUTTER, top + group.bottom - scroll + 3.5, this.width, top + group.bottom - scroll + 3.5, colours.faint);
        clipped(context, GUTTER, top, this.width - GUTTER, shown + 6, () => {
          for (const row of group.lines) {
            const at = top + row.top - scroll;
            if (at < top + shown && at + row.height > top) this.drawLine(context, row, at);
          }
        });
      }
    });
    if (this.contents > shown) {
      const height = Math.max(24, (shown / this.contents) * shown);
      context.fillStyle = colours.cancelled;
      context.globalAlpha = 0.55;
      context.fillRect(this.width - 6, top + (scroll / (this.contents - shown)) * (shown - height), 4, height);
      context.globalAlpha = 1;
    }
  }

  drawLine(context, row, top) {
    const { from, until } = this.view;
    // Within a row no two overlap, so their ends are in order as their beginnings are.
    let low = 0;
    let high = row.queries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (row.queries[middle].until < from) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < row.queries.length && row.queries[at].begun <= until; at++) {
      const query = row.queries[at];
      const x = this.x(query.begun);
      const width = Math.max(this.x(query.until) - x, 2);
      context.fillStyle = colours[query.how];
      context.fillRect(x, top, width, BAR);
      if (query.how === "failed" || query.how === "partial") {
        // Told by shape as well: a notch at the end.
        context.fillStyle = colours.card;
        if (width > 9) notch(context, x + width, top, query.how === "failed");
      }
      if (width > 3) {
        for (const request of query.requests) {
          context.fillStyle = colours[requestColour(request.how)];
          const left = this.x(request.begun);
          context.fillRect(left, top + BAR + 2 + request.row * SUB, Math.max(this.x(request.until) - left, 1.5), SUB - 1);
        }
      }
      if (width > 70) {
        context.fillStyle = colours.card;
        context.textAlign = "left";
        context.font = "10.5px system-ui, sans-serif";
        const left = Math.max(x, GUTTER) + 4;
        context.fillText(cut(context, `q${query.id} ${query.asked}`, x + width - left - 14), left, top + BAR / 2 + 0.5);
        context.font = "12px system-ui, sans-serif";
      }
      if (query === this.chosen) {
        context.strokeStyle = colours.ink;
        context.lineWidth = 2;
        context.strokeRect(x - 2, top - 2, width + 4, row.height - 3);
        context.lineWidth = 1;
      }
    }
  }

  drawWrongs(context) {
    clipped(context, GUTTER - 6, 0, this.width - GUTTER + 6, this.height, () => {
      for (const wrong of this.run.wrongs) {
        if (wrong.at < this.view.from || wrong.at > this.view.until) continue;
        const x = Math.round(this.x(wrong.at));
        context.setLineDash([4, 3]);
        line(context, x + 0.5, AXIS - 6, x + 0.5, this.height, colours.failed);
        context.setLineDash([]);
        context.fillStyle = colours.failed;
        context.beginPath();
        context.moveTo(x - 5, AXIS - 10);
        context.lineTo(x + 6, AXIS - 10);
        context.lineTo(x + 0.5, AXIS - 1);
        context.fill();
      }
      const at = DATA.parting?.at;
      if (at !== undefined && at !== null && at >= this.view.from && at <= this.view.until) {
        const x = Math.round(this.x(at)) + 0.5;
        line(context, x, 0, x, this.height, colours.died);
        context.fillStyle = colours.died;
        context.textAlign = x > this.width - 80 ? "right" : "left";
        context.fillText("they part", x + (x > this.width - 80 ? -5 : 5), this.height - 9);
      }
    });
  }

  /** The whole run, small, with what is shown of it framed. */
  drawMap() {
    const height = 34;
    const context = fitted(this.map, this.width, height);
    const scale = (time) => GUTTER + (time / this.view.end) * (this.width - GUTTER - 2);
    const bins = new Float64Array(Math.max(1, Math.floor((this.width - GUTTER) / 3)));
    for (const query of this.run.queries) {
      bins[Math.min(bins.length - 1, Math.floor((query.begun / this.view.end) * bins.length))]++;
    }
    const most = Math.max(...bins, 1);
    context.fillStyle = colours.cancelled;
    bins.forEach((number, at) => {
      const tall = number ? Math.max(2, (number / most) * (height - 10)) : 0;
      context.fillRect(GUTTER + at * 3, height - 3 - tall, 2, tall);
    });
    context.fillStyle = colours.failed;
    for (const wrong of this.run.wrongs) context.fillRect(scale(wrong.at) - 1, 2, 2, height - 4);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    label(context, "the whole run", height / 2, colours.soft);
    const from = Math.max(scale(this.view.from), GUTTER);
    const until = Math.min(scale(this.view.until), this.width - 1);
    context.strokeStyle = colours.focus;
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, Math.max(until - from - 2, 2), height - 2);
  }

  /** What is under a point. */
  under(x, y) {
    const time = this.time(x);
    const near = ((this.view.until - this.view.from) / (this.width - GUTTER)) * 3;
    if (x < GUTTER) return null;
    if (y < this.peersTop) {
      const kind = this.kinds[Math.floor((y - this.bandsTop) / BAND)];
      const band = this.run.bands.find((it) => it.kind === kind && it.from <= time && it.until >= time);
      if (y >= this.bandsTop && band) return { words: `${many(band.count, "node")} ${band.kind}: ${band.words}\n${instant(band.from)} to ${instant(band.until)}` };
      const wrong = this.run.wrongs.find((it) => Math.abs(it.at - time) < near * 2);
      return wrong ? { wrong, words: `${wrong.oracle}: ${wrong.detail}` } : null;
    }
    if (y < this.top) {
      if (!this.lanes) return null;
      const node = Math.floor(((y - this.peersTop) / this.peersHeight) * this.run.nodes);
      if (node < 0 || node >= this.run.nodes) return null;
      const up = this.lives.some((it) => it.node === node && it.from <= time && it.until >= time);
      return { words: `n${node}${this.run.registries.includes(node) ? ", a registry" : ""}: ${up ? "up" : "down"} at ${instant(time)}` };
    }
    const inner = y - this.top + this.scroll;
    for (const group of this.groups) {
      if (inner < group.top || inner > group.bottom) continue;
      const row = group.lines.find((it) => inner >= it.top && inner < it.top + it.height);
      const query = row?.queries.find((it) => it.begun - near <= time && it.until + near >= time);
      if (!query) return null;
      const sub = Math.floor((inner - row.top - BAR - 2) / SUB);
      const request = sub >= 0 ? query.requests.find((it) => it.row === sub && it.begun - near <= time && it.until + near >= time) : null;
      return { query, words: request ? requestWords(request) : queryWords(this.run, query) };
    }
    return null;
  }

  listen() {
    const { canvas, view } = this;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x] = place(event);
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) view.pan((event.deltaX || event.deltaY) / 900);
      else view.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 320))), this.time(Math.max(x, GUTTER)));
    }, { passive: false });
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, y: event.clientY, from: view.from, until: view.until, scroll: this.scroll, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (!drag) return this.tip(event, this.under(x, y));
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (Math.abs(dx) + Math.abs(dy) > 4) drag.moved = true;
      if (!drag.moved) return undefined;
      canvas.classList.add("drag");
      const by = (-dx / (this.width - GUTTER)) * (drag.until - drag.from);
      this.scrollTo(drag.scroll - dy);
      view.show(drag.from + by, drag.until + by);
      return undefined;
    });
    canvas.addEventListener("pointerup", (event) => {
      const [x, y] = place(event);
      const found = drag && !drag.moved ? this.under(x, y) : null;
      drag = null;
      canvas.classList.remove("drag");
      if (found?.query) this.open(found.query);
    });
    canvas.addEventListener("pointercancel", () => (drag = null));
    canvas.addEventListener("pointerleave", () => this.tip(null, null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    const move = (event) => {
      const share = (event.offsetX - GUTTER) / (this.width - GUTTER);
      const half = (view.until - view.from) / 2;
      view.show(share * view.end - half, share * view.end + half);
    };
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      move(event);
    });
    this.map.addEventListener("pointermove", (event) => event.buttons && move(event));
  }

  key(event) {
    const { view } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      ArrowLeft: () => view.pan(-0.15),
      ArrowRight: () => view.pan(0.15),
      ArrowUp: () => this.choose(-1),
      ArrowDown: () => this.choose(1),
      "+": () => view.zoom(0.6, this.middle()),
      "=": () => view.zoom(0.6, this.middle()),
      "-": () => view.zoom(1 / 0.6, this.middle()),
      _: () => view.zoom(1 / 0.6, this.middle()),
      Home: () => view.show(0, view.end),
      PageUp: () => this.scrollTo(this.scroll - this.shown * 0.8),
      PageDown: () => this.scrollTo(this.scroll + this.shown * 0.8),
      Enter: () => this.chosen && this.open(this.chosen),
      Escape: () => this.open(null),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (["ArrowLeft", "ArrowRight", "+", "=", "-", "_", "Home"].includes(event.key)) {
      announce(`${instant(Math.max(view.from, 0))} to ${instant(Math.min(view.until, view.end))}`);
    }
  }

  /** Zooming by keys goes towards what is chosen, if it is in sight. */
  middle() {
    const { chosen, view } = this;
    const at = chosen ? (chosen.begun + chosen.until) / 2 : NaN;
    return at >= view.from && at <= view.until ? at : (view.from + view.until) / 2;
  }

  /** Choose the query before or after the chosen one; at first the first in sight. */
  choose(step) {
    const { queries } = this.run;
    if (!queries.length) return;
    const first = () => Math.max(0, queries.findIndex((it) => it.begun >= this.view.from));
    const at = this.chosen ? this.chosen.at + step : first();
    this.chosen = queries[Math.min(Math.max(at, 0), queries.length - 1)];
    this.reveal(this.chosen);
    announce(queryWords(this.run, this.chosen));
  }

  /** Bring a query into sight. */
  reveal(query) {
    const { view } = this;
    const inner = query.line.top;
    if (inner < this.scroll || inner + query.line.height > this.scroll + this.shown) this.scrollTo(inner - this.shown / 3);
    if (query.until > view.until || query.begun < view.from) {
      const half = Math.max((view.until - view.from) / 2, (query.until - query.begun) * 0.7);
      const middle = (query.begun + query.until) / 2;
      view.show(middle - half, middle + half);
    }
    this.draw();
  }

  scrollTo(y) {
    this.scroll = Math.min(Math.max(y, 0), this.contents - this.shown);
    this.draw();
  }

  open(query) {
    this.chosen = query;
    if (query) this.reveal(query);
    this.draw();
    this.opened(this, query);
  }

  tip(event, found) {
    const tip = document.getElementById("tip");
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.words;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
  }
}

function queryWords(run, query) {
  const took = query.ended === null ? "still running at the end" : `${query.how} after ${span(query.until - query.begun)}`;
  return `${run.name(query)}: ${query.asked}\n${took}; ${query.words || "no ending"}; ${many(query.requests.length, "request")}, begun at ${instant(query.begun)}`;
}

function requestWords(request) {
  const took = request.ended < 0 ? "" : ` after ${span(request.until - request.begun)}`;
  return `r${request.id}: ${wanted(request)}, ${REQUEST_ENDS[request.how]}${took}; ${many(request.items, "item")}, ${bytes(request.bytes)}`;
}

const wanted = (request) => (request.peer >= 0 ? `asked n${request.peer}` : request.peer === -1 ? "a record of the DHT" : "the DHT");

/** The context of a canvas that has as many dots as the screen has. */
function fitted(canvas, width, height) {
  const dots = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * dots) || canvas.height !== Math.round(height * dots)) {
    canvas.width = Math.round(width * dots);
    canvas.height = Math.round(height * dots);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function line(context, x, y, toX, toY, colour) {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}

function clipped(context, x, y, width, height, draw) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  draw();
  context.restore();
}

function label(context, words, y, colour, strong = false) {
  context.fillStyle = colour;
  context.textAlign = "left";
  context.font = `${strong ? "600 " : ""}12px system-ui, sans-serif`;
  context.fillText(cut(context, words, GUTTER - 18), 12, y);
}

function notch(context, right, top, twice) {
  for (const at of twice ? [right - 3, right - 7] : [right - 3]) context.fillRect(at, top + 1, 1.5, BAR - 2);
}

/** As much of the words as there is room for. */
function cut(context, words, width) {
  if (width < 12) return "";
  if (context.measureText(words).width <= width) return words;
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${words.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low < 2 ? "" : `${words.slice(0, low)}…`;
}
