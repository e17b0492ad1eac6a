"use strict";
// Everything works without this file: it only shows times in the reader's own zone, and asks once more.
(() => {
  const zone = document.getElementById("time_zone");
  if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

  const day = {weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit"};
  const hour = {hour: "2-digit", minute: "2-digit"};
  for (const time of document.querySelectorAll("time[data-ends]")) {
    const starts = new Date(time.dateTime), ends = new Date(time.dataset.ends);
    time.textContent = `${starts.toLocaleString([], day)}–${ends.toLocaleTimeString([], hour)}`;
  }

  const repeat = document.getElementById("repeat"), until = document.getElementById("until");
  if (repeat && until) {
    const follow = () => { until.required = repeat.value !== "once"; };
    repeat.addEventListener("change", follow);
    follow();
  }

  document.addEventListener("submit", event => {
    const asked = event.submitter?.dataset.confirm;
    if (asked && !window.confirm(asked)) event.preventDefault();
  });
})();
