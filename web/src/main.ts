// Where the app begins.

import { mount } from "svelte";

import "./app.css";
import App from "./App.svelte";

const target = document.getElementById("app");
if (target) {
  // What the page itself shows until this program is loaded.
  target.replaceChildren();
  mount(App, { target });
}

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js").catch(() => {
    // Without it the app works too, but not without a connection.
  });
  navigator.serviceWorker.addEventListener("message", (event: MessageEvent<{ page?: string }>) => {
    if (event.data.page) location.hash = event.data.page;
  });
}
