/** Calls and events of protocols, argument by argument: what the index has as lists gets the names of its fields. */
import { type Abi, type AbiParameter, type Hex, decodeEventLog, decodeFunctionData } from "viem";
import type { ChainEvent, Decoded } from "./api.ts";
import { abis, addresses } from "./chain.ts";

const plain = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? one.toString() : one)) : String(value);

/** Elements of a list that are shown one by one. */
const MOST = 50;

/** Arguments one by one: a struct as its fields, a list of structs as theirs. */
function flat(input: AbiParameter, value: unknown, name: string): Decoded["arguments"] {
  const parts = "components" in input ? input.components : undefined;
  if (parts && input.type === "tuple" && typeof value === "object" && value !== null) {
    const fields = value as Record<string, unknown>;
    return parts.flatMap((part) => flat(part, fields[part.name ?? ""], [name, part.name ?? ""].filter(Boolean).join(".")));
  }
  if (parts && input.type === "tuple[]" && Array.isArray(value) && value.length) {
    return value.slice(0, MOST).flatMap((one: unknown, index) => flat({ ...input, type: "tuple" }, one, `${name}[${index + 1}]`));
  }
  return [{ name, type: input.type, value: plain(value) }];
}

function interfaceOf(address: string): { protocol: string; abi: Abi } | undefined {
  const protocol = Object.entries(addresses).find(([, one]) => one.toLowerCase() === address.toLowerCase())?.[0];
  const abi = protocol ? (abis as Record<string, Abi>)[protocol] : undefined;
  return protocol && abi ? { protocol, abi } : undefined;
}

/** Whether an argument has parts that the index does not name. */
const hasParts = (of: Decoded): boolean => of.arguments.some((one) => one.type.startsWith("tuple"));

/** What an event says, field by field; as the index has it where nothing is hidden in it. */
export function decodedEvent(event: ChainEvent): Decoded | null {
  const known = interfaceOf(event.emitter);
  if (!event.event || !known || !hasParts(event.event)) return event.event;
  try {
    const { eventName, args } = decodeEventLog({ abi: known.abi, topics: event.topics as [Hex, ...Hex[]], data: event.data as Hex });
    const entry = known.abi.find((one) => one.type === "event" && one.name === eventName);
    const inputs = entry?.type === "event" ? entry.inputs : [];
    const values = (args ?? {}) as Record<string, unknown>;
    return { ...event.event, arguments: inputs.flatMap((input) => flat(input, values[input.name ?? ""], input.name ?? "")) };
  } catch {
    return event.event;
  }
}

/** What a call does, in its interface's words. */
export function decoded(target: string, data: Hex): Decoded | undefined {
  const known = interfaceOf(target);
  if (!known || data.length < 10) return undefined;
  const { protocol, abi } = known;
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    // Of several with one name, the one with as many arguments.
    const entry = abi.find((one) => one.type === "function" && one.name === functionName && one.inputs.length === args.length);
    const inputs = entry?.type === "function" ? entry.inputs : [];
    // The only argument needs no name before its fields.
    const of = (input: AbiParameter): string => (inputs.length === 1 && input.type === "tuple" ? "" : (input.name ?? ""));
    return { protocol, name: functionName, arguments: inputs.flatMap((input, index) => flat(input, args[index], of(input))) };
  } catch {
    return undefined;
  }
}

