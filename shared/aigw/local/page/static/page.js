// What the page does beyond htmx: copying, the Live button, which rows are new, and where the focus goes.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const rows = () => [...document.querySelectorAll("#logs [data-log]")];
  let live = true;
  let missed = false;
  let opener = "";
  let known = new Set(rows().map((row) => row.dataset.log));

  const say = (text) => { byId("news").textContent = text; };
  const isLive = (event) => ["sse:logs", "refresh"].includes(event.detail.requestConfig?.triggeringEvent?.type);

  function catchUp() {
    if (!missed || !live || document.hidden) return;
    missed = false;
    htmx.trigger("#logs", "refresh");
  }

  function markNew(announced) {
    const fresh = rows().filter((row) => !known.has(row.dataset.log));
    known = new Set([...known, ...fresh.map((row) => row.dataset.log)]);
    if (!announced || !fresh.length) return;
    fresh.forEach((row) => row.classList.add("new"));
    say(fresh.length === 1 ? "1 new log" : `${fresh.length} new logs`);
  }

  function showOpen() {
    const open = document.querySelector("#detail [name=log]")?.value;
    for (const row of rows()) {
      const link = byId(`log-${row.dataset.log}`);
      if (row.dataset.log === open) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    return open;
  }

  function moveFocus() {
    const open = showOpen();
    if (open) {
      opener = `log-${open}`;
      byId("detail").scrollTop = 0;
    }
    (byId("log-title") ?? byId(opener) ?? byId("logs")).focus();
  }

  async function copy(button) {
    const text = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.value);
    } catch {
      text.closest("details")?.setAttribute("open", "");
      text.select();
      say("Selected: copy it with the keyboard");
      return;
    }
    const label = button.textContent;
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("#picker") === null) byId("picker")?.removeAttribute("open");
  });

  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, select, textarea");
    if (event.key === "Escape" && byId("picker")?.open) {
      byId("picker").open = false;
      byId("picker").querySelector("summary").focus();
    } else if (event.key === "Escape" && !writes) {
      document.querySelector("#detail .close")?.click();
    } else if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.querySelector("#filters [name=model]").focus();
    }
  });

  byId("live").addEventListener("click", (event) => {
    live = !live;
    event.currentTarget.setAttribute("aria-pressed", String(live));
    say(live ? "" : "Paused");
    catchUp();
  });

  document.addEventListener("visibilitychange", catchUp);

  const narrow = matchMedia("(max-width: 600px)");
  const isFiltered = [...byId("filters").elements].some((field) => field.type !== "hidden" && field.value);
  const fold = () => { byId("filter-box").open = !narrow.matches || isFiltered; };
  narrow.addEventListener("change", fold);
  fold();

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id !== "logs" || !isLive(event) || (live && !document.hidden)) return;
    missed = true;
    event.preventDefault();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "logs") markNew(isLive(event));
    if (event.detail.target.id === "detail") moveFocus();
  });

  document.addEventListener("htmx:sseOpen", () => { document.body.classList.remove("cut-off"); });
  document.addEventListener("htmx:sseError", () => { document.body.classList.add("cut-off"); });
  document.addEventListener("htmx:sendError", () => say("The gateway does not answer"));
  document.addEventListener("htmx:responseError", (event) => say(`Refused: status ${event.detail.xhr.status}`));
})();
