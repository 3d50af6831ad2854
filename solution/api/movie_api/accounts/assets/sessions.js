// The list of the account's sessions.

import { ask, endHere } from "./api.js";
import { element, handleButton, say } from "./forms.js";
import { momentOf } from "./times.js";

// In this order: each of them also says that it is some of those below it.
const BROWSERS = [
  [/\bEdg/, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS = [
  [/\bAndroid\b/, "Android"],
  [/\b(iPhone|iPad)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** The list is shown; what goes wrong with one of them is said at `place`. */
export async function showSessions(place) {
  const list = document.querySelector("#sessions");
  const sessions = await ask("GET", "/auth/sessions");
  list.replaceChildren(...sessions.map((session) => entryOf(session, place)));
}

function entryOf(session, place) {
  const name = programOf(session.user_agent);
  const attributes = { type: "button", class: "quiet", "aria-label": `End the session: ${name}` };
  const end = element("button", attributes, "End");
  handleButton(end, place, async () => {
    await ask("DELETE", `/auth/sessions/${session.id}`);
    if (session.is_current) {
      await endHere("signed-out");
    }
    await showSessions(place);
    say(place, `The session is over: ${name}.`, { focus: true });
  });
  return element(
    "li",
    {},
    element(
      "div",
      {},
      element("strong", { title: session.user_agent ?? "" }, name),
      ...(session.is_current ? [" ", element("span", { class: "tag" }, "this one")] : []),
      element(
        "p",
        { class: "hint" },
        `${session.address ?? "Address not known"}, by ${session.method}, since `,
        momentOf(session.signed_in_at),
        ", last used ",
        momentOf(session.refreshed_at),
      ),
    ),
    end,
  );
}

/** What people call the program that names itself so: a browser and a system, or its own first words. */
function programOf(agent) {
  if (!agent) {
    return "A program without a name";
  }
  const [browser, system] = [BROWSERS, SYSTEMS].map((known) => known.find(([form]) => form.test(agent))?.[1]);
  return browser && system ? `${browser} on ${system}` : agent.slice(0, 60);
}
