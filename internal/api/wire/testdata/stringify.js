// Reads lines of "<base64 of the input> <base64 of what was made of it>" and
// prints one line for each pair that JavaScript does not agree with.
"use strict";
const text = (base64) => Buffer.from(base64, "base64").toString("utf8");
let pairs = 0;
for (const line of require("fs").readFileSync(0, "latin1").split("\n")) {
  if (line === "") continue;
  pairs++;
  const [raw, got] = line.split(" ").map(text);
  const again = JSON.stringify(JSON.parse(got));
  if (again !== got) {
    console.log("changed: " + JSON.stringify({ raw, got, again }));
    continue;
  }
  // A lone surrogate and a byte that is not UTF-8 become U+FFFD here, and stay
  // what they are in JavaScript: such an input has no second opinion.
  if (/\\u[dD][89a-fA-F]/.test(raw) || raw.includes("\ufffd")) continue;
  const want = JSON.stringify(JSON.parse(raw));
  if (want !== got) console.log("differs: " + JSON.stringify({ raw, got, want }));
}
console.log("pairs " + pairs);
