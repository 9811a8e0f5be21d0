/** A whole statement as comma-separated values, however many pages it has. */
import { Problem, query } from "./api.ts";

/** Rows are asked for so many at once. */
const ROWS = 100;

/** Bounds of a month as `2026-11`, in milliseconds. */
function bounds(month: string): [from: number, until: number] {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return [Date.UTC(year, number - 1), Date.UTC(year, number)];
}

/** Pages come newest first: a month is over where its first second is passed. `onRows` hears how many were read. */
export async function statement(account: string, month: string, onRows: (count: number) => void, signal?: AbortSignal): Promise<string> {
  const [from, until] = month ? bounds(month) : [0, Infinity];
  const kept: string[] = [];
  let head = "";
  let read = 0;
  let cursor: string | undefined;
  do {
    const answer = await fetch(query(`/accounts/${account}/statement`, { format: "csv", limit: ROWS, cursor }), signal ? { signal } : {});
    if (!answer.ok) throw new Problem(answer.statusText, "offline", answer.status);
    const [first = "", ...rows] = (await answer.text()).split("\n").filter(Boolean);
    head = first;
    const times = rows.map((row) => Number(row.split(",", 1)[0]));
    kept.push(...rows.filter((_, index) => (times[index] ?? 0) >= from && (times[index] ?? 0) < until));
    read += rows.length;
    onRows(read);
    cursor = (times.at(-1) ?? 0) < from ? undefined : (answer.headers.get("sahara-next") ?? undefined);
  } while (cursor);
  return `${[head, ...kept].join("\n")}\n`;
}
