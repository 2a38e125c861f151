// The verification that the documentation gives for Node.js, run on a body on
// standard input, with a signature and a secret as arguments.
const crypto = require("crypto");

function isValidWebhook(rawBody, signatureHeader, secret) {
  const expected = crypto
    .createHmac("sha256", secret)
    .update(rawBody)
    .digest("hex");
  return `sha256=${expected}` === signatureHeader;
}

const body = require("fs").readFileSync(0);
const [sig, secret] = process.argv.slice(2);
const raw = isValidWebhook(body.toString(), sig, secret);
// A receiver that signs what it parsed must come to the same bytes.
const again = isValidWebhook(JSON.stringify(JSON.parse(body.toString())), sig, secret);
console.log(`${raw} ${again}`);
