// Times as people say them.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in one or two words. */
export function age(from: string, now: number): string {
  const passed = now - Date.parse(from);
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h`;
  return `${Math.floor(passed / DAY)} d`;
}

/** How long it is until then. */
export function left(until: string, now: number): string {
  const minutes = Math.max(1, Math.round((Date.parse(until) - now) / MINUTE));
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

/** A time of today as such, another with its day. */
export function clock(at: string, now: number): string {
  const time = new Date(at);
  const hours = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (time.toDateString() === new Date(now).toDateString()) return hours;
  return `${time.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })}, ${hours}`;
}

/** A time as the field for date and time wants it. */
export function local(at: Date): string {
  const digits = (number: number): string => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${digits(at.getMonth() + 1)}-${digits(at.getDate())}`;
  return `${day}T${digits(at.getHours())}:${digits(at.getMinutes())}`;
}
