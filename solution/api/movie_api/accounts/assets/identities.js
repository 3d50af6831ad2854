// The accounts at providers that sign in to this one.

import { ask, askPublicly, startAt } from "./api.js";
import { element, handleButton, handleLink, say } from "./forms.js";
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
    const titleOf = ({ provider }) => titles.get(provider) ?? provider;
    const entries = identities.map((identity) => entryOf(identity, titleOf(identity), place));
    document.querySelector("#identities").replaceChildren(...entries);
    document.querySelector("#links").replaceChildren(...providers.map((one) => linkOf(one, place)));
    section.hidden = providers.length + identities.length === 0;
  } catch (problem) {
    section.hidden = false;
    throw problem;
  }
}

function linkOf(provider, place) {
  const href = startOf(provider, { next: "/account", link: "1" });
  const link = element("a", { class: "button quiet", href }, `Link ${provider.title}`);
  handleLink(link, place, () => startAt(href, { forAccount: true }));
  return link;
}

function entryOf(identity, title, place) {
  const name = identity.email ? `${title}, ${identity.email}` : title;
  const attributes = { type: "button", class: "quiet", "aria-label": `Unlink ${name}` };
  const unlink = element("button", attributes, "Unlink");
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
      element(
        "p",
        { class: "hint" },
        "linked ",
        momentOf(identity.linked_at),
        ...(identity.used_at ? [", last used ", momentOf(identity.used_at)] : []),
      ),
    ),
    unlink,
  );
}
