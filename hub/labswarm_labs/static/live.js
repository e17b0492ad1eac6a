"use strict";
// Shows a class, and follows it by server-sent events. Only rows that have changed are touched.
(() => {
  const script = document.currentScript;
  const byId = id => document.getElementById(id);
  const rows = new Map();
  let shown = null, seen = null;

  const ago = since => {
    if (since === null) return "";
    const seconds = Math.max(0, Date.now() / 1000 - since);
    return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  };
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  const titles = {};
  for (const button of document.querySelectorAll("button[data-state]")) {
    titles[button.dataset.state] = button.firstChild.textContent.trim();
    button.addEventListener("click", () => {
      shown = shown === button.dataset.state ? null : button.dataset.state;
      for (const other of document.querySelectorAll("button[data-state]"))
        other.setAttribute("aria-pressed", String(other.dataset.state === shown));
      filter();
    });
  }

  const rowOf = student => {
    let row = rows.get(student.name);
    if (!row) {
      row = byId("student").content.firstElementChild.cloneNode(true);
      row.cells[0].textContent = student.name;
      for (const field of row.querySelectorAll("[name=student]")) field.value = student.name;
      for (const button of row.querySelectorAll("button"))
        button.setAttribute("aria-label", `${button.textContent} the server of ${student.name}`);
      rows.set(student.name, row);
      byId("students").append(row);
    }
    return row;
  };

  const filter = () => {
    for (const student of seen.students)
      rowOf(student).hidden = shown !== null && student.state !== shown;
  };

  const nodeRow = node => {
    const row = document.createElement("tr");
    for (const text of [node.name, node.state, `${node.used} of ${node.seats}`])
      row.append(Object.assign(document.createElement("td"), {textContent: text}));
    row.cells[2].className = "number";
    return row;
  };

  const show = now => {
    const before = seen;
    seen = now;
    put(byId("used"), String(now.used));
    put(byId("free"), String(Math.max(0, now.seats - now.used)));
    put(byId("coming"), now.coming ? `${now.coming}, within ${Math.round(now.start_s)} s` : "0");
    put(byId("waiting"), now.waiting ? `${now.waiting}, for ${ago(now.waiting_since)}` : "0");
    const names = new Set(now.students.map(student => student.name));
    for (const [name, row] of rows) if (!names.has(name)) { row.remove(); rows.delete(name); }
    const counts = {};
    for (const student of now.students) {
      counts[student.state] = (counts[student.state] || 0) + 1;
      const row = rowOf(student);
      put(row.cells[1], titles[student.state]);
      row.dataset.state = student.state;
      for (const form of row.cells[4].children) form.hidden = student.state === "absent";
    }
    for (const button of document.querySelectorAll("button[data-state]"))
      put(button.querySelector(".count"), `(${counts[button.dataset.state] || 0})`);
    if (!before || JSON.stringify(before.nodes) !== JSON.stringify(now.nodes))
      byId("nodes").replaceChildren(...now.nodes.map(nodeRow));
    if (!before || (before.waiting === 0) !== (now.waiting === 0))
      put(byId("news"), now.waiting ? `${now.waiting} students wait for a seat.` : "Nobody waits.");
    filter();
    clock();
  };

  const clock = () => {
    for (const student of seen.students) {
      const row = rowOf(student);
      put(row.cells[2], ago(student.since));
      put(row.cells[3], student.state === "running" ? ago(student.idle_since) : "");
    }
  };

  show(JSON.parse(byId("class").textContent));
  setInterval(clock, 10000);
  const events = new EventSource(script.dataset.events);
  events.onmessage = event => show(JSON.parse(event.data));
})();
