// SPDX-License-Identifier: Apache-2.0
//
// An OTLP server made of other people's parts: grpc-js for gRPC, node's own HTTP server for
// HTTP/protobuf and HTTP/JSON, protobufjs for decoding.
//
//   node sink.mjs --protos DIR --out FILE
//
// Listens on free ports of 127.0.0.1 and prints them as one JSON line. Every request is answered
// with success and appended to FILE as one line: {signal, transport, encoding, headers, unknown,
// body} with the body in canonical form. An HTTP request that cannot be read is answered 400 and
// written as {error}; a gRPC request that cannot be decoded never gets past grpc-js, which answers
// INTERNAL. Ends on SIGTERM.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import zlib from 'node:zlib';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { canonicalMessage } from './canonical.mjs';

const SERVICES = {
    traces: ['trace', 'TraceService', 'ExportTraceServiceRequest'],
    metrics: ['metrics', 'MetricsService', 'ExportMetricsServiceRequest'],
    logs: ['logs', 'LogsService', 'ExportLogsServiceRequest'],
};
const INFLATE = {
    undefined: (body) => body,
    gzip: zlib.gunzipSync,
    deflate: zlib.inflateSync,
};
const MAX_MESSAGE = 64 << 20;

const { values: args } = parseArgs({
    options: { protos: { type: 'string' }, out: { type: 'string' } },
});
const out = fs.openSync(args.out, 'a');

function record(line) {
    fs.writeSync(out, JSON.stringify(line) + '\n');
}

function loadSignals() {
    const signals = {};
    for (const [signal, [folder, service, request]] of Object.entries(SERVICES)) {
        const dir = `opentelemetry/proto/collector/${folder}/v1`;
        const name = `opentelemetry.proto.collector.${folder}.v1`;
        const root = new protobuf.Root();
        root.resolvePath = (_, target) => path.join(args.protos, target);
        root.loadSync(`${dir}/${folder}_service.proto`);
        const definition = protoLoader.loadSync(`${dir}/${folder}_service.proto`, {
            includeDirs: [args.protos], longs: String, bytes: String,
        });
        signals[signal] = {
            service: definition[`${name}.${service}`],
            requestType: root.lookupType(`${name}.${request}`),
        };
    }
    return signals;
}

const signals = loadSignals();

function accept(signal, transport, encoding, headers, message) {
    const unknown = [];
    const body = canonicalMessage(signals[signal].requestType, message, encoding === 'json',
        unknown);
    record({ signal, transport, encoding, headers, unknown, body });
}

// grpc-js hides the encoding of a message from its handlers; this makes it visible to them.
function showEncoding(_, call) {
    return new grpc.ServerInterceptingCall(call, {
        start: (next) => next({
            onReceiveMetadata: (metadata, pass) => {
                metadata.set('x-grpc-encoding', call.incomingEncoding);
                pass(metadata);
            },
        }),
    });
}

async function startGrpc() {
    const server = new grpc.Server({
        'grpc.max_receive_message_length': MAX_MESSAGE, interceptors: [showEncoding],
    });
    for (const [signal, { service }] of Object.entries(signals)) {
        server.addService(service, {
            Export(call, callback) {
                const headers = call.metadata.toJSON();
                accept(signal, 'grpc', 'proto', headers, call.request);
                callback(null, {});
            },
        });
    }
    const port = await new Promise((resolve, reject) =>
        server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(),
            (error, bound) => (error ? reject(error) : resolve(bound))));
    return { port, close: () => server.forceShutdown() };
}

function acceptHttp(request, wire) {
    const signal = /^\/v1\/(traces|metrics|logs)$/.exec(request.url)?.[1];
    if (request.method !== 'POST' || !signal)
        throw new Error(`${request.method} ${request.url}`);
    const inflate = INFLATE[request.headers['content-encoding']];
    if (!inflate)
        throw new Error(`content-encoding ${request.headers['content-encoding']}`);
    const body = inflate(wire);
    const type = request.headers['content-type'];
    if (type === 'application/x-protobuf') {
        const message = signals[signal].service.Export.requestDeserialize(body);
        accept(signal, 'http', 'proto', request.headers, message);
        return { type, body: Buffer.alloc(0) };
    }
    if (type !== 'application/json')
        throw new Error(`content-type ${type}`);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    accept(signal, 'http', 'json', request.headers, JSON.parse(text));
    return { type, body: Buffer.from('{}') };
}

async function startHttp() {
    const server = http.createServer((request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            try {
                const answer = acceptHttp(request, Buffer.concat(chunks));
                response.writeHead(200, { 'content-type': answer.type });
                response.end(answer.body);
            } catch (error) {
                record({ error: String(error), headers: request.headers });
                response.writeHead(400, { 'content-type': 'text/plain' });
                response.end(String(error));
            }
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        port: server.address().port,
        close: () => {
            server.close();
            server.closeAllConnections();
        },
    };
}

const servers = { grpc: await startGrpc(), http: await startHttp() };
process.on('SIGTERM', () => {
    Object.values(servers).forEach((server) => server.close());
    fs.closeSync(out);
});
console.log(JSON.stringify({ grpc: servers.grpc.port, http: servers.http.port }));
