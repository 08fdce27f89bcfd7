// What a page needs besides htmx. Everything works without it; here is only comfort: where the focus goes, what is said.
"use strict";

const byId = (id) => document.getElementById(id);

/** A sentence of the page in its language, with its facts: the server wrote it down (layout.html). */
const spoken = (key, facts = {}) =>
  byId("words").dataset[key].replace(/\{(\w+)\}/g, (_whole, name) => facts[name]);

/** Put a sentence into the live region; the same sentence twice is said twice. */
const say = (text) => {
  byId("say").textContent = "";
  setTimeout(() => { byId("say").textContent = text; }, 50);
};

// --- focus: the summary of errors on load, what the server marked after a swap ---------------------------------------

const focusOnLoad = () => { byId("errors")?.focus(); };

let focusedInside = null; // the target of a swap that is about to replace the element which has the focus

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  focusedInside = target?.contains(document.activeElement) ? target : null;
});

document.addEventListener("htmx:afterSettle", () => {
  const marked = document.querySelector("[data-focus]");
  if (marked) {
    marked.removeAttribute("data-focus");
    marked.focus();
  } else if (focusedInside?.isConnected && document.activeElement === document.body) {
    focusedInside.tabIndex = -1;
    focusedInside.focus({ preventScroll: true });
  }
  focusedInside = null;
});

// A link of the summary focuses its input, also one that is no link target by itself (a group of radio buttons).
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#errors a[href^='#']");
  const input = link && byId(decodeURIComponent(link.hash.slice(1)));
  if (input) {
    event.preventDefault();
    input.focus();
    input.scrollIntoView({ block: "center" });
  }
});

// --- what was typed while an answer was on its way: it is newer than the answer ------------------------------------------

const sent = new WeakMap();

const stateOf = (input) => `${input.checked} ${input.value}`;

document.addEventListener("htmx:beforeSend", (event) => {
  const { elt, xhr } = event.detail;
  const form = elt.closest("form");
  if (!form || !elt.hasAttribute("data-stable")) return;
  sent.set(xhr, { form, known: new Map([...form.elements].map((input) => [input.id, stateOf(input)])) });
});

// What it was is kept beside the input: the answer's radio buttons take the tick from those that they replace.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { form, known } = sent.get(event.detail.xhr) ?? {};
  if (!form) return;
  const isLate = (input) => (known.has(input.id) ? known.get(input.id) !== stateOf(input) : input.closest(".taken"));
  const late = [...form.elements].filter((input) => input.id && isLate(input));
  sent.set(event.detail.xhr, late.map((input) => ({ input, value: input.value, checked: input.checked })));
});

const isTick = (input) => input.type === "checkbox" || input.type === "radio";

/** The input that now stands where one stood. Ticks of chosen records have the same value, whatever their number. */
const successor = ({ input, value }) => {
  const taken = input.closest(".taken");
  if (!taken) return byId(input.id);
  return [...(byId(taken.id)?.querySelectorAll("input") ?? [])].find((one) => one.value === value);
};

const putBack = (late) => {
  const { input, value, checked } = late;
  const now = successor(late);
  const taken = input.closest(".taken") && byId(input.closest(".taken").id);
  if (now && isTick(now)) now.checked = checked;
  else if (now) now.value = value;
  else if (taken) {
    taken.append(input.closest(".form-check"));
    input.checked = checked;
    taken.hidden = false;
  }
};

document.addEventListener("htmx:afterSwap", (event) => {
  sent.get(event.detail.xhr)?.forEach?.(putBack);
});

// Only now does htmx know the new inputs. Of two radio buttons that changed, the chosen one tells.
document.addEventListener("htmx:afterSettle", (event) => {
  const late = sent.get(event.detail.xhr);
  sent.delete(event.detail.xhr);
  for (const one of Array.isArray(late) ? late : []) {
    const now = successor(one);
    const hasToldItself = now === one.input && isTick(now) && now.hasAttribute("hx-post");
    if (!now || hasToldItself || (now.type === "radio" && !one.checked)) continue;
    now.dispatchEvent(new Event(isTick(now) || now.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
  }
});

// --- requests: busy targets, silent polls, notices ---------------------------------------------------------------------

const isPoll = (element) => element.closest?.("[data-poll]") !== null;

let isLeaving = false;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (isLeaving) event.preventDefault();
  if (isPoll(elt)) {
    if (document.hidden) event.preventDefault();
    return;
  }
  target?.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:afterRequest", (event) => {
  event.detail.target?.removeAttribute("aria-busy");
});

const again = ({ elt, target, requestConfig }) => {
  window.htmx.ajax(requestConfig.verb, requestConfig.path, { source: elt, target });
};

