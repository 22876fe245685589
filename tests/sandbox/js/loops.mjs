// The vendor's SDK against the double; prints what it was answered.
import { APIError, LoopsClient, RateLimitExceededError } from "loops";

const [url, transactionalId] = process.argv.slice(2);
const client = new LoopsClient("a-key");
client.apiRoot = `${url}/loops/api/`;
const result = {};

result.key = await client.testApiKey();
result.created = await client.createContact({ email: "ada@example.com", properties: { plan: "free" } });
result.updated = await client.updateContact({ email: "ada@example.com", properties: { plan: "pro" } });
result.found = await client.findContact({ email: "ada@example.com" });
result.event = await client.sendEvent({
  email: "ada@example.com",
  eventName: "training_completed",
  headers: { "Idempotency-Key": "k-1" },
});
const mail = {
  transactionalId,
  email: "ada@example.com",
  dataVariables: { name: "Ada", dashboard_url: "https://a.example", docs_url: "https://d.example" },
  headers: { "Idempotency-Key": "k-2" },
};
result.mail = await client.sendTransactionalEmail(mail);
try {
  await client.sendTransactionalEmail(mail);
} catch (error) {
  result.replay = error instanceof APIError && error.statusCode;
}
try {
  for (let n = 0; n < 20; n++) await client.testApiKey();
} catch (error) {
  result.limited = error instanceof RateLimitExceededError && error.limit;
}
console.log(JSON.stringify(result));
