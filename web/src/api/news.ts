// What happens in the project, as far as pages of their own follow it.

import { listen } from "./stream";

/** Calls the one that it concerns; call the result to end it. */
export function follow(on: { alerts: () => void; inbound: () => void }): () => void {
  const types = ["alert.raised", "alert.resolved", "message.inbound"];
  return listen(`/v1/events?types=${types.join(",")}`, types, (name) => {
    if (name === "message.inbound") on.inbound();
    else on.alerts();
  });
}
