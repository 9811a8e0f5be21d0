// A stock OpenAI client in Node: one streamed request. Prints one JSON line.
// OPENAI_BASE_URL and OPENAI_API_KEY say where and who; arguments: MODEL QUESTION.
import OpenAI from "openai";

const [model, question] = process.argv.slice(2);
const client = new OpenAI();
const stream = await client.chat.completions.create({
  model,
  messages: [{ role: "user", content: question }],
  max_tokens: 24,
  temperature: 0,
  seed: 7,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage = null;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
console.log(JSON.stringify({ text, usage }));
