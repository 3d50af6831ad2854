// Times, as the reader's own country writes them.

/** The element of a time: `options` are those of Intl.DateTimeFormat. */
export function momentOf(text, options = { dateStyle: "medium", timeStyle: "short" }) {
  const made = document.createElement("time");
  made.dateTime = text;
  made.textContent = new Date(text).toLocaleString(undefined, options);
  return made;
}
