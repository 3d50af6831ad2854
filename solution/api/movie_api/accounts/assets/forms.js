// Forms: sent by a script, with faults at their fields, and the focus where something is to be read.
// Text of anybody's goes into pages as text alone.

import { Problem } from "./api.js";

/** The form is there, and does this when it is sent: `act` is given its fields, as FormData. */
export function handle(form, act) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    whileBusy(button, form, () => act(new FormData(form)));
  });
}

/** The button does this, and says near it what went wrong. */
export function handleButton(button, place, act) {
  button.addEventListener("click", () => whileBusy(button, place, act));
}

/** The link does this when it is followed here; opened in another tab, it is a link like any other. */
export function handleLink(link, place, act) {
  link.addEventListener("click", (event) => {
    if (!(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
      event.preventDefault();
      whileBusy(link, place, act);
    }
  });
}

async function whileBusy(button, place, act) {
  if (button.getAttribute("aria-disabled") === "true") {
    return;
  }
  clear(place);
  // Not `disabled`: the focus would be lost with it.
  button.setAttribute("aria-disabled", "true");
  try {
    await act();
  } catch (error) {
    showProblem(place, error);
    if (!(error instanceof Problem)) {
      throw error;
    }
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Something went well: it is read out; with `focus`, because what had the focus is gone. */
export function say(place, text, { focus = false } = {}) {
  const notice = place.querySelector("[role=status]");
  notice.textContent = text;
  if (focus) {
    notice.focus();
  }
}

/** The form has done what it is for: this is said in place of its fields. */
export function finish(form, text) {
  form.querySelector(".asked").hidden = true;
  say(form, text, { focus: true });
}

/** Something went wrong: what, where, and when to try again. */
export function showProblem(place, error) {
  const problem =
    error instanceof Problem ? error : new Problem(0, { detail: "Something went wrong in this page." });
  const left = problem.faults.filter((fault) => !markField(place, fault));
  const alert = place.querySelector("[role=alert]");
  const sentences = [sentenceOf(problem, left), ...left.map(({ field, message }) => `${field} ${message}.`)];
  alert.textContent = sentences.join(" ");
  const marked = place.querySelector("[aria-invalid=true]");
  (marked ?? alert).focus();
}

function sentenceOf(problem, left) {
  if (problem.code === "invalid-body" && left.length === 0) {
    // Its own sentence is for programmers.
    return "This can't be taken as it is: see below.";
  }
  const wait = problem.retryAfterSeconds;
  const isWorthWaiting = wait && [429, 503].includes(problem.status);
  return isWorthWaiting ? `${problem.message} Try again in ${spanOf(wait)}.` : problem.message;
}

function spanOf(seconds) {
  if (seconds < 60) {
    return seconds === 1 ? "a second" : `${seconds} seconds`;
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}

function markField(place, { field, message }) {
  const inputs = place.querySelectorAll(`input[name="${CSS.escape(field.split("[")[0])}"]`);
  const line = inputs.length === 0 ? null : faultLineOf(inputs[0]);
  if (!line) {
    return false;
  }
  line.textContent = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  line.hidden = false;
  inputs.forEach((input) => input.setAttribute("aria-invalid", "true"));
  return true;
}

function faultLineOf(input) {
  return input.closest(".field")?.querySelector(".fault");
}

function clear(place) {
  place.querySelectorAll("[role=alert], [role=status]").forEach((one) => one.replaceChildren());
  place.querySelectorAll(".fault").forEach((one) => {
    one.hidden = true;
  });
  place.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
}

/**
 * Calls `start` with the token in the address's fragment; without one, says that the link is not whole.
 *
 * The token is taken out of the address bar and the history at once, and the page is made anew where the
 * browser is sent to another link of the same page.
 */
export function onToken(form, start) {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  window.addEventListener("hashchange", () => window.location.reload());
  form.hidden = false;
  if (token) {
    start(token);
  } else {
    form.querySelector(".asked").hidden = true;
    showProblem(form, new Problem(0, { detail: "The link is not whole. Open it from the mail once more." }));
  }
}

/** An element with these attributes; texts among its children are shown as they are. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}
