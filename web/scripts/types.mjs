// Writes src/api/types.ts: the shapes of openapi.json that the pages use.
//
// Only what can be reached from the paths and shapes below, so that the file changes when they do and
// not with the rest of the API.

import { readFileSync, writeFileSync } from "node:fs";

const PATHS = [/^\/ui\/v1\//];
// Shapes of `/v1` that the pages use, by name: its paths would bring along far more.
const SHAPES = ["Alert", "Conversation", "Message", "MessageRouting", "Routing", "Silence"];

const here = new URL("..", import.meta.url);
const document = JSON.parse(readFileSync(new URL("../openapi.json", here), "utf8"));
const schemas = document.components.schemas;
const wanted = new Set();

function reach(value) {
  if (Array.isArray(value)) return value.forEach(reach);
  if (value === null || typeof value !== "object") return;
  if (typeof value.$ref === "string") {
    const name = value.$ref.split("/").at(-1);
    if (!wanted.has(name)) {
      wanted.add(name);
      reach(schemas[name]);
    }
  }
  Object.values(value).forEach(reach);
}

function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.allOf) return schema.allOf.map(type).join(" & ");
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return several.map(type).join(" | ");
  if (schema.enum) return schema.enum.map((it) => JSON.stringify(it)).join(" | ");
  const kinds = [schema.type ?? "object"].flat();
  return kinds.map((kind) => ofKind(kind, schema)).join(" | ");
}

function ofKind(kind, schema) {
  switch (kind) {
    case "string":
    case "boolean":
    case "null":
      return kind;
    case "integer":
    case "number":
      return "number";
    case "array": {
      const item = type(schema.items);
      return item.includes("|") ? `(${item})[]` : `${item}[]`;
    }
    default:
      return schema.properties ? `{\n${fields(schema)}\n}` : "Record<string, unknown>";
  }
}

function comment(text, indent) {
  return text ? `${indent}/** ${text.replaceAll("\n", " ")} */\n` : "";
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .map(([name, it]) => `${comment(it.description, "  ")}  ${name}${required.has(name) ? "" : "?"}: ${type(it)};`)
    .join("\n");
}

for (const [path, item] of Object.entries(document.paths)) {
  if (PATHS.some((it) => it.test(path))) reach(item);
}
for (const name of SHAPES) reach({ $ref: `#/components/schemas/${name}` });
const parts = [...wanted].sort().map((name) => {
  const schema = schemas[name];
  const head = comment(schema.description, "");
  return schema.properties
    ? `${head}export interface ${name} {\n${fields(schema)}\n}\n`
    : `${head}export type ${name} = ${type(schema)};\n`;
});
const text = `// Made from openapi.json by \`npm run types\`; not to be changed by hand.\n\n${parts.join("\n")}`;
writeFileSync(new URL("src/api/types.ts", here), text);
