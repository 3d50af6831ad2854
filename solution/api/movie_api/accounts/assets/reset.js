// Where the mail's link leads that sets another password.

import { askPublicly } from "./api.js";
import { finish, handle, onToken } from "./forms.js";

const form = document.querySelector("form");

onToken(form, (token) =>
  handle(form, async (fields) => {
    await askPublicly("POST", "/auth/password/reset/confirm", { token, password: fields.get("password") });
    finish(form, "The password is set. Sign in with it.");
  }),
);
