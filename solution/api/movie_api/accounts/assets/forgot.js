// Asking for the mail whose link sets another password.

import { askPublicly } from "./api.js";
import { finish, handle } from "./forms.js";

const form = document.querySelector("form");

// Where no mail can be sent, there is no form.
if (form) {
  handle(form, async (fields) => {
    const { message } = await askPublicly("POST", "/auth/password/reset", { email: fields.get("email") });
    finish(form, message);
  });
}
