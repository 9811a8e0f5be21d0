import type { chat as en } from "../en/chat.ts";

/** As `../en/chat.ts`, in Bahasa Indonesia. */
export const chat: Record<keyof typeof en, string> = {
  "chat.lead": "Setiap jawaban dibayar per token, dan tanda terimanya menyebut semua yang mendapat bagian.",
  "chat.log": "Percakapan",
  "chat.one": "Percakapan pertama",
  "chat.paidIn": "{people} pihak dibayar dalam {seconds} dtk",
  "chat.pair": "Berdampingan",
  "chat.preparing": "Menyiapkan kunci dan jatahnya…",
  "chat.receipt": "Tanda terima beserta bukti",
  "chat.settling": "Sedang dibayar di rantai…",
  "chat.tokens": "{read} token dibaca, {written} ditulis",
  "chat.tokensSoFar": "{written} token sejauh ini",
  "chat.transaction": "Dibayar di blok {block}",
  "chat.two": "Percakapan kedua",
  "home.hint3": "Ceritakan kisah pendek tentang laut.",
};
