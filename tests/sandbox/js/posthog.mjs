// The vendor's SDK against the double; prints what it decided.
import { PostHog } from "posthog-node";

const [url] = process.argv.slice(2);
const client = new PostHog("phc_key", { host: `${url}/posthog`, flushAt: 1, fetchRetryCount: 0 });
client.capture({
  distinctId: "user-1",
  event: "dataset_uploaded",
  properties: { filename: "a.csv", $set: { plan: "pro" } },
  uuid: "0198c0de-0000-7000-8000-000000000001",
  timestamp: new Date("2026-11-20T10:00:00Z"),
});
const on = await client.isFeatureEnabled("on", "user-1", { sendFeatureFlagEvents: false });
await client.shutdown();
console.log(JSON.stringify({ on }));
