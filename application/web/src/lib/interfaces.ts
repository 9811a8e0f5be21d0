/** The interfaces of all protocols, as the program that serves this page has them: nothing here is kept by hand. */
import type { Abi, AbiParameter } from "viem";
import { abis, addresses } from "./chain.ts";

export interface Entry {
  name: string;
  /** Types with their names, as in Solidity. */
  inputs: string;
  outputs: string;
  isView: boolean;
  isPayable: boolean;
}
export interface Interface {
  protocol: string;
  address: string;
  functions: Entry[];
  events: Entry[];
  errors: Entry[];
}

const typed = (all: readonly AbiParameter[]): string =>
  all.map((one) => ["components" in one ? one.type.replace("tuple", `(${typed(one.components)})`) : one.type, one.name].filter(Boolean).join(" ")).join(", ");
const byName = (a: Entry, b: Entry): number => a.name.localeCompare(b.name);

export function interfaces(): Interface[] {
  return Object.entries(abis as Record<string, Abi>).map(([protocol, abi]) => {
    const of = (type: "function" | "event" | "error"): Entry[] =>
      abi
        .flatMap((one): Entry[] => {
          if (one.type !== type || !("name" in one)) return [];
          const mutability = one.type === "function" ? one.stateMutability : "";
          return [{ name: one.name, inputs: typed(one.inputs), outputs: one.type === "function" ? typed(one.outputs) : "", isView: mutability === "view" || mutability === "pure", isPayable: mutability === "payable" }];
        })
        .sort(byName);
    return { protocol, address: (addresses as Record<string, string>)[protocol] ?? "", functions: of("function"), events: of("event"), errors: of("error") };
  });
}
