"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // Light, dark, or as the system has it; remembered where the browser lets a file do so.
  const themes = ["", "light", "dark"];
  let theme = "";
  const setTheme = (chosen) => {
    theme = themes.includes(chosen) ? chosen : "";
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = `Theme: ${theme || "system"}`;
    try { localStorage.setItem("theme", theme); } catch { /* not kept */ }
  };
  let kept = "";
  try { kept = localStorage.getItem("theme"); } catch { /* nothing kept */ }
  setTheme(kept);
  $("theme").hidden = false;
  $("theme").onclick = () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);

  // Tables: a click on a heading sorts, the next one the other way round, the third undoes it.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? NaN : Number(value);
  };
  const compare = (column, direction, numbers) => (one, other) => {
    if (!numbers) {
      const [a, b] = [one, other].map((row) => row.cells[column].textContent);
      return direction * a.localeCompare(b, undefined, { numeric: true });
    }
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    return isNaN(a) - isNaN(b) || direction * (a - b); // what has no value is last
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    if (original.length < 2) return;
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const numbers = original.some((row) => !isNaN(valueOf(row, column)));
      const [first, second] = numbers ? ["descending", "ascending"] : ["ascending", "descending"];
      const button = make("button", { type: "button" }, ...heading.childNodes);
      heading.append(button);
      button.onclick = () => {
        const was = heading.ariaSort;
        headings.forEach((each) => each.removeAttribute("aria-sort"));
        if (was === second) return body.append(...original);
        heading.ariaSort = was === first ? second : first;
        const direction = heading.ariaSort === "ascending" ? 1 : -1;
        body.append(...[...original].sort(compare(column, direction, numbers)));
      };
    });
  };
  document.querySelectorAll(".measured table").forEach(sortable);

  // The detail of the figure under the pointer or the finger.
  const tip = make("div", { id: "tip", hidden: true, ariaHidden: "true" });
  document.body.append(tip);
  const hideTip = () => { tip.hidden = true; };
  document.addEventListener("pointerover", ({ target }) => {
    const cell = target.closest?.("td, th");
    const detail = cell?.querySelector(".detail");
    if (!detail || detail.offsetParent) return hideTip();
    tip.textContent = detail.textContent;
    tip.hidden = false;
    const place = cell.getBoundingClientRect();
    const above = place.top - tip.offsetHeight - 4;
    tip.style.top = `${above < 0 ? place.bottom + 4 : above}px`;
    const left = Math.min(place.left, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
  });
  document.addEventListener("scroll", hideTip, true);
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hideTip(); });

  // Charts: the line of the name under the pointer stands out.
  document.querySelectorAll(".chart").forEach((chart) => {
    const lines = chart.querySelectorAll(".line");
    chart.querySelectorAll(".legend li").forEach((item, number) => {
      item.onpointerenter = () => {
        chart.classList.add("picking");
        lines[number].classList.add("picked");
      };
      item.onpointerleave = () => {
        chart.classList.remove("picking");
        lines[number].classList.remove("picked");
      };
    });
  });

  if ($("outcomes")) questions(JSON.parse($("outcomes").textContent));

  function questions({ systems, texts, questions: asked }) {
    const RIGHT = 0.5;
    const PAGE = 50;
    const all = asked.map(([id, question, expected, scores, given], number) => {
      const told = given.map((text) => (text === null ? "" : texts[text]));
      const searched = [id, question, expected, ...told].join("\n").toLowerCase();
      return { number, id, question, expected, scores, told, searched };
    });
    const one = systems.length < 2;
    const shows = one
      ? { all: "all questions", right: "right (0.5 or more)", wrong: "wrong (below 0.5)" }
      : {
          all: "all questions", differ: "where systems differ",
          right: "all right (0.5 or more)", wrong: "all wrong (below 0.5)",
        };
    const orders = one
      ? { asked: "as asked", worst: "lowest score first", best: "highest score first" }
      : {
          asked: "as asked", differ: "largest difference first",
          worst: "lowest mean first", best: "highest mean first",
        };
    const fill = (select, options) =>
      select.replaceChildren(...options.map(([value, text]) => make("option", { value, text })));
    fill($("show"), Object.entries(shows));
    fill($("order"), Object.entries(orders));
    fill($("first"), [["", "all systems"], ...systems.entries()]);
    fill($("second"), [...systems.entries()]);
    $("first").parentElement.hidden = $("second").parentElement.hidden = systems.length < 3;
    $("second").disabled = true;

    let found = [];
    let shown = 0;
    const chosen = () =>
      $("first").value === ""
        ? systems.map((_, number) => number)
        : [Number($("first").value), Number($("second").value)];
    const scoresOf = (question) =>
      chosen().map((system) => question.scores[system]).filter((score) => score !== null);
    const mean = (scores) => scores.reduce((sum, score) => sum + score, 0) / (scores.length || 1);
    const spread = (scores) => (scores.length ? Math.max(...scores) - Math.min(...scores) : 0);
    const ahead = (scores) => // of two systems, how far the first is ahead of the second
      chosen().length === 2 && scores.length === 2 ? scores[0] - scores[1] : spread(scores);
    const passes = {
      all: () => true,
      differ: (scores) => spread(scores) > 0,
      right: (scores) => scores.length && scores.every((score) => score >= RIGHT),
      wrong: (scores) => scores.length && scores.every((score) => score < RIGHT),
    };
    const keys = { asked: () => 0, differ: (s) => -ahead(s), worst: mean, best: (s) => -mean(s) };

    const strip = (question) =>
      make("span", { className: "strip", ariaHidden: "true" },
        ...chosen().map((system) => {
          const score = question.scores[system];
          const className =
            score === null ? "none" : score >= 0.75 ? "full" : score >= 0.25 ? "half" : "";
          return make("i", { className, title: `${systems[system]}: ${score ?? "not asked"}` });
        }));
    const outcome = (question) => {
      const scores = scoresOf(question);
      if (chosen().length < 3) return scores.map((score) => score.toFixed(2)).join(" / ");
      return `${scores.filter((score) => score >= RIGHT).length} of ${scores.length} right`;
    };
    const given = (question) => {
      const row = (system) => {
        const score = question.scores[system];
        return make("tr", {},
          make("th", { scope: "row", textContent: systems[system] }),
          make("td", {
            className: score >= RIGHT ? "right" : "",
            textContent: score === null ? "–" : score.toFixed(2),
          }),
          make("td", { textContent: question.told[system] || "–" }));
      };
      const heading = (text) => make("th", { scope: "col", textContent: text });
      const table = make("table", {},
        make("caption", { className: "unseen", textContent: "What each system gave" }),
        make("thead", {}, make("tr", {}, ...["System", "Score", "Gave"].map(heading))),
        make("tbody", {}, ...systems.map((_, system) => row(system))));
      const region = make("div", { className: "scroll", tabIndex: 0, role: "region" }, table);
      region.ariaLabel = `What each system gave for question ${question.id}`;
      return make("div", { className: "given" },
        make("p", { textContent: `Expected: ${question.expected || "–"}` }),
        make("p", { textContent: `Id: ${question.id}` }),
        region);
    };
    const item = (question) => {
      const details = make("details", { className: "question" },
        make("summary", {},
          make("span", { className: "asked", textContent: question.question || question.id }),
          make("span", { className: "outcome" },
            ...(chosen().length < 3 ? [] : [strip(question)]), outcome(question))));
      details.addEventListener("toggle", () => details.append(given(question)), { once: true });
      return details;
    };
    const showMore = () => {
      $("list").append(...found.slice(shown, shown + PAGE).map(item));
      shown = Math.min(found.length, shown + PAGE);
      $("more").hidden = shown === found.length;
      $("more").textContent = `Show more (${(found.length - shown).toLocaleString("en")} left)`;
    };
    const update = () => {
      $("second").disabled = $("first").value === "";
      const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const key = keys[$("order").value];
      found = all
        .filter(({ searched }) => words.every((word) => searched.includes(word)))
        .map((question) => ({ question, scores: scoresOf(question) }))
        .filter(({ scores }) => passes[$("show").value](scores))
        .map(({ question, scores }) => ({ question, key: key(scores) }))
        .sort((a, b) => a.key - b.key || a.question.number - b.question.number)
        .map(({ question }) => question);
      shown = 0;
      $("list").replaceChildren();
      $("count").textContent =
        `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} questions`;
      showMore();
    };
    $("choose").onsubmit = (event) => event.preventDefault();
    $("choose").oninput = (event) => {
      if (event.target === $("first") && $("first").value === $("second").value) {
        $("second").value = $("first").value === "0" ? "1" : "0";
      }
      update();
    };
    $("more").onclick = () => {
      const next = shown;
      showMore();
      $("list").children[next]?.querySelector("summary").focus();
    };
    $("choose").hidden = false;
    update();
  }
})();
