// Comforts on top of pages that work without them. Nothing here decides anything.
"use strict";

// Shows a sentence in the notice area; it is text, never mark-up.
const notices = () => document.getElementById("notices");
function notify(text, link) {
  const area = notices();
  if (!area) return;
  const box = document.createElement("div");
  box.className = "alert tg-notice tg-notice-bad";
  const said = document.createElement("span");
  said.textContent = text;
  box.append(said);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.label;
    if (link.apart) {
      anchor.target = "_blank";
      anchor.rel = "noopener";
    }
    box.append(anchor);
  }
  area.replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}

const release = (form) => {
  form.removeAttribute("data-sent");
  for (const button of form.querySelectorAll("[data-held]")) {
    button.removeAttribute("data-held");
    button.removeAttribute("aria-disabled");
  }
};

// A form is sent once: a second press while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || event.defaultPrevented) return;
  if (form.hasAttribute("data-sent")) {
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  form.removeAttribute("data-changed");
  if (form.method !== "post") return;
  form.setAttribute("data-sent", "");
  for (const button of form.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-disabled", "true");
    button.setAttribute("data-held", "");
  }
}, true);

// The back button shows the page as it was left: its forms can be sent again.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

// What was typed and not sent is not lost without asking.
addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-guard][data-changed]")) event.preventDefault();
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) form.setAttribute("data-changed", "");
});

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches("[data-select-all]")) {
    const table = target.closest("table, form");
    for (const box of table.querySelectorAll("input[type=checkbox]:not([data-select-all])")) {
      if (!box.disabled) box.checked = target.checked;
    }
    return;
  }
  const form = target.closest("form[data-autosubmit]");
  if (form && target.matches("select, input[type=date], input[type=checkbox], input[type=radio]")) form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset.copy).then(() => {
      copy.classList.add("tg-copied");
      const word = copy.querySelector("span");
      const before = copy.getAttribute("aria-label");
      if (word) word.textContent = "Copied";
      else copy.setAttribute("aria-label", "Copied");
      setTimeout(() => {
        copy.classList.remove("tg-copied");
        if (word) word.textContent = "Copy";
        else copy.setAttribute("aria-label", before);
      }, 2000);
    }, () => notify("The browser does not let this page copy; mark the text and copy it yourself."));
    return;
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog && dialog.showModal) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest("[data-closes-dialog]");
  const open = closer && closer.closest("dialog[open]");
  if (open) {
    event.preventDefault();
    open.close();
    return;
  }
  // Menus close when one looks elsewhere.
  for (const menu of document.querySelectorAll("details[data-closes][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-closes][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// "3 days ago" stays true while the page stays open. The clock is the reader's; what it says is a help beside the time.
const spans = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
function relative(at) {
  const past = Math.floor((Date.now() - at) / 1000);
  const far = Math.abs(past);
  const [unit, size] = spans.find(([, size]) => far >= size) || [];
  if (!unit) return "just now";
  const many = Math.floor(far / size);
  const words = `${many} ${unit}${many === 1 ? "" : "s"}`;
  return past > 0 ? `${words} ago` : `in ${words}`;
}
function refresh() {
  if (document.documentElement.dataset.now === "fixed") return;
  for (const time of document.querySelectorAll("time.tg-when small, time.tg-since")) {
    const at = Date.parse(time.closest("time").dateTime);
    if (!Number.isNaN(at)) time.textContent = relative(at);
  }
}

// What needs script is hidden without it.
function reveal(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden], [data-grow][hidden]")) button.hidden = false;
}

document.addEventListener("DOMContentLoaded", () => {
  reveal(document);
  setInterval(refresh, 60000);
  const summary = document.querySelector("[data-error-summary]");
  if (summary) summary.focus();
});
document.addEventListener("htmx:load", (event) => reveal(event.target));

// A click in the summary leads into the field, not merely to it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const field = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!field) return;
  event.preventDefault();
  field.focus();
  (field.closest(".tg-field") || field).scrollIntoView({ block: "center" });
});

// Errors of parts of a page: what was typed stays where it is.
document.addEventListener("htmx:responseError", (event) => {
  const answer = event.detail.xhr;
  const form = event.target.closest && event.target.closest("form");
  if (form) release(form);
  if (answer.status === 401) {
    const next = encodeURIComponent(location.pathname + location.search);
    notify("You are signed out. What you typed is still here: sign in in another tab, then try again.", { href: `/sign-in?next=${next}`, label: "Sign in", apart: true });
    return;
  }
  const said = new DOMParser().parseFromString(answer.responseText, "text/html").querySelector("[data-said]");
  const text = said ? said.textContent : "Something went wrong. Try again.";
  notify(text, answer.status === 409 ? { href: location.href, label: "Read the page again" } : null);
});
document.addEventListener("htmx:sendError", (event) => {
  const form = event.target.closest && event.target.closest("form");
  if (form) release(form);
  notify("The house can't be reached just now. What you typed is still here; try again in a moment.");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest && event.target.closest("form");
  if (form) release(form);
});

// An answer of no success that shows its form again is put in its place, as one of success is.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.getResponseHeader("X-Form") !== "again") return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

// What a page saved by itself is not lost when it is left.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest && event.target.closest("form[data-saves]");
  if (form && event.detail.xhr.status === 200) form.removeAttribute("data-changed");
});

// Files: too large a one is told before it is sent, and what is sent shows how far it is.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest && event.target.closest("form[data-upload]");
  const most = form && Number(form.dataset.most);
  const file = form && [...form.querySelectorAll("input[type=file]")].flatMap((field) => [...field.files]).find((one) => one.size > most);
  if (!file) return;
  event.preventDefault();
  release(form);
  notify(`This file is larger than the ${Math.floor(most / 1000000)} MB that are taken. Choose a smaller one, or split it.`);
});
document.addEventListener("htmx:xhr:progress", (event) => {
  const form = event.target.closest && event.target.closest("form[data-upload]");
  const place = form && form.querySelector(".tg-upload");
  if (!place || !event.detail.lengthComputable || !event.detail.total) return;
  const percent = Math.round((100 * event.detail.loaded) / event.detail.total);
  place.hidden = false;
  place.querySelector("progress").value = percent;
  place.querySelector("span").textContent = percent < 100 ? `${percent} % sent` : "Sent; being checked";
});

// Another line where one may give several.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-grow]");
  if (!button) return;
  const lines = button.closest("[data-grows]").querySelectorAll("input");
  const line = lines[lines.length - 1].cloneNode();
  const number = lines.length + 1;
  line.value = "";
  line.id = `${line.id.replace(/-\d+$/, "")}-${number}`;
  line.setAttribute("aria-label", `Condition ${number}`);
  button.before(line);
  line.focus();
});
