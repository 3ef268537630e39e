// The findings of a report: search, filters, grouping, a list of any length, and one finding in full.
//
// load() gives the data: {run, rules, resources, findings, fixes}. Findings are rows (see ROW) that point at rules and
// resources by number, since fifty thousand findings repeat few of either. They stand in this file, gzip'd and in base64.
// Texts come from AWS and mean nothing here: they become text nodes, never markup, and what is invisible is shown.
"use strict";

const ROW = {
  id: 0, rule: 1, resource: 2, part: 3, verdict: 4, severity: 5, score: 6, state: 7, first: 8, last: 9,
  why: 10, evidence: 11, lowered: 12, command: 13, savings: 14, opposed: 15, accepted: 16, saved: 17,
};
const RESOURCE = {
  arn: 0, name: 1, kind: 2, type: 3, account: 4, region: 5, environment: 6, source: 7, tags: 8, chain: 9,
};
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const PRINTED = 400;
const MARGIN = 8;

async function load() {
  const text = document.getElementById("data").textContent;
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// ---------------------------------------------------------------------------------------------- text

function visible(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0);
    if (code < 256) return "\\x" + code.toString(16).padStart(2, "0");
    return code < 65536 ? "\\u" + code.toString(16).padStart(4, "0") : "\\U" + code.toString(16).padStart(8, "0");
  });
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null && child !== undefined && child !== "") made.append(child);
  return made;
}

const foreign = (text) => element("bdi", {}, visible(text));
const day = (text) => (text ? text.slice(0, 10) : "");

// --------------------------------------------------------------------------------------------- model

class Findings {
  constructor(data) {
    this.data = data;
    this.rows = data.findings;
    this.hay = new Array(this.rows.length);
  }
  rule(row) { return this.data.rules[row[ROW.rule]]; }
  resource(row) { return this.data.resources[row[ROW.resource]]; }
  name(row) { const held = this.resource(row); return held[RESOURCE.name] || held[RESOURCE.kind]; }
  // What a filter compares, by its name.
  value(row, field) {
    switch (field) {
      case "pillar": return this.rule(row).pillar;
      case "severity": return SEVERITIES[row[ROW.severity]];
      case "rule": return this.rule(row).code;
      case "verdict": return row[ROW.accepted] ? "accepted" : row[ROW.verdict] ? "unknown" : "fail";
      case "state": return row[ROW.state] || "";
      case "environment": case "account": case "region": case "kind": return this.resource(row)[RESOURCE[field]];
      case "resource": return this.resource(row)[RESOURCE.arn] || this.name(row);
      default: return "";
    }
  }
  text(index) {
    if (this.hay[index] === undefined) {
      const row = this.rows[index], rule = this.rule(row), held = this.resource(row);
      const tags = Object.entries(held[RESOURCE.tags]).flat().join("\n");
      const evidence = row[ROW.evidence].map((each) => each[1] + "=" + JSON.stringify(each[2])).join("\n");
      this.hay[index] = [
        rule.code, rule.name, rule.title, held[RESOURCE.name], held[RESOURCE.arn], held[RESOURCE.kind], row[ROW.part],
        row[ROW.why], row[ROW.id], tags, evidence,
      ].join("\n").toLowerCase();
    }
    return this.hay[index];
  }
  select(wanted) {
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(wanted.filters).filter(([, value]) => value !== "");
    const fix = wanted.fix === "" ? null : new Set((this.data.fixes[Number(wanted.fix)] || { findings: [] }).findings);
    const found = [];
    for (let index = 0; index < this.rows.length; index += 1) {
      const row = this.rows[index];
      if (fix && !fix.has(row[ROW.id])) continue;
      if (!chosen.every(([field, value]) => String(this.value(row, field)) === value)) continue;
      if (words.length && !words.every((word) => this.text(index).includes(word))) continue;
      found.push(index);
    }
    return this.sorted(found, wanted.sort);
  }
  sorted(found, by) {
    const text = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const order = {
      severity: (a, b) => a[ROW.severity] - b[ROW.severity] || b[ROW.score] - a[ROW.score],
      rule: (a, b) => text(this.rule(a).code, this.rule(b).code),
      resource: (a, b) => text(this.name(a), this.name(b)),
      first: (a, b) => text(b[ROW.first] || "", a[ROW.first] || ""),
      savings: (a, b) => b[ROW.saved] - a[ROW.saved],
    }[by];
    // The file holds them by score; sorting keeps that order among equals.
    return order ? found.sort((a, b) => order(this.rows[a], this.rows[b]) || a - b) : found;
  }
  grouped(found, by, closed) {
    if (!by) return found.map((index) => ({ index }));
    const groups = new Map();
    for (const index of found) {
      const key = this.value(this.rows[index], by);
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(index);
    }
    const lines = [];
    for (const [key, members] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
      const shut = closed.has(key);
      const title = by === "rule" ? key + " " + this.rule(this.rows[members[0]]).title
        : by === "resource" ? this.name(this.rows[members[0]]) : key;
      lines.push({ key, title, size: members.length, shut });
      if (!shut) for (const index of members) lines.push({ index });
    }
    return lines;
  }
}

