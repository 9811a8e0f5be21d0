/** Any contract by its interface: what can be asked of it and sent to it. */
import { type Abi, type AbiFunction, type AbiParameter, type Hex, decodeFunctionResult, encodeFunctionData, toFunctionSignature } from "viem";
import { abis, addresses, final, revertInWords } from "./chain.ts";
import { confirm } from "./ask.svelte.ts";
import { money } from "./deeds.ts";
import { t } from "./i18n.svelte.ts";
import { rpc } from "./node.ts";
import { acting } from "./keys.ts";

/** What somebody fills in: an argument, or a field of one that is a struct. */
export interface Field {
  name: string;
  type: string;
}
export interface ContractFunction {
  signature: string;
  fields: Field[];
  isView: boolean;
  isPayable: boolean;
  abi: AbiFunction;
}

const partsOf = (input: AbiParameter): readonly AbiParameter[] | undefined =>
  input.type === "tuple" && "components" in input ? input.components : undefined;

function fieldsOf(input: AbiParameter, name: string): Field[] {
  const named = (part: AbiParameter, index: number): string => [name, part.name || `${index + 1}`].filter(Boolean).join(".");
  return partsOf(input)?.flatMap((part, index) => fieldsOf(part, named(part, index))) ?? [{ name, type: input.type }];
}

const list = (abi: Abi): ContractFunction[] =>
  abi
    .filter((one): one is AbiFunction => one.type === "function")
    .map((one) => ({
      signature: toFunctionSignature(one),
      // The only argument needs no name before its fields.
      fields: one.inputs.flatMap((input, index) => fieldsOf(input, partsOf(input) && one.inputs.length === 1 ? "" : input.name || `#${index + 1}`)),
      isView: one.stateMutability === "view" || one.stateMutability === "pure",
      isPayable: one.stateMutability === "payable",
      abi: one,
    }))
    .sort((a, b) => a.signature.localeCompare(b.signature));

/** A protocol's functions; none for an address whose interface is not known. */
export function functionsOf(address: string): { functions: ContractFunction[]; isProtocol: boolean } {
  const name = Object.entries(addresses).find(([, one]) => one.toLowerCase() === address.toLowerCase())?.[0];
  const abi = name ? (abis as Record<string, Abi>)[name] : undefined;
  return { functions: abi ? list(abi) : [], isProtocol: abi !== undefined };
}

/** The functions of an interface as JSON: an ABI, or an artefact that has one. */
export function functionsIn(text: string): ContractFunction[] {
  const read = JSON.parse(text) as Abi | { abi: Abi };
  const found = list(Array.isArray(read) ? (read as Abi) : (read as { abi: Abi }).abi);
  if (!found.length) throw new Error("no function");
  return found;
}

function value(type: string, text: string): unknown {
  const plain = text.trim();
  if (/\]$|^tuple/.test(type)) return JSON.parse(plain || "[]") as unknown;
  if (type === "bool") return /^(true|1)$/i.test(plain);
  if (/^u?int/.test(type)) return BigInt(plain || "0");
  return type === "string" ? text : plain;
}

/** An argument of what was filled in, in the order of fields. */
function taken(input: AbiParameter, texts: Iterator<string>): unknown {
  const parts = partsOf(input);
  return parts ? parts.map((part) => taken(part, texts)) : value(input.type, texts.next().value ?? "");
}

export function encoded(one: ContractFunction, values: string[]): Hex {
  const texts = values[Symbol.iterator]();
  return encodeFunctionData({ abi: [one.abi], functionName: one.abi.name, args: one.abi.inputs.map((input) => taken(input, texts)) });
}

const shown = (found: unknown): string =>
  typeof found === "object" && found !== null
    ? JSON.stringify(found, (_, one: unknown) => (typeof one === "bigint" ? one.toString() : one), 2)
    : String(found);

/** Asks the node; a refusal is said in the protocol's own words where they are known. */
async function asked(call: Record<string, unknown>): Promise<Hex> {
  try {
    return (await rpc("eth_call", [call, "latest"])) as Hex;
  } catch (error) {
    const { data } = error as { data?: unknown };
    const why = typeof data === "string" ? revertInWords(data as Hex) : "";
    throw why ? new Error(why) : error;
  }
}

export async function call(address: string, one: ContractFunction, values: string[]): Promise<string> {
  const data = await asked({ to: address, data: encoded(one, values) });
  return shown(decodeFunctionResult({ abi: [one.abi], functionName: one.abi.name, data }));
}

export async function send(address: string, one: ContractFunction, values: string[], worth: bigint): Promise<Hex | undefined> {
  const signer = await acting();
  const data = encoded(one, values);
  await asked({ from: signer.address, to: address, data, value: `0x${worth.toString(16)}` });
  const lines: [string, string][] = one.fields.map((field, index) => [field.name, values[index] ?? ""]);
  const accepted = await confirm({
    title: one.abi.name,
    lines: [[t("to"), address], [t("amount"), money(worth)], ...lines, [t("tx.from"), signer.address]],
    warning: t("contract.warning"),
    accept: t("contract.send"),
  });
  if (!accepted) return undefined;
  const hash = await signer.transfer(address as Hex, worth, data);
  await final(hash);
  return hash;
}
