/** The node, for the few questions that need no chain library. */
import { Problem, post } from "./api.ts";

let count = 0;

export async function rpc(method: string, params: unknown[]): Promise<unknown> {
  count += 1;
  const answer = await post<{ result?: unknown; error?: { message: string; data?: unknown } }>("/app/rpc", { jsonrpc: "2.0", id: count, method, params });
  if (answer.error) throw Object.assign(new Problem(answer.error.message, "node", 0), { data: answer.error.data });
  return answer.result;
}
