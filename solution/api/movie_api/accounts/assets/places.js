// Where a page may lead: addresses that came from elsewhere are not trusted.

import { address } from "./api.js";

const START = "/account";

/**
 * The path of ours in the parameter `next`; whatever else stands there is as if it was not.
 *
 * Browsers read a backslash as a slash, and pass over tabs and line ends: /\\elsewhere and /(tab)/elsewhere
 * would lead away.
 */
export function nextPath() {
  const next = new URLSearchParams(window.location.search).get("next") ?? START;
  return /^\/(?!\/)[^\\\p{Cc}]*$/u.test(next) ? next : START;
}

/** Goes there; it is one of ours, as the path is added to our own address. */
export function goOn() {
  window.location.replace(address(nextPath()));
}

/** The providers that this server is set up for, each with the address that starts there and comes back. */
export function startOf(provider, parameters) {
  const start = new URL(provider.start);
  Object.entries(parameters).forEach(([name, value]) => start.searchParams.set(name, value));
  return start.href;
}
