// The list of the account's API keys, and the making of one.

import { ask } from "./api.js";
import { element, handle, handleButton, say } from "./forms.js";
import { momentOf } from "./times.js";

/** The list is shown; what goes wrong with one of them is said at `place`. */
export async function showKeys(place) {
  const list = document.querySelector("#keys");
  const keys = await ask("GET", "/auth/keys");
  list.replaceChildren(...keys.map((key) => entryOf(key, place)));
}

/** The form makes a key, and shows what it opens with: this once. */
export function handleKeys(form, place) {
  const made = document.querySelector("#made");
  const shown = document.querySelector("#made-key");
  const copied = document.querySelector("#copied");

  handle(form, async (fields) => {
    const { key } = await ask("POST", "/auth/keys", {
      name: fields.get("name").trim(),
      scopes: fields.getAll("scopes"),
      days: Number(fields.get("days")),
    });
    shown.value = key;
    copied.textContent = "";
    made.hidden = false;
    form.reset();
    form.closest("details").open = false;
    shown.focus();
    shown.select();
    await showKeys(place);
  });

  document.querySelector("#copy").addEventListener("click", async () => {
    shown.select();
    try {
      await navigator.clipboard.writeText(shown.value);
      copied.textContent = "Copied.";
    } catch {
      // Without TLS, browsers lend no script the clipboard.
      copied.textContent = "It is selected: copy it by the keyboard or the menu.";
    }
  });
}

function entryOf(key, place) {
  const isOver = key.revoked_at !== null || new Date(key.expires_at) <= new Date();
  const state = key.revoked_at === null ? "out of date" : "revoked";
  const attributes = { type: "button", class: "quiet", "aria-label": `Revoke the key ${key.name}` };
  const revoke = element("button", attributes, "Revoke");
  handleButton(revoke, place, async () => {
    await ask("DELETE", `/auth/keys/${key.id}`);
    document.querySelector("#made").hidden = true;
    await showKeys(place);
    say(place, `The key ${key.name} is revoked.`, { focus: true });
  });
  return element(
    "li",
    { class: isOver ? "over" : "" },
    element(
      "div",
      {},
      element("strong", {}, key.name),
      " ",
      element("code", {}, `${key.hint}…`),
      ...(isOver ? [" ", element("span", { class: "tag" }, state)] : []),
      element(
        "p",
        { class: "hint" },
        `${key.scopes.join(", ")}; until `,
        momentOf(key.expires_at, { dateStyle: "medium" }),
      ),
    ),
    ...(isOver ? [] : [revoke]),
  );
}
