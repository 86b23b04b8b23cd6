// Answers for segments.py: reads a JSON array of texts on stdin, writes for each
// [split-sms encoding, units, parts, sms-segments-calculator encoding, parts].
// Needs npm sms-segments-calculator 1.3.0 and split-sms 0.1.7 below the working directory.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.cwd() + "/");
const { SegmentedMessage } = require("sms-segments-calculator");
const splitter = require("split-sms");

const answers = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  const one = splitter.split(text);
  const gsm = one.characterSet === "GSM";
  const other = new SegmentedMessage(text);
  return [
    gsm ? "gsm7" : "ucs2",
    gsm ? one.bytes : one.bytes / 2,
    one.parts.length,
    other.encodingName === "GSM-7" ? "gsm7" : "ucs2",
    other.segmentsCount,
  ];
});
process.stdout.write(JSON.stringify(answers));
