export * from "./chain.js";
export * from "./generated.js";
export * from "./messages.js";
export * from "./reads.js";
export * from "./writes.js";
