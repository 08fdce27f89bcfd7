// Searching for a record while typing: a list that opens under the input (ARIA's combobox with manual selection).
// The server finds, htmx fetches; here is what the keys and the pointer do. Without it a button shows what is found.
"use strict";

const boxOf = (input) => document.getElementById(`o-${input.id}`);
const optionsOf = (input) => [...boxOf(input).querySelectorAll("[role=option]")];
const activeOf = (input) => boxOf(input).querySelector("[aria-selected=true]");

/** Inputs whose text no answer has come to yet. */
const unanswered = new WeakSet();

const close = (input) => {
  boxOf(input).hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-controls");
  input.removeAttribute("aria-activedescendant");
};

const open = (input) => {
  const list = boxOf(input).querySelector("[role=listbox]");
  boxOf(input).hidden = false;
  input.setAttribute("aria-expanded", String(list !== null));
  if (list) {
    list.id = `${input.id}-list`;
    input.setAttribute("aria-controls", list.id);
  }
  input.removeAttribute("aria-activedescendant");
  optionsOf(input).forEach((option, number) => { option.id = `${input.id}-option-${number}`; });
};

const activate = (input, option) => {
  activeOf(input)?.setAttribute("aria-selected", "false");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option.id);
};

/** One more tick among those that are chosen, as the server draws them. */
const take = (name, option) => {
  const taken = document.getElementById(`t-${name}`);
  const known = [...taken.querySelectorAll("input")].find((one) => one.value === option.dataset.id);
  if (known) {
    known.checked = true;
    return;
  }
  const row = document.createElement("div");
  row.className = "form-check";
  const tick = document.createElement("input");
  Object.assign(tick, { className: "form-check-input", type: "checkbox", name, value: option.dataset.id, checked: true });
  tick.id = taken.querySelector("input") ? `${name}-${taken.querySelectorAll("input").length + 1}` : name;
  const label = document.createElement("label");
  label.htmlFor = tick.id;
  label.append(...[...option.childNodes].map((node) => node.cloneNode(true)));
  row.append(tick, label);
  taken.append(row);
  taken.hidden = false;
  taken.scrollTop = taken.scrollHeight;
};

const choose = (input, option) => {
  const several = input.dataset.choices;
  if (several) take(several, option);
  input.value = several ? "" : option.dataset.id;
  close(input);
  document.getElementById("say").textContent = spoken("chosen", { name: option.dataset.name });
  input.dispatchEvent(new Event("change", { bubbles: true }));
  if (input.dataset.enter) document.getElementById(input.dataset.enter).click();
};

document.addEventListener("htmx:configRequest", (event) => {
  const { elt } = event.detail;
  if (elt.matches("[data-choices]")) event.detail.parameters = { q: elt.value };
});

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-choices]")) unanswered.add(event.target);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const { requestConfig, target } = event.detail;
  const input = requestConfig?.elt;
  if (!input?.matches("[data-choices]") || !input.isConnected || target !== boxOf(input)) return;
  if (requestConfig.parameters.q === input.value) unanswered.delete(input);
  if (document.activeElement === input) open(input);
});

document.addEventListener("keydown", (event) => {
  const input = event.target.closest?.("[data-choices]");
  if (!input) return;
  const isOpen = !boxOf(input).hidden;
  const options = isOpen ? optionsOf(input) : [];
  const active = isOpen ? activeOf(input) : null;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = active ? options.indexOf(active) + step : step > 0 ? 0 : options.length - 1;
    if (!isOpen) window.htmx.trigger(input, "look");
    else if (options.length) activate(input, options[(next + options.length) % options.length]);
  } else if (event.key === "Enter" && (isOpen || unanswered.has(input) || input.dataset.choices)) {
    event.preventDefault(); // a name is no value yet: the step is not left with it
    const only = options.length === 1 && !unanswered.has(input) ? options[0] : null;
    if (active ?? only) choose(input, active ?? only);
    else if (!isOpen) window.htmx.trigger(input, "look");
  } else if (event.key === "Escape" && isOpen) {
    event.preventDefault();
    close(input);
  }
});

document.addEventListener("pointerdown", (event) => {
  if (event.target.closest?.(".options")) event.preventDefault(); // the input keeps the focus
});

document.addEventListener("click", (event) => {
  const option = event.target.closest?.(".options [role=option]");
  if (option) choose(option.closest(".combo").querySelector("[data-choices]"), option);
});

document.addEventListener("focusout", (event) => {
  const input = event.target.closest?.("[data-choices]");
  if (input) close(input);
});
