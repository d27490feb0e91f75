// What Slack asks before something counts.
import { mrkdwn } from "./mrkdwn.js";

/** confirmed asks what an element wants to be asked, if anything. */
export function confirmed(element) {
  const c = element.confirm;
  if (!c) return true;
  const dialog = document.getElementById("confirm");
  const fill = (id, text) => (document.getElementById(id).textContent = text);
  fill("confirm-title", c.title.text);
  document.getElementById("confirm-text").replaceChildren(...(c.text.type === "mrkdwn" ? mrkdwn(c.text.text, {}) : [c.text.text]));
  fill("confirm-no", c.deny.text);
  fill("confirm-yes", c.confirm.text);
  const yes = document.getElementById("confirm-yes");
  yes.classList.toggle("danger", c.style === "danger");
  yes.classList.toggle("primary", c.style !== "danger");
  dialog.returnValue = "no"; // so that Escape is one
  dialog.showModal();
  // What is dangerous takes a deliberate step.
  document.getElementById(c.style === "danger" ? "confirm-no" : "confirm-yes").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
