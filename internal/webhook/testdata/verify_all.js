// Verifies letters on standard input, one JSON object a line, as receivers of the
// dialect do, and prints a line for each that does not verify, or that does
// although it was changed. The first argument is the secret, the second a
// directory in which npm has installed "standardwebhooks", or nothing.
const crypto = require("crypto");
const path = require("path");

const [secret, modules] = process.argv.slice(2);
const hmac = (data) => crypto.createHmac("sha256", secret).update(data).digest("hex");

// Each takes the raw body, as a buffer, and the signature in the dialect's header.
const receivers = {
  // The documented one of VoxForge, as its documents have it.
  native(rawBody, signatureHeader) {
    return `sha256=${hmac(rawBody)}` === signatureHeader;
  },
  trillet(rawBody, signatureHeader) {
    return hmac(rawBody) === signatureHeader;
  },
  // The documented one of Klen, behind Express and body-parser: it signs again
  // what was parsed.
  klen(rawBody, signatureHeader) {
    return hmac(JSON.stringify(JSON.parse(rawBody.toString("utf8")))) === signatureHeader;
  },
};

let standard = null;
if (modules) {
  const { Webhook } = require(path.join(modules, "node_modules", "standardwebhooks"));
  const webhook = new Webhook(secret);
  standard = (raw, headers) => {
    try {
      webhook.verify(raw, headers);
      return true;
    } catch (err) {
      return false;
    }
  };
}

let verified = 0;
for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
  if (line === "") continue;
  const letter = JSON.parse(line);
  const raw = Buffer.from(letter.body, "base64");
  const changed = Buffer.concat([raw.subarray(0, raw.length - 1), Buffer.from(",\"more\":1}")]);
  const tell = (what) => console.log(`${what} ${letter.dialect} ${letter.body}`);
  if (JSON.stringify(JSON.parse(raw.toString("utf8"))) !== raw.toString("utf8")) tell("other bytes when stringified");
  if (!receivers[letter.dialect](raw, letter.signature)) tell("not verified");
  if (receivers[letter.dialect](changed, letter.signature)) tell("forged, but verified");
  if (standard) {
    if (!standard(raw, letter.headers)) tell("not verified by standardwebhooks");
    if (standard(changed, letter.headers)) tell("forged, but verified by standardwebhooks");
  }
  verified++;
}
console.log(`${verified} letters`);
