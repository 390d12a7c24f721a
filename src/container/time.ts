// RFC 3339 without Date: the engine's context has none.

const DAY = 86400;
/** Days of 400 Gregorian years, 100, 4 and 1. */
const ERA = 146097;

/** UTC with nanoseconds as Go's time.RFC3339Nano prints it: trailing zeros of the fraction are left out. */
export function formatTime(seconds: number, nanoseconds = 0): string {
  const days = Math.floor(seconds / DAY);
  const rest = seconds - days * DAY;
  const [year, month, day] = civil(days);
  const time = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${time}${fraction(nanoseconds)}Z`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`;
}

function fraction(nanoseconds: number): string {
  if (nanoseconds === 0) return "";
  const digits = String(nanoseconds).padStart(9, "0");
  let end = 9;
  while (digits[end - 1] === "0") end--;
  return `.${digits.slice(0, end)}`;
}

/** Days since 1970-01-01 as [year, month, day]. Years begin in March here, so that the leap day is the last one. */
function civil(days: number): [number, number, number] {
  const fromMarch0 = days + 719468;
  const era = Math.floor(fromMarch0 / ERA);
  const dayOfEra = fromMarch0 - era * ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1];
}
