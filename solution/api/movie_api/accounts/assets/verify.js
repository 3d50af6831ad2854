// Where the mail's link leads that confirms an address. Opening it does nothing: programs that look into
// mails open links, too.

import { askPublicly } from "./api.js";
import { finish, handle, onToken } from "./forms.js";

const form = document.querySelector("form");

onToken(form, (token) =>
  handle(form, async () => {
    const { confirmed, email } = await askPublicly("POST", "/auth/email/verify", { token });
    finish(
      form,
      confirmed === "registration"
        ? `The account is there: sign in as ${email}.`
        : `The account has the address ${email} now: sign in with it from now on.`,
    );
  }),
);
