// The vendor's SDK against the double in front of a real Redis; prints what it read.
import { Redis } from "@upstash/redis";

const [url] = process.argv.slice(2);
const redis = new Redis({ url: `${url}/upstash`, token: "token", enableTelemetry: false });
const told = {};

told.set = await redis.set("k", { name: "Ümläut", n: 5 }, { ex: 60 });
told.get = await redis.get("k");
told.many = await Promise.all([redis.incr("n"), redis.incr("n"), redis.exists("none")]);
await redis.hset("h", { progress: 40, message: "Lernt, ja" });
told.hash = await redis.hgetall("h");
told.script = await redis.eval("return {KEYS[1], ARGV[1]}", ["key"], ["argument"]);
told.transaction = await redis.multi().set("a", 1).get("a").exec();
try {
  await redis.lpush("k", "x");
} catch (error) {
  told.error = String(error.message);
}
const line = redis.subscribe("training:t-1");
await new Promise((resolve) => line.on("subscribe", resolve));
const heard = new Promise((resolve) => line.on("message", ({ message }) => resolve(message)));
await redis.publish("training:t-1", JSON.stringify({ progress: 40, message: "Learning" }));
told.heard = await heard;
await line.unsubscribe();
console.log(JSON.stringify(told));
process.exit(0);
