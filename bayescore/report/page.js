"use strict";
const words = new Intl.Collator("en", { numeric: true });
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const keys = heads.map(() => null);
  const key = (cell) => {
    const text = (cell.dataset.key ?? cell.textContent).trim();
    return number.test(text) ? parseFloat(text) : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : words.compare(String(a), String(b));
  const sort = (column) => {
    keys[column] ??= new Map(rows.map((row) => [row, key(row.cells[column])]));
    const of = keys[column];
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => {
      const empty = (of.get(a) === "") - (of.get(b) === "");
      return empty || (down ? -1 : 1) * compare(of.get(a), of.get(b));
    });
    body.replaceChildren(...rows);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });
  if (rows.length <= 10) continue;
  const box = document.createElement("div");
  box.className = "filter";
  const label = document.createElement("label");
  const input = document.createElement("input");
  const told = document.createElement("output");
  label.textContent = "Rows with";
  input.type = "search";
  input.id = `${table.id}-filter`;
  label.htmlFor = told.htmlFor = input.id;
  const texts = new Map();
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      if (!texts.has(row)) texts.set(row, [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
      row.hidden = !wanted.every((word) => texts.get(row).includes(word));
      count += !row.hidden;
    }
    told.textContent = wanted.length ? `${count} of ${rows.length} rows` : "";
  });
  box.append(label, input, told);
  table.parentElement.before(box);
}
