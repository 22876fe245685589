// One call of the vendor's SDK, whatever is answered: the double remembers what it sent.
import { APIError, LoopsClient } from "loops";

const [url, method, argument] = process.argv.slice(2);
const client = new LoopsClient("a-key");
client.apiRoot = `${url}/loops/api/`;
try {
  await client[method](JSON.parse(argument));
} catch (error) {
  if (!(error instanceof APIError)) throw error;
}
console.log("null");
