export * from "./chain.js";
export * from "./contributions.js";
export * from "./economy.js";
export * from "./generated.js";
export * from "./intents.js";
export * from "./messages.js";
export * from "./reads.js";
export * from "./writes.js";