// ---------------------------------------------------------------------------------------------- list

class List {
  constructor(findings, box, sizer, open) {
    Object.assign(this, { findings, box, sizer, open, lines: [], active: -1, drawn: new Map() });
    this.toggle = () => {};
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("focus", () => { if (this.active < 0 && this.lines.length) this.activate(0); });
    sizer.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) { this.activate(Number(row.dataset.line), false); this.enter(); }
    });
    new ResizeObserver(() => this.draw(true)).observe(box);
  }
  get height() { return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")); }
  show(lines) {
    this.lines = lines;
    this.active = Math.min(this.active, lines.length - 1);
    this.box.scrollTop = 0;
    this.active = -1;
    this.box.removeAttribute("aria-activedescendant");
    this.draw(true);
  }
  draw(again = false) {
    const height = this.height, box = this.box;
    if (again) { this.sizer.replaceChildren(); this.drawn.clear(); this.sizer.style.height = this.lines.length * height + "px"; }
    const first = Math.max(0, Math.floor(box.scrollTop / height) - MARGIN);
    const last = Math.min(this.lines.length, Math.ceil((box.scrollTop + box.clientHeight) / height) + MARGIN);
    for (const [line, row] of this.drawn) if (line < first || line >= last) { row.remove(); this.drawn.delete(line); }
    for (let line = first; line < last; line += 1) {
      if (this.drawn.has(line)) continue;
      const row = this.row(line);
      row.style.transform = "translateY(" + line * height + "px)";
      this.drawn.set(line, row);
      this.sizer.append(row);
    }
  }
  row(line) {
    const held = this.lines[line];
    const attributes = {
      class: "row" + (line === this.active ? " active" : ""), role: "option", id: "line-" + line, "data-line": line,
      "aria-selected": line === this.active ? "true" : "false", "aria-setsize": this.lines.length, "aria-posinset": line + 1,
    };
    if (held.index === undefined) {
      attributes.class += " header";
      return element("div", attributes, element("span", {}, foreign(held.title || "none")),
        element("span", { class: "marks" }, held.size + (held.size === 1 ? " finding" : " findings") + (held.shut ? ", closed" : "")));
    }
    const found = this.findings, row = found.rows[held.index], place = found.resource(row);
    attributes["data-id"] = row[ROW.id];
    const severity = SEVERITIES[row[ROW.severity]];
    const verdict = found.value(row, "verdict");
    const part = row[ROW.part] ? [" ", element("span", { class: "kind" }, "[", foreign(row[ROW.part]), "]")] : [];
    return element("div", attributes,
      element("span", { class: "points" }, verdict === "unknown" ? "–" : String(row[ROW.score])),
      element("span", { class: "severity " + severity }, severity),
      element("span", { class: "code" }, found.rule(row).code),
      element("span", { class: "what" },
        element("span", {}, element("span", { class: "name" }, foreign(found.name(row))), ...part,
          element("span", { class: "kind" }, " " + place[RESOURCE.kind] + ", " + place[RESOURCE.region])),
        element("span", { class: "why" }, foreign(row[ROW.why]))),
      element("span", { class: "marks" },
        verdict !== "fail" ? element("span", { class: "state " + verdict }, verdict) : null,
        row[ROW.state] && row[ROW.state] !== verdict ? element("span", { class: "state " + row[ROW.state] }, row[ROW.state]) : null,
        element("span", {}, place[RESOURCE.environment])));
  }
  activate(line, scroll = true) {
    const mark = (number, on) => {
      const row = this.drawn.get(number);
      if (row) { row.classList.toggle("active", on); row.setAttribute("aria-selected", on ? "true" : "false"); }
    };
    mark(this.active, false);
    this.active = Math.max(0, Math.min(line, this.lines.length - 1));
    const height = this.height, top = this.active * height, box = this.box;
    if (scroll) {
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
    }
    this.draw();
    mark(this.active, true);
    box.setAttribute("aria-activedescendant", "line-" + this.active);
  }
  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!this.lines.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) this.activate(this.active < 0 ? 0 : this.active + steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") { if (this.active < 0) this.activate(0); this.enter(); } else return;
    event.preventDefault();
  }
  enter() {
    const held = this.lines[this.active];
    if (held.index === undefined) this.toggle(held.key);
    else this.open(held.index);
  }
}

