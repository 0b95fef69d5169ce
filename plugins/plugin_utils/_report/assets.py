# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style sheet and the scripts of the page, which are inside it. Pure."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --link: #0a58ca; --good: #1a7f37; --bad: #b42318; --warn: #8a5a00; --even: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --faint: #9aa4af; --line: #30363d;
  --card: #161b22; --link: #6cb0ff; --good: #4cc366; --bad: #ff7b72; --warn: #e3b341; --even: #131820; } }
* { box-sizing: border-box; } [hidden] { display: none !important; }
body { margin: 0 auto; padding: 1rem; max-width: 84rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 .75rem; } a { color: var(--link); } .faint { color: var(--faint); }
nav a { display: inline-block; padding: .25rem .75rem .25rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0;
  list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; }
.wide { overflow-x: auto; margin: 0 0 1rem; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--faint); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { white-space: nowrap; } tbody tr:nth-child(even) { background: var(--even); }
table.sortable { min-width: 30rem; } #computers { table-layout: fixed; min-width: 77rem; } #computers th:nth-child(1) { width: 13rem; }
#computers th:nth-child(2) { width: 7.5rem; } #computers th:nth-child(3) { width: 11.5rem; } #computers th:nth-child(4) { width: 6rem; }
#computers th:nth-child(5) { width: 4.5rem; } #computers th:nth-child(6) { width: 6.5rem; } #computers th:nth-child(7) { width: 12rem; }
#computers th:nth-child(8) { width: 6rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button::after { content: " \\2195"; color: var(--faint); }
th[aria-sort=ascending] button::after { content: " \\2191"; color: inherit; }
th[aria-sort=descending] button::after { content: " \\2193"; color: inherit; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .5rem 0; }
.controls label { font-size: .85rem; color: var(--faint); }
input, select, .controls button { display: block; font: inherit; color: var(--text); background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: .35rem .6rem; max-width: 100%; min-height: 2.5rem; }
.controls button { cursor: pointer; } .controls button:disabled { opacity: .5; cursor: default; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.js #computers tbody { display: none; } .js #computers.ready tbody { display: table-row-group; }
.sites { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.25rem; align-items: start; }
svg { max-width: 100%; height: auto; } svg.bar { width: 100%; height: 20px; border-radius: 6px; }
svg text { fill: var(--text); font: 13px system-ui, "Segoe UI", Roboto, sans-serif; } svg .strong { font-weight: 600; }
svg .small { font-size: 11.5px; fill: var(--faint); } svg .middle { text-anchor: middle; }
.site { fill: var(--card); stroke: var(--text); } .host { fill: var(--back); stroke: var(--faint); stroke-width: 2; }
.arrow { fill: none; stroke: var(--faint); stroke-width: 1.5; } .way { fill: none; stroke-width: 2; }
.host.answers, .way.answers { stroke: var(--good); } .head.answers { fill: var(--good); }
.host.silent, .way.silent { stroke: var(--bad); stroke-dasharray: 6 3; } .head.silent { fill: var(--bad); }
.host.unseen, .way.unseen { stroke: var(--faint); stroke-dasharray: 2 3; } .head.unseen { fill: var(--faint); }
.line { fill: none; stroke: var(--link); stroke-width: 2; }
.part-good { fill: var(--good); } .part-bad { fill: var(--bad); } .part-warn { fill: var(--warn); } .part-other { fill: var(--faint); }
@media print { :root { color-scheme: light; --back: #fff; --text: #000; --faint: #444; --line: #bbb; --card: #fff; --even: #fff;
  --good: #1a7f37; --bad: #b42318; --warn: #8a5a00; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav, .controls { display: none; } .wide { overflow: visible; }
  tr, svg, .tiles li { break-inside: avoid; } h2 { break-after: avoid; } th button::after { content: "" !important; } }
"""

FIRST_SCRIPT = 'document.documentElement.className = "js";'
"""Before the table of all computers is there: without a script it is shown whole, with one page by page."""

SCRIPT = """
(function () {
  "use strict";
  var order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  function text(row, column) { var cell = row.cells[column]; return cell ? cell.textContent : ""; }
  function sorter(column, number, down) {
    return function (one, other) {
      var left = text(one.row, column), right = text(other.row, column);
      if (left === right) { return one.place - other.place; }
      if (left === "" || right === "") { return left === "" ? 1 : -1; }
      var found = number ? parseFloat(left) - parseFloat(right) : order.compare(left, right);
      return (down ? -found : found) || one.place - other.place;
    };
  }
  function sortable(table, entries, show) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (each) { each.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        entries.sort(sorter(column, head.classList.contains("number"), down));
        show();
      });
    });
  }
  function entries(table) {
    return Array.prototype.map.call(table.tBodies[0].rows, function (row, place) { return { row: row, place: place }; });
  }
  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), function (table) {
    var all = entries(table), body = table.tBodies[0];
    sortable(table, all, function () { all.forEach(function (entry) { body.appendChild(entry.row); }); });
  });
  var table = document.getElementById("computers");
  if (!table) { return; }
  var size = 100, page = 0, all = entries(table), shown = all, body = table.tBodies[0];
  var search = document.getElementById("search"), state = document.getElementById("state"), channel = document.getElementById("channel");
  var back = document.getElementById("back"), next = document.getElementById("next"), place = document.getElementById("place");
  body.textContent = "";
  all.forEach(function (entry) { entry.text = entry.row.textContent.toLowerCase(); });
  function choices(select, column) {
    var counts = new Map();
    all.forEach(function (entry) { var name = text(entry.row, column); counts.set(name, (counts.get(name) || 0) + 1); });
    Array.from(counts.keys()).filter(Boolean).sort(order.compare).slice(0, 100).forEach(function (name) {
      var option = document.createElement("option");
      option.value = name;
      option.textContent = name + " (" + counts.get(name) + ")";
      select.appendChild(option);
    });
  }
  function show() {
    var pages = Math.max(1, Math.ceil(shown.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    var first = page * size, part = shown.slice(first, first + size), rows = document.createDocumentFragment();
    part.forEach(function (entry) { rows.appendChild(entry.row); });
    body.textContent = "";
    body.appendChild(rows);
    place.textContent = shown.length ? (first + 1) + " to " + (first + part.length) + " of " + shown.length : "none of " + all.length;
    back.disabled = page === 0;
    next.disabled = page >= pages - 1;
  }
  function filter() {
    var wanted = search.value.toLowerCase().trim();
    shown = all.filter(function (entry) {
      return (!wanted || entry.text.indexOf(wanted) >= 0) && (!state.value || text(entry.row, 1) === state.value) &&
        (!channel.value || text(entry.row, 3) === channel.value);
    });
    page = 0;
    show();
  }
  choices(state, 1);
  choices(channel, 3);
  sortable(table, all, filter);
  [search, state, channel].forEach(function (control) { control.addEventListener("input", filter); });
  back.addEventListener("click", function () { page -= 1; show(); });
  next.addEventListener("click", function () { page += 1; show(); });
  document.getElementById("controls").hidden = false;
  table.classList.add("ready");
  show();
})();
"""
