// Making an account: it is there when the mail's link is opened.

import { askPublicly } from "./api.js";
import { finish, handle } from "./forms.js";

const form = document.querySelector("form");

// Where nobody can register, there is no form.
if (form) {
  handle(form, async (fields) => {
    const { message } = await askPublicly("POST", "/auth/register", {
      display_name: fields.get("display_name").trim(),
      email: fields.get("email"),
      password: fields.get("password"),
    });
    finish(form, message);
  });
}