// -------------------------------------------------------------------------------------------- detail

function said(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function facts(pairs) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of pairs) if (value) list.append(element("dt", {}, name), element("dd", {}, value));
  return list;
}

function section(title, ...children) {
  return [element("h4", {}, title), ...children];
}

function copyButton(text, announce) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea", { readonly: true });
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    announce("Copied the command.");
    button.focus();
  });
  return button;
}

function detail(findings, index) {
  const row = findings.rows[index], rule = findings.rule(row), place = findings.resource(row);
  const severity = SEVERITIES[row[ROW.severity]], verdict = findings.value(row, "verdict");
  const status = element("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const close = element("button", { type: "button", class: "close" }, "Close");
  const body = [close, element("h3", { id: "detail-title" }, element("span", { class: "code" }, rule.code), " ", foreign(findings.name(row)))];
  close.addEventListener("click", () => document.getElementById("detail").close());
  const marks = element("p", { class: "changes" }, element("span", { class: "severity " + severity }, severity));
  if (verdict !== "fail") marks.append(element("span", { class: "state " + verdict }, verdict));
  if (row[ROW.state] && row[ROW.state] !== verdict) marks.append(element("span", { class: "state " + row[ROW.state] }, row[ROW.state]));
  body.push(marks, element("p", { class: "lead" }, foreign(row[ROW.why])), element("p", { class: "hint" }, rule.title));
  if (row[ROW.evidence].length) {
    const table = element("tbody");
    for (const [operation, field, value] of row[ROW.evidence]) {
      table.append(element("tr", {}, element("th", { scope: "row" }, foreign(field)), element("td", {}, foreign(said(value))),
        element("td", { class: "codes" }, operation)));
    }
    const head = element("thead", {}, element("tr", {}, ...["Field", "Value", "Read by"].map((name) => element("th", { scope: "col" }, name))));
    body.push(...section("Evidence", element("div", { class: "scroll" }, element("table", {}, head, table))));
  }
  if (place[RESOURCE.chain].length) body.push(...section("Serves", element("p", {}, foreign(place[RESOURCE.chain].join(" > ")))));
  for (const each of row[ROW.opposed]) body.push(...section("To be weighed", element("p", {}, each.rule + " says: ", foreign(each.why), "; " + each.weigh)));
  if (row[ROW.savings].length) body.push(...section("Saves a month", ...row[ROW.savings].map((text) => element("p", {}, foreign(text)))));
  if (verdict !== "unknown") {
    body.push(...section("Fix (" + rule.change + ")", element("p", {}, rule.remedy)));
    if (row[ROW.command]) {
      const text = row[ROW.command];
      body.push(element("div", { class: "command-box" }, element("code", { class: "command" }, foreign(text)),
        copyButton(text, (words) => { status.textContent = words; })));
    }
  }
  if (row[ROW.accepted]) body.push(...section("Accepted until " + row[ROW.accepted][1], element("p", {}, foreign(row[ROW.accepted][0]))));
  const lowered = row[ROW.lowered].length ? "from " + rule.severity + ": " + visible(row[ROW.lowered].join("; ")) : "";
  body.push(...section("Resource", facts([
    ["ARN", place[RESOURCE.arn] ? foreign(place[RESOURCE.arn]) : ""], ["Part", row[ROW.part] ? foreign(row[ROW.part]) : ""],
    ["Kind", place[RESOURCE.type] ? place[RESOURCE.kind] + " (" + place[RESOURCE.type] + ")" : place[RESOURCE.kind]],
    ["Account", place[RESOURCE.account]], ["Region", place[RESOURCE.region]],
    ["Environment", place[RESOURCE.environment] + (place[RESOURCE.source] ? " (" + visible(place[RESOURCE.source]) + ")" : "")],
    ["Score", verdict === "unknown" ? "none" : String(row[ROW.score])], ["Lowered", lowered],
    ["First seen", day(row[ROW.first])], ["Last seen", day(row[ROW.last])], ["Finding", row[ROW.id]],
  ])));
  const tags = Object.entries(place[RESOURCE.tags]);
  if (tags.length) body.push(...section("Tags", element("ul", { class: "tags" }, ...tags.map(([key, value]) => element("li", {}, foreign(key + "=" + value))))));
  const links = element("ul", { class: "maps" }, element("li", {}, element("a", { href: "#rule-" + rule.code }, "why " + rule.code + " asks for this")));
  for (const [standard, id, title, url] of rule.maps) {
    const name = standard + " " + id;
    const link = url && url.startsWith("https://") ? element("a", { href: url, rel: "noreferrer noopener" }, name) : name;
    links.append(element("li", {}, link, title && title !== id ? " " + title : ""));
  }
  links.addEventListener("click", (event) => { if (event.target.hash) document.getElementById("detail").close(); });
  body.push(...section("References", links), status);
  return body;
}

// ---------------------------------------------------------------------------------------------- page

const FIELDS = [
  ["pillar", "Pillar"], ["severity", "Severity"], ["rule", "Rule"], ["environment", "Environment"], ["account", "Account"],
  ["region", "Region"], ["kind", "Kind"], ["state", "State"], ["verdict", "Verdict"],
];

class Page {
  constructor(findings) {
    this.findings = findings;
    this.wanted = { q: "", sort: "score", group: "", fix: "", filters: {} };
    this.closed = new Set();
    const by = (id) => document.getElementById(id);
    Object.assign(this, { form: by("filters"), search: by("search"), sort: by("sort"), group: by("group"), count: by("count"), none: by("none"), dialog: by("detail") });
    this.list = new List(findings, by("list"), by("sizer"), (index) => this.open(index));
    this.list.toggle = (key) => { this.closed.has(key) ? this.closed.delete(key) : this.closed.add(key); this.show(); };
    this.selects = new Map();
    for (const [field, title] of FIELDS) this.offer(field, title, by("selects"));
    this.listen();
    this.read();
    by("filters").hidden = false;
    for (const button of document.querySelectorAll("[data-filter]")) { button.hidden = false; button.disabled = false; }
  }
  offer(field, title, parent) {
    const counts = new Map();
    for (const row of this.findings.rows) {
      const value = String(this.findings.value(row, field));
      counts.set(value, (counts.get(value) || 0) + 1);
    }
    counts.delete("");
    this.wanted.filters[field] = "";
    if (counts.size < 2) return;
    const rank = (value) => { const place = SEVERITIES.indexOf(value); return place < 0 ? value : String(place); };
    const select = element("select", { "data-field": field }, element("option", { value: "" }, "all"));
    for (const [value, number] of [...counts].sort((a, b) => (rank(a[0]) < rank(b[0]) ? -1 : 1))) {
      select.append(element("option", { value }, visible(value) + " (" + number + ")"));
    }
    parent.insertBefore(element("label", {}, title, select), document.getElementById("sorting"));
    this.selects.set(field, select);
    select.addEventListener("change", () => { this.wanted.filters[field] = select.value; this.changed(); });
  }
  listen() {
    let timer = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { this.wanted.q = this.search.value; this.changed(); }, 70);
    });
    this.sort.addEventListener("change", () => { this.wanted.sort = this.sort.value; this.changed(); });
    this.group.addEventListener("change", () => { this.wanted.group = this.group.value; this.closed.clear(); this.changed(); });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", (event) => { event.preventDefault(); this.clear(); this.changed(); });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-filter]");
      if (!button) return;
      const [field, value] = button.dataset.filter.split("=");
      this.clear();
      if (field === "fix") this.wanted.fix = value;
      else this.wanted.filters[field] = value;
      this.changed();
      document.getElementById("findings").scrollIntoView();
      document.getElementById("list").focus({ preventScroll: true });
    });
    window.addEventListener("hashchange", () => this.read());
    window.addEventListener("beforeprint", () => this.print());
    window.addEventListener("afterprint", () => document.getElementById("print").replaceChildren());
  }
  clear() {
    Object.assign(this.wanted, { q: "", sort: "score", group: "", fix: "" });
    for (const field of Object.keys(this.wanted.filters)) this.wanted.filters[field] = "";
  }
  // The filters stand behind the page's address, so that a link keeps them.
  read() {
    const hash = location.hash.slice(1);
    if (hash.startsWith("rule-")) {
      const rule = document.getElementById(hash);
      if (rule) { rule.closest("details").open = true; rule.scrollIntoView(); }
    } else if (hash.startsWith("?")) {
      this.clear();
      for (const [name, value] of new URLSearchParams(hash.slice(1))) {
        if (name in this.wanted.filters) this.wanted.filters[name] = value;
        else if (["q", "sort", "group", "fix"].includes(name)) this.wanted[name] = value;
      }
    }
    this.show();
  }
  changed() {
    const held = new URLSearchParams();
    for (const name of ["q", "sort", "group", "fix"]) {
      if (this.wanted[name] && !(name === "sort" && this.wanted.sort === "score")) held.set(name, this.wanted[name]);
    }
    for (const [name, value] of Object.entries(this.wanted.filters)) if (value) held.set(name, value);
    const text = held.toString();
    history.replaceState(null, "", text ? "#?" + text : location.pathname + location.search);
    this.show();
  }
  show() {
    const wanted = this.wanted;
    if (this.search.value !== wanted.q) this.search.value = wanted.q;
    this.sort.value = wanted.sort;
    this.group.value = wanted.group;
    for (const [field, select] of this.selects) select.value = wanted.filters[field];
    this.found = this.findings.select(wanted);
    const lines = this.findings.grouped(this.found, wanted.group, this.closed);
    const all = this.findings.rows.length;
    const fix = wanted.fix === "" ? "" : " of one change";
    this.count.textContent = (this.found.length === all ? all : this.found.length + " of " + all) + " findings" + fix;
    this.none.hidden = this.found.length > 0;
    document.getElementById("list").hidden = !this.found.length;
    this.list.show(lines);
  }
  open(index) {
    document.getElementById("detail-body").replaceChildren(...detail(this.findings, index));
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }
  print() {
    const box = document.getElementById("print"), found = this.found.slice(0, PRINTED);
    box.replaceChildren();
    for (const index of found) {
      const row = this.findings.rows[index], rule = this.findings.rule(row), place = this.findings.resource(row);
      box.append(element("article", {},
        element("p", {}, element("strong", {}, row[ROW.score] + " " + SEVERITIES[row[ROW.severity]] + " " + rule.code + " "), foreign(this.findings.name(row)),
          " (" + place[RESOURCE.kind] + ", " + place[RESOURCE.region] + ")"),
        element("p", {}, foreign(row[ROW.why])),
        element("p", {}, rule.remedy)));
    }
    const left = this.found.length - found.length;
    if (left > 0) box.append(element("p", {}, left + " more findings are not printed: narrow the filters."));
  }
}

function themes() {
  const button = document.getElementById("theme"), names = ["auto", "light", "dark"];
  let held = "auto";
  try { held = localStorage.getItem("auditor-theme") || "auto"; } catch { /* a file may have no storage */ }
  const set = (name) => {
    held = names.includes(name) ? name : "auto";
    if (held === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = held;
    button.textContent = "Theme: " + held;
    try { localStorage.setItem("auditor-theme", held); } catch { /* it holds for this visit */ }
  };
  button.addEventListener("click", () => set(names[(names.indexOf(held) + 1) % names.length]));
  button.hidden = false;
  set(held);
}

themes();
load().then((data) => { window.auditor = new Page(new Findings(data)); }, () => {
  const count = document.getElementById("count");
  count.textContent = "The findings cannot be shown: this browser is too old, or the file is damaged.";
});
