// The accounts at providers that sign in to this one.

import { ask, askPublicly } from "./api.js";
import { element, handleButton, say } from "./forms.js";
import { startOf } from "./places.js";
import { momentOf } from "./times.js";

/** The list is shown, and a way to link each provider; what goes wrong is said at `place`. */
export async function showIdentities(place) {
  const section = document.querySelector("#identities-section");
  try {
    const [providers, identities] = await Promise.all([
      askPublicly("GET", "/auth/providers"),
      ask("GET", "/auth/identities"),
    ]);
    const titles = new Map(providers.map(({ name, title }) => [name, title]));
    document
      .querySelector("#identities")
      .replaceChildren(...identities.map((identity) => entryOf(identity, titles.get(identity.provider), place)));
    document.querySelector("#links").replaceChildren(...providers.map(linkOf));
    section.hidden = providers.length + identities.length === 0;
  } catch (problem) {
    section.hidden = false;
    throw problem;
  }
}

function linkOf(provider) {
  const start = startOf(provider, { next: "/account", link: "1" });
  return element("a", { class: "button quiet", href: start }, `Link ${provider.title}`);
}

function entryOf(identity, title = identity.provider, place = null) {
  const name = identity.email ? `${title}, ${identity.email}` : title;
  const unlink = element("button", { type: "button", class: "quiet", "aria-label": `Unlink ${name}` }, "Unlink");
  handleButton(unlink, place, async () => {
    await ask("DELETE", `/auth/identities/${identity.id}`);
    await showIdentities(place);
    say(place, `${name} is linked no more.`, { focus: true });
  });
  return element(
    "li",
    {},
    element(
      "div",
      {},
      element("strong", {}, title),
      ...(identity.email ? [` ${identity.email}`] : []),
      element("p", { class: "hint" }, "linked ", momentOf(identity.linked_at), ...(identity.used_at ? [", last used ", momentOf(identity.used_at)] : [])),
    ),
    unlink,
  );
}
