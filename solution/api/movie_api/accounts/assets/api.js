// Asks /auth, in the session that this browser keeps in cookies.

const ACCESS_PROOF = "movie_csrf";
const REFRESH_PROOF = "movie_refresh_csrf";

// Where the API is: this file is at account/assets/ below it, whatever path leads there.
const base = new URL("../../", import.meta.url);
const elsewhere = new BroadcastChannel("movie-account");

/** An answer that says no: problem details, or that there was none. */
export class Problem extends Error {
  constructor(status, content, retryAfter) {
    super(content.detail ?? "The server's answer can't be read. Try again later.");
    this.status = status;
    this.code = (content.type ?? "").split("/").at(-1);
    this.faults = content.errors ?? [];
    this.retryAfterSeconds = Number.parseInt(retryAfter ?? "", 10) || null;
  }
}

/** The whole address of a path of ours. */
export function address(path) {
  return new URL(`.${path}`, base);
}

/** What was asked of /auth that needs no account: no cookie is sent, so no dead session stands in its way. */
export async function askPublicly(method, path, body) {
  return contentOf(await send(method, path, body, { credentials: "omit" }));
}

/** Signs in: the tokens go into cookies, in place of those that were there. */
export async function signIn(email, password) {
  const body = { email, password, cookies: true };
  let answer = await send("POST", "/auth/login", body, { proof: ACCESS_PROOF });
  const problem = answer.ok ? null : await problemOf(answer);
  if (problem?.code === "bad-token") {
    // The session that was here has ended; that answer took its cookie away.
    answer = await send("POST", "/auth/login", body, { proof: ACCESS_PROOF });
  } else if (problem) {
    throw problem;
  }
  const content = await contentOf(answer);
  elsewhere.postMessage("signed-in");
  return content;
}

/**
 * Goes to where a provider's sign-in starts, once it is known that it leads on: what stands in its way is
 * told here, and not by the answer of an API in place of a page.
 */
export async function startAt(href, { forAccount = false } = {}) {
  const start = new URL(href);
  if (start.origin === window.location.origin) {
    await (forAccount ? ask("GET", start) : probe(start));
  }
  window.location.assign(start);
}

async function probe(start) {
  try {
    await contentOf(await send("GET", start));
  } catch (problem) {
    // A session that was here has ended. That answer took its cookie away, and the next is another one.
    if (problem.code !== "bad-token") {
      throw problem;
    }
  }
}

/** What was asked of /auth for the account that is signed in. Whoever is not goes to the sign-in. */
export async function ask(method, path, body) {
  if (!cookie(ACCESS_PROOF) && !(await renew(null))) {
    return leaveForSignIn();
  }
  const proof = cookie(ACCESS_PROOF);
  let answer = await send(method, path, body, { proof: ACCESS_PROOF });
  if (answer.status === 401) {
    if (!(await renew(proof))) {
      return leaveForSignIn();
    }
    answer = await send(method, path, body, { proof: ACCESS_PROOF });
    if (answer.status === 401) {
      return leaveForSignIn();
    }
  }
  if (answer.status === 403) {
    const problem = await problemOf(answer);
    if (problem.code === "sign-in-again") {
      return leaveForSignIn("again");
    }
    throw problem;
  }
  return contentOf(answer);
}

/** Other tabs hear that the session is over, and this one goes to the sign-in. */
export function endHere(notice) {
  elsewhere.postMessage("signed-out");
  return leaveForSignIn(notice, "/account");
}

/** What is to be done in this tab when another one signed in or out. */
export function onElsewhere(acts) {
  elsewhere.addEventListener("message", (event) => acts[event.data]?.());
}

/** The browser goes to the sign-in, and from there back: what waits for an answer waits for ever. */
export function leaveForSignIn(notice, next = ownPath()) {
  const page = address("/account/sign-in");
  page.searchParams.set("next", next);
  if (notice) {
    page.searchParams.set("notice", notice);
  }
  window.location.replace(page);
  return new Promise(() => {});
}

function ownPath() {
  return window.location.pathname.slice(base.pathname.length - 1);
}

let renewal = null;

/**
 * Whether there is another access token than the one that was refused.
 *
 * All requests of a tab wait for one refresh. Where another tab was quicker, its token is the new one.
 */
async function renew(refusedProof) {
  if (isRenewed(refusedProof)) {
    return true;
  }
  if (!cookie(REFRESH_PROOF)) {
    return false;
  }
  renewal ??= send("POST", "/auth/token/refresh", {}, { proof: REFRESH_PROOF }).finally(() => {
    renewal = null;
  });
  const answer = await renewal;
  if (answer.ok || isRenewed(refusedProof)) {
    return true;
  }
  if (answer.status === 401 || answer.status === 403) {
    return false;
  }
  throw await problemOf(answer.clone());
}

function isRenewed(refusedProof) {
  const proof = cookie(ACCESS_PROOF);
  return proof !== null && proof !== refusedProof;
}

async function send(method, path, body, { proof, credentials = "same-origin" } = {}) {
  const headers = { Accept: "application/json" };
  const value = proof ? cookie(proof) : null;
  if (value) {
    headers["X-CSRF-Token"] = value;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  try {
    return await fetch(path instanceof URL ? path : address(path), {
      method,
      headers,
      credentials,
      // Only what leads to a provider is redirected, and that is for the browser to follow.
      redirect: "manual",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    const detail = "The server can't be reached. See whether you are online, and try again.";
    throw new Problem(0, { detail });
  }
}

async function contentOf(answer) {
  if (answer.type === "opaqueredirect" || answer.status === 204) {
    return null;
  }
  if (!answer.ok) {
    throw await problemOf(answer);
  }
  return answer.json();
}

async function problemOf(answer) {
  let content = {};
  try {
    content = await answer.json();
  } catch {
    // A proxy in between answered, in words of its own.
  }
  return new Problem(answer.status, content, answer.headers.get("Retry-After"));
}

function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found === undefined ? null : decodeURIComponent(found.slice(name.length + 1));
}
