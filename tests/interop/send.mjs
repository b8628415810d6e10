// SPDX-License-Identifier: Apache-2.0
//
// Sends rich telemetry with the OpenTelemetry JS SDK and its OTLP exporters as shipped.
//
//   node send.mjs --signal traces|metrics|logs --transport grpc|http-proto|http-json
//                 --compression none|gzip --endpoint URL [--endpoint URL ...] [--count N]
//
// With several endpoints each of them gets the very same exports: a test names weir and a sink,
// and compares what the sink saw of both. Prints one JSON line; exits 1 when an export failed.

import { parseArgs } from 'node:util';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { makeTraces, makeMetrics, makeLogs, temporalityOf } from './telemetry.mjs';

const SIGNALS = { traces: 'trace', metrics: 'metrics', logs: 'logs' };
const PACKAGES = { 'grpc': 'grpc', 'http-proto': 'proto', 'http-json': 'http' };
const CLASSES = {
    traces: 'OTLPTraceExporter', metrics: 'OTLPMetricExporter', logs: 'OTLPLogExporter',
};
const EXPORT_DEADLINE_MS = 60000;

async function loadExporterClass(signal, transport) {
    const name = `@opentelemetry/exporter-${SIGNALS[signal]}-otlp-${PACKAGES[transport]}`;
    return (await import(name))[CLASSES[signal]];
}

function exporterUrl(signal, transport, endpoint) {
    return transport === 'grpc' ? endpoint : `${endpoint.replace(/\/$/, '')}/v1/${signal}`;
}

// One exporter of the SDK in front of several: all get the same batch, one after the other.
class Tee {
    constructor(exporters) {
        this.exporters = exporters;
        this.exports = 0;
        this.failures = [];
        this.pending = new Set();
    }

    export(batch, done) {
        this.exports++;
        const sent = new Promise((resolve) => this.sendToAll(batch, resolve));
        this.pending.add(sent);
        sent.then(() => {
            this.pending.delete(sent);
            done({ code: 0 });
        });
    }

    sendToAll(batch, done) {
        const sendTo = (i) => {
            if (i === this.exporters.length) {
                done();
                return;
            }
            this.exporters[i].export(batch, (result) => {
                if (result.code !== 0)
                    this.failures.push(`endpoint ${i}: ${result.error?.message ?? 'failed'}`);
                sendTo(i + 1);
            });
        };
        sendTo(0);
    }

    selectAggregationTemporality(instrument) {
        return temporalityOf(instrument);
    }

    async forceFlush() {
        await Promise.all(this.pending);
        await Promise.all(this.exporters.map((e) => e.forceFlush?.()));
    }

    // The SDK may shut its exporter down while an export is on its way.
    async shutdown() {
        await Promise.all(this.pending);
        await Promise.all(this.exporters.map((e) => e.shutdown()));
    }
}

async function main() {
    const { values } = parseArgs({
        options: {
            signal: { type: 'string' },
            transport: { type: 'string' },
            compression: { type: 'string', default: 'none' },
            endpoint: { type: 'string', multiple: true },
            count: { type: 'string', default: '3' },
        },
    });
    const { signal, transport, compression, endpoint } = values;
    const count = Number(values.count);
    if (!SIGNALS[signal] || !PACKAGES[transport] || !['none', 'gzip'].includes(compression) ||
        !endpoint || !Number.isInteger(count) || count < 1)
        throw new Error('usage: send.mjs --signal S --transport T --compression C --endpoint URL');

    const errors = [];
    const note = (...args) => errors.push(args.map(String).join(' '));
    const quiet = () => {};
    diag.setLogger({ error: note, warn: quiet, info: quiet, debug: quiet, verbose: quiet },
        DiagLogLevel.ERROR);

    const Exporter = await loadExporterClass(signal, transport);
    const tee = new Tee(endpoint.map((e) => new Exporter({
        url: exporterUrl(signal, transport, e),
        compression,
        timeoutMillis: EXPORT_DEADLINE_MS,
    })));
    const make = { traces: makeTraces, metrics: makeMetrics, logs: makeLogs }[signal];
    const items = await make(tee, count);

    const failures = [...tee.failures, ...errors];
    console.log(JSON.stringify({ signal, exports: tee.exports, items, failures }));
    process.exitCode = failures.length ? 1 : 0;
}

await main();
