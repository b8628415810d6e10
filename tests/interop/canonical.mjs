// SPDX-License-Identifier: Apache-2.0
//
// One form for a message whatever encoding carried it: OTLP/JSON with default values left out.
//
// Presence is kept where the format has it (members of a oneof, optional fields, elements of a
// list). 64-bit integers are decimal strings, ids lower-case hex, other bytes base64, doubles that
// JSON cannot say are strings. Nothing is repaired: a value of the wrong type stays as it came and
// so compares unequal.

import protobuf from 'protobufjs';

const HEX_FIELDS = new Set(['traceId', 'spanId', 'parentSpanId', 'profileId']);
const INT64 = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
const INT32 = new Set(['int32', 'uint32', 'sint32', 'fixed32', 'sfixed32']);

function canonicalDouble(value) {
    if (typeof value !== 'number')
        return value;
    if (Object.is(value, -0))
        return '-0';
    return Number.isFinite(value) ? value : String(value);
}

function canonicalBytes(field, value, fromJson) {
    if (!HEX_FIELDS.has(field.name))
        return value;
    return fromJson ? value : Buffer.from(value, 'base64').toString('hex');
}

function canonicalScalar(field, value, fromJson) {
    if (INT64.has(field.type))
        return Number.isInteger(value) ? String(value) : value;
    if (INT32.has(field.type) && typeof value === 'string')
        return /^-?[0-9]+$/.test(value) ? Number(value) : value;
    if (field.type === 'double' || field.type === 'float')
        return canonicalDouble(value);
    if (field.type === 'bytes')
        return canonicalBytes(field, value, fromJson);
    return value;
}

function isDefault(value) {
    if (value !== null && typeof value === 'object')
        return Object.keys(value).length === 0;
    return value === '' || value === 0 || value === false || value === '0';
}

// `value` is a message as proto-loader makes it (longs and bytes as strings) or as JSON.parse
// does. Paths of JSON members that the schema does not have are added to `unknown`.
export function canonicalMessage(type, value, fromJson, unknown, path = '') {
    const out = {};
    const canonicalOne = (field, v, where) => {
        const resolved = field.resolve().resolvedType;
        return resolved instanceof protobuf.Type
            ? canonicalMessage(resolved, v, fromJson, unknown, where)
            : canonicalScalar(field, v, fromJson);
    };
    for (const name of Object.keys(value)) {
        const field = type.fields[name];
        const v = value[name];
        const where = path ? `${path}.${name}` : name;
        if (!field) {
            unknown.push(where);
        } else if (field.repeated) {
            if (v?.length)
                out[name] = v.map((element) => canonicalOne(field, element, where));
        } else if (v !== null && v !== undefined) {
            const one = canonicalOne(field, v, where);
            if (field.partOf || !isDefault(one))
                out[name] = one;
        }
    }
    return out;
}
