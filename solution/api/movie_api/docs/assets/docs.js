// Starts Swagger UI on the contract that the page names. A file of its own: no script may stand in a page.
"use strict";

{
  const contract = new URL(document.currentScript.dataset.contract, window.location.href);
  const base = new URL("../", contract);
  const refreshing = new URL("auth/token/refresh", base);

  const cookie = (name) =>
    document.cookie
      .split("; ")
      .find((one) => one.startsWith(`${name}=`))
      ?.slice(name.length + 1);

  // The session of this browser goes with what is tried out here, as its cookies do; a token or a key that
  // was given to "Authorize" comes before it.
  const addSession = async (request) => {
    const url = new URL(request.url, window.location.href);
    const isAuthorized = Object.keys(request.headers).some((name) => name.toLowerCase() === "authorization");
    if (request.loadSpec || isAuthorized || url.origin !== window.location.origin) {
      return request;
    }
    request.credentials = "same-origin";
    const isRefresh = url.href === refreshing.href;
    if (!isRefresh && !cookie("movie_csrf") && cookie("movie_refresh_csrf")) {
      // The access token is out of date. If it can't be renewed, the answer will say so.
      await fetch(refreshing, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": cookie("movie_refresh_csrf") },
        body: "{}",
      }).catch(() => null);
    }
    const proof = cookie(isRefresh ? "movie_refresh_csrf" : "movie_csrf");
    if (proof && !["GET", "HEAD", "OPTIONS"].includes(request.method.toUpperCase())) {
      request.headers["X-CSRF-Token"] ??= proof;
    }
    return request;
  };

  const link = document.createElement("a");
  const isSignedIn = Boolean(cookie("movie_refresh_csrf"));
  link.href = new URL(isSignedIn ? "account" : "account/sign-in?next=/docs", base);
  link.textContent = isSignedIn ? "Account" : "Sign in";
  const links = document.createElement("nav");
  links.className = "links";
  links.append(link);
  document.body.prepend(links);

  window.ui = SwaggerUIBundle({
    url: contract.href,
    dom_id: "#swagger-ui",
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    requestInterceptor: addSession,
    // The command line that is shown has no cookies, and so no use for what proves them.
    showMutatedRequest: false,
    // The validator is somebody else's server.
    validatorUrl: null,
  });
}