const notice = (text, detail) => {
  const box = document.createElement("div");
  box.className = "note bad";
  box.setAttribute("role", "alert");
  const words = document.createElement("div");
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-o btn-sm";
  button.textContent = spoken("again");
  button.addEventListener("click", () => { box.remove(); again(detail); });
  box.append(words, button);
  byId("notices").replaceChildren(box);
};

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  if (isPoll(elt) && xhr.status >= 500) return; // the next poll asks again
  const isOurs = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  notice(isOurs ? xhr.responseText : spoken("unforeseen"), event.detail);
});

/** The session is over while something is typed: the page stays, so that it can be read. Elsewhere htmx goes to the login. */
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  const login = xhr.getResponseHeader("HX-Redirect");
  if (xhr.status !== 401 || !login || !(byId("step-form") || byId("schedule-form"))) return;
  event.preventDefault();
  const bar = byId("signed-out");
  bar.querySelector("a").href = login;
  bar.querySelector("[data-of-draft]").hidden = !byId("step-form");
  bar.hidden = false;
});

/** What was typed since goes along to the login, and from there back into the draft. Check and create has nothing typed. */
document.addEventListener("click", (event) => {
  const form = event.target.closest?.("#signed-out a") && byId("step-form");
  if (!form?.hasAttribute("hx-post")) return;
  event.preventDefault();
  const stay = Object.assign(document.createElement("input"), { type: "hidden", name: "op", value: "stay" });
  form.append(stay);
  isTyped = false;
  isLeaving = true; // typing that is saved after a pause goes along too
  HTMLFormElement.prototype.submit.call(form);
});

document.addEventListener("DOMContentLoaded", () => { byId("go-on")?.submit(); });

// --- connection lost: say so, look for it, send again what could not be sent --------------------------------------------

let unsent = new Map();
let looking = null;

const lost = () => {
  byId("offline").hidden = false;
  looking ??= setInterval(look, 3000);
};

const found = () => {
  clearInterval(looking);
  looking = null;
  byId("offline").hidden = true;
  const waiting = unsent;
  unsent = new Map();
  for (const detail of waiting.values()) if (detail.elt.isConnected) again(detail);
};

const look = async () => {
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.ok) found();
  } catch { /* still away */ }
};

document.addEventListener("htmx:sendError", (event) => {
  if (!isPoll(event.detail.elt)) unsent.set(event.detail.elt, event.detail);
  lost();
});
window.addEventListener("offline", lost);
window.addEventListener("online", look);

// --- the wizard: marks of inputs, leaving with something unsaved, finding fields, picking dates ---------------------------

/** A message beside an input came or went without the input itself: its border and what it says to screen readers follow. */
const markInput = (box) => {
  const input = byId(box.id.slice(2));
  if (!input) return;
  const isBad = box.querySelector(".err") !== null;
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== box.id);
  const ids = box.textContent.trim() ? [...others, box.id] : others;
  input.classList.toggle("is-bad", isBad && input.matches(".form-control, .form-select"));
  if (isBad) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  if (ids.length) input.setAttribute("aria-describedby", ids.join(" ")); else input.removeAttribute("aria-describedby");
};

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const { id } = event.detail.target;
  const box = id.startsWith("e-") && byId(id);
  if (box) markInput(box);
});

let isTyped = false; // something that no request has brought to be stored; those marked data-beside only ask
let goTo = null;

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => { if (event.target.form?.id === "step-form") isTyped = true; }, true);
}

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, verb } = event.detail;
  if (verb === "post" && elt.closest("#step-form") && !elt.matches("[data-beside]")) isTyped = false;
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.id !== "step-form" || !goTo) return;
  if (event.detail.successful && !isTyped) location.href = goTo;
  goTo = null;
});

document.addEventListener("click", (event) => {
  const form = byId("step-form");
  const link = event.target.closest?.("#step a[href^='/']");
  if (!link || !form?.hasAttribute("hx-post") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!isTyped && !form.classList.contains("htmx-request")) return;
  event.preventDefault();
  goTo = link.href;
  if (isTyped) window.htmx.trigger(form, "change");
});

/** Closed or reloaded before the pause after which typing is saved: save it now. */
window.addEventListener("beforeunload", () => {
  if (isLeaving) return; // it would be led to a login of its own, whose session takes the place of the other's
  const form = byId("step-form");
  const isUnsaved = isTyped || form?.classList.contains("htmx-request"); // leaving ends the request that is on its way
  if (isUnsaved && form?.hasAttribute("hx-post")) navigator.sendBeacon(form.getAttribute("hx-post"), new URLSearchParams(new FormData(form)));
});

/** All pages of one tab of the browser are the same writer of the draft, so that a save on the way is no conflict. */
const nameTab = () => {
  const input = document.querySelector("#step-form [name=tab]");
  if (!input) return;
  const known = sessionStorage.getItem("tab");
  if (known) input.value = known; else sessionStorage.setItem("tab", input.value);
};

