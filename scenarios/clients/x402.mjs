// Reads the gateway's 402 with the x402 library. Prints one JSON line. Arguments: GATEWAY_URL MODEL.
import { decodePaymentRequiredHeader } from "@x402/core/http";

const [gateway, model] = process.argv.slice(2);
const answer = await fetch(`${gateway}/v1/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model, messages: [{ role: "user", content: "hello" }], max_tokens: 8 }),
});
const required = decodePaymentRequiredHeader(answer.headers.get("payment-required"));
console.log(JSON.stringify({ status: answer.status, required, body: await answer.json() }));
