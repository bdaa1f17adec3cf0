// Small things that help where script is allowed; every page works without it.
"use strict";

(() => {
  const SIZES = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  const words = (seconds) => {
    let left = Math.floor(Math.abs(seconds));
    const parts = [];
    for (const [size, name] of SIZES) {
      const count = Math.floor(left / size);
      left -= count * size;
      if (count) parts.push(`${count} ${name}`);
      else if (parts.length) break;
      if (parts.length === 2) break;
    }
    const text = parts.join(" ") || "0 s";
    return seconds < 0 ? `${text} ago` : `in ${text}`;
  };

  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[data-local]")) {
      const date = new Date(time.dateTime);
      if (!Number.isNaN(date.getTime())) time.title = `${date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })}, your time`;
    }
  };

  const countdowns = () => {
    for (const mark of document.querySelectorAll("[data-countdown]")) {
      const seconds = (new Date(mark.dataset.countdown).getTime() - Date.now()) / 1000;
      const text = words(seconds);
      if (mark.textContent !== text) mark.textContent = text;
    }
  };

  const copyButtons = (root) => {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.title;
    button.title = "Copied";
    button.classList.add("copied");
    setTimeout(() => { button.title = before; button.classList.remove("copied"); }, 1500);
  });

  // An element with data-poll="seconds" and an id is fetched again from the page it stands on until it no longer asks.
  const poll = (element) => {
    setTimeout(async () => {
      try {
        const answer = await fetch(location.href, { headers: { "X-Requested-With": "poll" } });
        if (answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const fresh = page.getElementById(element.id);
          if (fresh && !element.contains(document.activeElement)) {
            const open = new Set([...element.querySelectorAll("details[open][id]")].map((part) => part.id));
            for (const part of fresh.querySelectorAll("details[id]")) part.open = part.open || open.has(part.id);
            element.replaceWith(fresh);
            element = fresh;
            ready(fresh);
          }
        }
      } catch { /* the next round tries again */ }
      if (element.dataset.poll) poll(element);
    }, Number(element.dataset.poll) * 1000);
  };

  const ready = (root) => { localTimes(root); copyButtons(root); };

  ready(document);
  setInterval(countdowns, 10000);
  for (const element of document.querySelectorAll("[data-poll][id]")) poll(element);
})();
