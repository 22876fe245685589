// The vendor's SDK against the double in front of a real Redis; prints what it read.
import { Redis } from "@upstash/redis";

const [url] = process.argv.slice(2);
const redis = new Redis({ url: `${url}/upstash`, token: "token", enableTelemetry: false });
const result = {};

result.set = await redis.set("k", { name: "Ümläut", n: 5 }, { ex: 60 });
result.get = await redis.get("k");
result.many = await Promise.all([redis.incr("n"), redis.incr("n"), redis.exists("none")]);
await redis.hset("h", { progress: 40, message: "Lernt, ja" });
result.hash = await redis.hgetall("h");
result.script = await redis.eval("return {KEYS[1], ARGV[1]}", ["key"], ["argument"]);
result.transaction = await redis.multi().set("a", 1).get("a").exec();
try {
  await redis.lpush("k", "x");
} catch (error) {
  result.error = String(error.message);
}
const subscription = redis.subscribe("training:t-1");
await new Promise((resolve) => subscription.on("subscribe", resolve));
const heard = new Promise((resolve) => subscription.on("message", ({ message }) => resolve(message)));
await redis.publish("training:t-1", JSON.stringify({ progress: 40, message: "Learning" }));
result.heard = await heard;
await subscription.unsubscribe();
console.log(JSON.stringify(result));
process.exit(0);
