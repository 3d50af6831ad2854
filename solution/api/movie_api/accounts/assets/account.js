// The account of whoever is signed in; whoever is not goes to the sign-in, and comes back.

import { address, ask, endHere, leaveForSignIn, onElsewhere } from "./api.js";
import { handle, handleButton, say, showProblem } from "./forms.js";
import { showIdentities } from "./identities.js";
import { handleKeys, showKeys } from "./keys.js";
import { showSessions } from "./sessions.js";
import { momentOf } from "./times.js";

const find = (selector) => document.querySelector(selector);
const waiting = find("#waiting");

let user = null;

function show(shown) {
  user = shown;
  find("#who").textContent = user.display_name;
  find("#address").textContent = user.email ?? "No e-mail address";
  find("#unconfirmed").hidden = user.email === null || user.email_verified;
  find("#role").textContent = user.role;
  find("#role").hidden = user.role === "user";
  find("#since").replaceChildren("since ", momentOf(user.created_at, { dateStyle: "long" }));
  find("#display_name").value = user.display_name;
  find("#has-no-password").hidden = user.has_password;
  find("#current").hidden = !user.has_password;
  // A field that is not shown is not asked for.
  find("#current_password").disabled = !user.has_password;
  find("#password-form [name=username]").value = user.email ?? user.display_name;
}

/** Each list fails on its own, and says so where it would be. */
async function showList(place, load) {
  try {
    await load(place);
  } catch (problem) {
    showProblem(place, problem);
  }
}

function showLists() {
  return Promise.all([
    showList(find("#sessions-says"), showSessions),
    showList(find("#keys-says"), showKeys),
    showList(find("#identities-says"), showIdentities),
  ]);
}

handle(find("#name-form"), async (fields) => {
  show(await ask("PATCH", "/auth/user", { display_name: fields.get("display_name").trim() }));
  say(find("#name-form"), "The name is saved.");
});

const emailForm = find("#email-form");
if (emailForm) {
  handle(emailForm, async (fields) => {
    const { message } = await ask("POST", "/auth/email/change", { email: fields.get("email") });
    emailForm.reset();
    say(emailForm, message);
  });
}

const passwordForm = find("#password-form");
handle(passwordForm, async (fields) => {
  const answer = await ask("POST", "/auth/password/change", {
    current_password: fields.get("current_password"),
    new_password: fields.get("new_password"),
    cookies: true,
  });
  passwordForm.reset();
  show(answer.user);
  say(passwordForm, "The password is set. All other sessions are over.");
  await showList(find("#sessions-says"), showSessions);
});

handleKeys(find("#key-form"), find("#keys-says"));

handleButton(find("#sign-out"), find("#page-says"), async () => {
  await ask("POST", "/auth/logout");
  await endHere("signed-out");
});

handleButton(find("#export"), find("#data-says"), async () => {
  // The download itself can't refresh the session, nor say what went wrong.
  await ask("GET", "/auth/user");
  window.location.assign(address("/auth/export"));
});

const deletion = find("#deletion");
find("#delete").addEventListener("click", () => deletion.showModal());
find("#keep").addEventListener("click", () => deletion.close());
handleButton(find("#delete-now"), find("#data-says"), async () => {
  try {
    await ask("DELETE", "/auth/user");
  } finally {
    deletion.close();
  }
  await endHere("deleted");
});

onElsewhere({
  "signed-out": () => leaveForSignIn("signed-out"),
  "signed-in": async () => {
    // It may be somebody else now.
    if (user && (await ask("GET", "/auth/user")).id !== user.id) {
      window.location.reload();
    }
  },
});

window.addEventListener("pageshow", (event) => {
  // The page as it was, out of the browser's memory: the session may have ended since.
  if (event.persisted) {
    window.location.reload();
  }
});

const patience = window.setTimeout(() => {
  waiting.hidden = false;
}, 500);
try {
  show(await ask("GET", "/auth/user"));
  find("#account").hidden = false;
  find("#sign-out").hidden = false;
  await showLists();
} catch (problem) {
  showProblem(find("#page-says"), problem);
} finally {
  window.clearTimeout(patience);
  waiting.hidden = true;
}
