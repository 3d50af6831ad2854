// Starts Swagger UI on the contract that the page names. A file of its own: no script may stand in a page.
"use strict";

window.ui = SwaggerUIBundle({
  url: document.currentScript.dataset.contract,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  // The validator is somebody else's server.
  validatorUrl: null,
});
