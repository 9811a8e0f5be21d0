//! JSON-RPC over HTTP and WebSocket: what wallets, libraries and explorers call.
