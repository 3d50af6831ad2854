// Where a page may lead: addresses that came from elsewhere are not trusted.

import { address } from "./api.js";

const START = "/account";

/**
 * The path of ours in the parameter `next`; whatever else stands there is as if it was not.
 *
 * Browsers read a backslash as a slash, and pass over tabs and line ends: /\\elsewhere and /(tab)/elsewhere
 * would lead away. So would, elsewhere than here, what is left of /.//elsewhere.
 */
export function nextPath() {
  const next = new URLSearchParams(window.location.search).get("next") ?? START;
  if (!isOurs(next)) {
    return START;
  }
  // As it goes over the wire: encoded, and without dots.
  const path = address(next).href.slice(address("/").href.length - 1);
  return isOurs(path) ? path : START;
}

function isOurs(path) {
  return /^\/(?!\/)[^\\\p{Cc}]*$/u.test(path);
}

/** Goes there; it is one of ours, as the path is added to our own address. */
export function goOn() {
  window.location.replace(address(nextPath()));
}

/** Where a provider's sign-in starts, with these parameters. */
export function startOf(provider, parameters) {
  const start = new URL(provider.start);
  Object.entries(parameters).forEach(([name, value]) => start.searchParams.set(name, value));
  return start.href;
}
