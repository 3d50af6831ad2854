// Signing in: by password, or through one of the providers.

import { askPublicly, signIn, startAt } from "./api.js";
import { element, handle, handleLink, say } from "./forms.js";
import { goOn, nextPath, startOf } from "./places.js";

const NOTICES = {
  again: "What you were about to do needs a fresh sign-in: please sign in again, and then do it once more.",
  "signed-out": "You are signed out.",
  deleted: "The account is deleted.",
};

const form = document.querySelector("form");
const providers = document.querySelector("#providers");

handle(form, async (fields) => {
  await signIn(fields.get("email"), fields.get("password"));
  goOn();
  // The button stays as it is until the browser is there.
  await new Promise(() => {});
});

const notice = NOTICES[new URLSearchParams(window.location.search).get("notice")];
if (notice) {
  say(form, notice);
}
form.querySelector("[name=email]").focus();

function linkOf(provider) {
  const href = startOf(provider, { next: nextPath() });
  const link = element("a", { class: "button quiet", href }, `Continue with ${provider.title}`);
  handleLink(link, form, () => startAt(href));
  return link;
}

try {
  const found = await askPublicly("GET", "/auth/providers");
  providers.append(...found.map(linkOf));
  providers.hidden = found.length === 0;
} catch {
  // Without the list, there is still the password.
}
