// Events: those around a failure, and all of them, a page at a time.

const PAGE = 40;
/** Kinds from here on are no events of the trace. */
const SEEN_BY_REGISTRIES = 23;

/** One row for each event, with a row between where some are left out. */
function eventRows(run, places, here) {
  const rows = [];
  let before = null;
  for (const at of places) {
    const gap = before === null ? 0 : run.numbers[at] - run.numbers[before] - 1;
    if (gap > 0 && at === before + 1) {
      rows.push(el("tr", { class: "gap" }, el("td", { colspan: 3 }, `${many(gap, "event")} of the trace here are not kept in this page`)));
    }
    rows.push(el("tr", { class: here === at ? "here" : null },
      el("td", { class: "num" }, count(run.numbers[at])),
      el("td", { class: "num" }, instant(run.times[at], 1)),
      el("td", { class: "wide" }, run.eventWords(at))));
    before = at;
  }
  return rows;
}

const EVENT_HEADS = [["event", "num"], ["at", "num"], ["what", "wide"]];

/** The events around an instant: of one node, if it is known whose. */
function around(run, at, node, before = 12, after = 8) {
  const middle = run.eventAt(at + 1);
  const fits = (place) => node === null || run.concerns(place, node);
  const places = [];
  for (let place = middle - 1; place >= 0 && places.length < before; place--) if (fits(place)) places.unshift(place);
  const here = places.at(-1);
  for (let place = middle, more = 0; place < run.many && more < after; place++) {
    if (fits(place)) {
      places.push(place);
      more++;
    }
  }
  return { places, here };
}

class Events {
  constructor(run) {
    this.run = run;
    this.from = 0;
    this.node = null;
    this.kind = "";
    this.body = el("div");
    this.where = el("span", { class: "range", role: "status" });
    this.earlier = el("button", { type: "button", onclick: () => this.turn(-1) }, "Earlier");
    this.later = el("button", { type: "button", onclick: () => this.turn(1) }, "Later");
    const jump = el("input", { type: "text", inputmode: "decimal", size: 9, placeholder: "12.5", "aria-label": "Go to this second of the run" });
    const node = el("input", { type: "text", size: 6, placeholder: "n7", "aria-label": "Only events of this node" });
    const kinds = el("select", { "aria-label": "Only events of this kind" }, el("option", { value: "" }, "every kind"),
      DATA.words.map((words, at) => [words.replace(/\{\d\?([^}]*)\}/g, (_, choice) => choice.split("|").filter(Boolean).join("/")).replace(/\{[a-z]?\d\}/g, "…"), at]).map(([words, at]) => el("option", { value: at }, words.length > 46 ? `${words.slice(0, 45)}…` : words)));
    const form = el("form", { class: "bar", onsubmit: (event) => {
      event.preventDefault();
      const wanted = /^n?(\d+)$/.exec(node.value.trim());
      this.node = wanted ? Number(wanted[1]) : null;
      this.kind = kinds.value;
      this.places = null;
      const seconds = Number.parseFloat(jump.value.replace(",", "."));
      this.from = Number.isFinite(seconds) ? this.placeOf(seconds * 1e6) : 0;
      this.draw();
    } }, el("label", {}, "second ", jump), el("label", {}, "node ", node), kinds, el("button", { type: "submit" }, "Show"), el("span", { class: "push" }), this.earlier, this.later);
    kinds.addEventListener("change", () => form.requestSubmit());
    this.element = el("div", {}, form, this.where, this.body);
    this.draw();
  }

  /** The events that are asked for, by their places. */
  chosen() {
    if (this.places) return this.places;
    const { run, node, kind } = this;
    this.places = [];
    for (let at = 0; at < run.many; at++) {
      if ((kind === "" || run.kinds[at] === Number(kind)) && (node === null || run.concerns(at, node))) this.places.push(at);
    }
    return this.places;
  }

  placeOf(time) {
    const first = this.run.eventAt(time);
    const at = this.chosen().findIndex((place) => place >= first);
    return at < 0 ? Math.max(0, this.chosen().length - PAGE) : at;
  }

  turn(step) {
    this.from = Math.max(0, Math.min(this.from + step * PAGE, this.chosen().length - 1));
    this.draw();
  }

  /** Show what happened at `time`. */
  goTo(time) {
    this.node = null;
    this.kind = "";
    this.places = null;
    this.from = Math.max(0, this.placeOf(time) - 20);
    this.draw();
  }

  draw() {
    const { run } = this;
    const places = this.chosen();
    const page = places.slice(this.from, this.from + PAGE);
    this.earlier.disabled = this.from === 0;
    this.later.disabled = this.from + PAGE >= places.length;
    this.where.textContent = page.length
      ? `${count(this.from + 1)} to ${count(this.from + page.length)} of ${count(places.length)}, from ${instant(run.times[page[0]])} to ${instant(run.times[page.at(-1)])}`
      : "No such event is kept.";
    this.body.replaceChildren(table(EVENT_HEADS, eventRows(run, page)));
  }
}