document.addEventListener("DOMContentLoaded", nameTab);
document.addEventListener("htmx:afterSwap", nameTab);

/** A page that comes out of the browser's memory may be older than its draft. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted && byId("step-form")) location.reload();
});

document.addEventListener("input", (event) => {
  const rows = event.target.dataset?.finds && document.querySelector(event.target.dataset.finds);
  if (!rows) return;
  const wanted = event.target.value.trim().toLowerCase();
  let found = 0;
  for (const row of rows.rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    if (!row.hidden) found += 1;
  }
  byId("attribute-none").hidden = found > 0;
});

document.addEventListener("keydown", (event) => {
  const input = event.key === "Enter" && event.target.closest?.("[data-enter], [data-finds]");
  if (!input || input.hasAttribute("aria-activedescendant")) return; // of an open list Enter takes the marked one
  event.preventDefault();
  if (input.dataset.enter) byId(input.dataset.enter).click();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-picks]");
  if (!button) return;
  const input = () => byId(button.dataset.picks); // an answer may have replaced it meanwhile
  const picker = document.createElement("input");
  picker.type = "date";
  picker.className = "datepick";
  picker.tabIndex = -1;
  picker.setAttribute("aria-hidden", "true");
  if (/^\d{4}-\d\d-\d\d$/.test(input().value)) picker.value = input().value;
  picker.addEventListener("input", (picked) => { picked.stopPropagation(); });
  picker.addEventListener("change", (picked) => {
    picked.stopPropagation();
    input().value = picker.value;
    input().dispatchEvent(new Event("change", { bubbles: true }));
    picker.remove();
    input().focus();
  });
  button.parentElement.querySelector(".datepick")?.remove();
  button.before(picker);
  picker.showPicker();
});

// --- several rows of the list: the bar is there while something is chosen -------------------------------------------------

const countChosen = () => {
  const boxes = [...document.querySelectorAll("#several [name=export]")];
  if (!boxes.length) return;
  const chosen = boxes.filter((box) => box.checked).length;
  byId("several-bar").hidden = chosen === 0;
  byId("several-count").textContent = spoken("count", { count: chosen });
  document.querySelector("#several-inactive [data-chosen]").textContent = chosen === 1 ? spoken("thisExport") : spoken("exports", { count: chosen });
  byId("several-all").checked = chosen === boxes.length;
  byId("several-all").indeterminate = chosen > 0 && chosen < boxes.length;
};

document.addEventListener("change", (event) => {
  if (event.target.form?.id !== "several") return;
  if (event.target.id === "several-all") {
    for (const box of document.querySelectorAll("#several [name=export]")) box.checked = event.target.checked;
  }
  countChosen();
  say(byId("several-count").textContent);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("#several [type=checkbox]")) event.preventDefault();
});

// --- two runs of Logs: the button says how many are chosen ---------------------------------------------------------------

const countRuns = () => {
  const words = byId("compare-chosen");
  if (!words) return;
  const chosen = document.querySelectorAll("[form=compare-form]:checked").length;
  words.textContent = spoken(chosen === 2 ? "compareBoth" : "compare");
};

document.addEventListener("change", countRuns);

for (const moment of ["DOMContentLoaded", "htmx:afterSettle"]) {
  document.addEventListener(moment, countChosen);
  document.addEventListener(moment, countRuns);
}
window.addEventListener("pageshow", countChosen);

// --- menus, dialogs, copying --------------------------------------------------------------------------------------------

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest?.("details.menu"));
  const opener = event.target.closest?.("[data-opens]");
  const dialog = opener && byId(opener.dataset.opens);
  if (dialog) { // a button that came with a poll may have none: then its form is sent, and the question is a page
    event.preventDefault();
    const menu = opener.closest("details.menu");
    if (menu) { // closed, it has the focus again after the dialog
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    dialog.showModal();
  }
  const closer = event.target.closest?.("[data-closes]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
  const copier = event.target.closest?.("[data-copy]");
  if (copier) copy(copier);
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.dataset.copied = "";
    setTimeout(() => { delete button.dataset.copied; }, 2000);
    say(spoken("copied"));
  } catch {
    say(spoken("notCopied"));
  }
};

/** Buttons that need this file are hidden until it runs. */
const showWhatNeedsUs = (root) => {
  for (const button of root.querySelectorAll("[data-needs-js][hidden]")) button.hidden = false;
};

document.addEventListener("DOMContentLoaded", () => {
  focusOnLoad();
  showWhatNeedsUs(document);
});
document.addEventListener("htmx:load", (event) => { showWhatNeedsUs(event.detail.elt); });
