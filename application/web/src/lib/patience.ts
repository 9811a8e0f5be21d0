/** How long to wait for who does not answer. */
import { Problem } from "./api.ts";

const LONGEST = 30_000;

/** Before the next try, milliseconds: twice as long after every failure in a row, half a minute at most. */
export const pause = (failures: number): number => Math.min(500 * 2 ** failures, LONGEST);

/** Whether who was asked knows of no such thing. */
export const isNowhere = (problem: unknown): boolean => problem instanceof Problem && problem.status === 404;

/** Whether the same question may be answered in a while: nobody was reached, or who was is busy or broken. */
export const isPassing = (problem: unknown): boolean =>
  problem instanceof Problem && (problem.code === "offline" || problem.status === 429 || problem.status >= 500);
