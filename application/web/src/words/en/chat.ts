/** Words of the chat that come after the first visit. */
export const chat = {
  "chat.lead": "Every answer is paid by the token, and its receipt names everyone who earned from it.",
  "chat.log": "Conversation",
  "chat.one": "First conversation",
  "chat.paidIn": "{people} were paid within {seconds} s",
  "chat.pair": "Side by side",
  "chat.preparing": "Preparing a key and its allowance…",
  "chat.receipt": "Receipt with its proof",
  "chat.settling": "Being paid on chain…",
  "chat.tokens": "{read} tokens read, {written} written",
  "chat.tokensSoFar": "{written} tokens so far",
  "chat.transaction": "Paid in block {block}",
  "chat.two": "Second conversation",
  "home.hint3": "Tell me a short story about the sea.",
};
