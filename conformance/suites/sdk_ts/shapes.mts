// Does an answer have the shape that the SDK's own declarations promise?
//
// The SDK does not look at what it gets; its types are only a promise to the compiler. Here the
// compiler is asked for the type that a method resolves to, and the value is held against it.

import ts from "typescript";

/** Looks at answers of the SDK whose declarations stand at this path. */
export class Shapes {
    readonly #checker: ts.TypeChecker;
    readonly #client: ts.Type;
    readonly #place: ts.Node;

    constructor(declarations: string) {
        const program = ts.createProgram([declarations], {
            strict: true,
            module: ts.ModuleKind.NodeNext,
            moduleResolution: ts.ModuleResolutionKind.NodeNext,
            target: ts.ScriptTarget.ES2022,
            skipLibCheck: true,
            types: [],
        });
        const source = program.getSourceFile(declarations);
        if (!source) throw new Error(`no ${declarations}`);
        this.#checker = program.getTypeChecker();
        this.#place = source;
        const module = this.#checker.getSymbolAtLocation(source);
        const names = module ? this.#checker.getExportsOfModule(module) : [];
        const found = names.find((it) => it.name === "Zavudev");
        if (!found) throw new Error("the SDK declares no Zavudev");
        const symbol = found.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(found) : found;
        this.#client = this.#checker.getDeclaredTypeOfSymbol(symbol);
    }

    /** What is wrong with what `method` (such as `contacts.channels.add`) resolved to. */
    faults(method: string, value: unknown): string[] {
        let type = this.#client;
        for (const name of method.split(".")) type = this.#member(type, name);
        const [signature] = type.getCallSignatures();
        if (!signature) throw new Error(`${method} is no method`);
        const promise = signature.getReturnType();
        const [first, item] = this.#checker.getTypeArguments(promise as ts.TypeReference);
        if (!first) throw new Error(`${method} promises nothing`);
        return promise.symbol.name === "PagePromise"
            ? this.#page(item ?? first, value)
            : this.#differences(first, value, method);
    }

    /** A page; its last one has no cursor, whatever the declaration says. */
    #page(item: ts.Type, value: unknown): string[] {
        const { items, nextCursor } = value as { items: unknown; nextCursor: unknown };
        if (!Array.isArray(items)) return ["items: is no array"];
        const faults = items.flatMap((it, index) => this.#differences(item, it, `items[${index}]`));
        if (nextCursor !== null && typeof nextCursor !== "string") faults.push("nextCursor: is neither text nor null");
        return faults;
    }

    #member(type: ts.Type, name: string): ts.Type {
        const symbol = type.getProperty(name);
        if (!symbol) throw new Error(`the SDK declares no ${name}`);
        return this.#checker.getTypeOfSymbolAtLocation(symbol, this.#place);
    }

    #differences(type: ts.Type, value: unknown, at: string): string[] {
        const { flags } = type;
        const is = (wanted: ts.TypeFlags) => (flags & wanted) !== 0;
        const want = (fits: boolean, words: string) => (fits ? [] : [`${at}: ${JSON.stringify(value)} is not ${words}`]);
        if (is(ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [];
        // Without a body the SDK resolves to null.
        if (is(ts.TypeFlags.Void | ts.TypeFlags.Undefined)) return want(value === undefined || value === null, "nothing");
        if (is(ts.TypeFlags.Null)) return want(value === null, "null");
        if (type.isStringLiteral() || type.isNumberLiteral()) return want(value === type.value, JSON.stringify(type.value));
        if (is(ts.TypeFlags.BooleanLiteral)) return want(String(value) === this.#checker.typeToString(type), "that");
        if (type.isUnion()) return this.#union(type, value, at);
        if (is(ts.TypeFlags.String)) return want(typeof value === "string", "text");
        if (is(ts.TypeFlags.Number)) return want(typeof value === "number", "a number");
        if (is(ts.TypeFlags.Boolean)) return want(typeof value === "boolean", "true or false");
        if (is(ts.TypeFlags.Object)) return this.#object(type, value, at);
        return [`${at}: nobody knows how to look at ${this.#checker.typeToString(type)}`];
    }

    #union(type: ts.UnionType, value: unknown, at: string): string[] {
        const each = type.types.map((it) => this.#differences(it, value, at));
        if (each.some((it) => it.length === 0)) return [];
        // The member that comes nearest says most.
        return [...each].sort((a, b) => depth(b) - depth(a))[0] ?? [];
    }

    #object(type: ts.Type, value: unknown, at: string): string[] {
        if (this.#checker.isArrayType(type)) {
            const [item] = this.#checker.getTypeArguments(type as ts.TypeReference);
            if (!Array.isArray(value) || !item) return [`${at}: ${JSON.stringify(value)} is no array`];
            return value.flatMap((it, index) => this.#differences(item, it, `${at}[${index}]`));
        }
        if (typeof value !== "object" || value === null || Array.isArray(value)) {
            return [`${at}: ${JSON.stringify(value)} is no object`];
        }
        const fields = value as Record<string, unknown>;
        const faults: string[] = [];
        for (const property of type.getProperties()) {
            const given = fields[property.name];
            const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
            if (given === undefined) {
                if (!isOptional) faults.push(`${at}.${property.name}: is missing`);
                continue;
            }
            const wanted = this.#checker.getTypeOfSymbolAtLocation(property, this.#place);
            faults.push(...this.#differences(wanted, given, `${at}.${property.name}`));
        }
        const others = type.getStringIndexType();
        if (others) {
            const declared = new Set(type.getProperties().map((it) => it.name));
            for (const [name, given] of Object.entries(fields)) {
                if (!declared.has(name)) faults.push(...this.#differences(others, given, `${at}.${name}`));
            }
        }
        return faults;
    }
}

/** How far into the value the first of these faults lies. */
function depth(faults: string[]): number {
    return faults[0]?.split(":")[0]?.split(/[.[]/).length ?? 0;
}
