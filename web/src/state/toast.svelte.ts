// One short sentence at the foot of the page, read out by screen readers too.

const SHOWN_MS = 4_500;

export const toast = $state<{ text: string }>({ text: "" });

let timer: ReturnType<typeof setTimeout> | undefined;

/** Says it for a while. */
export function say(text: string): void {
  clearTimeout(timer);
  toast.text = text;
  timer = setTimeout(() => (toast.text = ""), SHOWN_MS);
}
