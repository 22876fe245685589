// The vendor's SDK against the double; prints what it was answered.
import { APIError, LoopsClient, RateLimitExceededError } from "loops";

const [url, transactionalId] = process.argv.slice(2);
const client = new LoopsClient("a-key");
client.apiRoot = `${url}/loops/api/`;
const told = {};

told.key = await client.testApiKey();
told.created = await client.createContact({ email: "ada@example.com", properties: { plan: "free" } });
told.updated = await client.updateContact({ email: "ada@example.com", properties: { plan: "pro" } });
told.found = await client.findContact({ email: "ada@example.com" });
told.event = await client.sendEvent({
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
told.mail = await client.sendTransactionalEmail(mail);
try {
  await client.sendTransactionalEmail(mail);
} catch (error) {
  told.replay = error instanceof APIError && error.statusCode;
}
try {
  for (let n = 0; n < 20; n++) await client.testApiKey();
} catch (error) {
  told.limited = error instanceof RateLimitExceededError && error.limit;
}
console.log(JSON.stringify(told));
