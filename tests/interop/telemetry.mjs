// SPDX-License-Identifier: Apache-2.0
//
// The telemetry that send.mjs sends: every kind of value that the SDK's API permits, with fixed ids
// and times wherever the SDK lets its user choose them. Each maker drives a whole provider of the
// SDK through its shutdown and returns the number of items made.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, createTraceState, trace }
    from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, AggregationType, InstrumentType, MeterProvider,
    PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const SCHEMA = 'https://opentelemetry.io/schemas/1.27.0';
const BASE_SECONDS = 1700000000;
const LONG_MS = 3600000;

// SDK time: [seconds, nanoseconds].
const at = (seconds, nanos) => [BASE_SECONDS + seconds, nanos];

const hex = (n, digits) => n.toString(16).padStart(digits, '0');

const attributes = {
    'text': 'plain',
    'text.empty': '',
    'text.unicode': 'Grüße, 世界 \u{1F30D} "quoted" \\ back\nnew line\ttab \u0001 control',
    'flag.true': true,
    'flag.false': false,
    'int.zero': 0,
    'int.negative': -42,
    'int.largest': Number.MAX_SAFE_INTEGER,
    'int.smallest': Number.MIN_SAFE_INTEGER,
    'double': 3.141592653589793,
    'double.tiny': 5e-324,
    'double.negative': -1.5e-7,
    'texts': ['a', '', 'ç'],
    'ints': [1, -2, 3],
    'doubles': [0.1, -2.5, 1e-9],
    'flags': [true, false],
    'list.empty': [],
};

const nested = {
    ...attributes,
    'bytes': new Uint8Array([0, 1, 127, 128, 255]),
    'bytes.empty': new Uint8Array([]),
    'null': null,
    'mixed': ['text', 7, 1.5, true, null, ['inner', [8]], { k: 'v' }, new Uint8Array([9])],
    'map': { a: 1, b: { c: [{ d: 'deep' }, {}], e: null }, '': 'empty key' },
    'map.empty': {},
};

const resource = () => resourceFromAttributes({
    'service.name': 'interop-sender',
    'service.version': '1.2.3-β',
    'service.instance.id': '0f7b5f4e-0000-4000-8000-000000000001',
    'process.pid': 4711,
    'deployment.canary': true,
    'host.load': 0.75,
    'host.ips': ['127.0.0.1', '::1'],
}, { schemaUrl: SCHEMA });

class CountingIds {
    constructor() {
        this.traces = 0;
        this.spans = 0;
    }

    generateTraceId() {
        return hex(++this.traces, 8) + 'abcdef0123456789abcdef01';
    }

    generateSpanId() {
        return 'fe' + hex(++this.spans, 14);
    }
}

const remoteParent = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    traceState: createTraceState('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'),
};

function makeSpan(tracer, i) {
    const kinds = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER,
        SpanKind.CONSUMER];
    const parent = i % 3 === 0 ? trace.setSpanContext(ROOT_CONTEXT, remoteParent) : ROOT_CONTEXT;
    const root = tracer.startSpan(`operation ${i}`, {
        kind: kinds[i % kinds.length],
        startTime: at(i, 1),
        attributes: { ...attributes, 'number': i },
        links: [
            { context: remoteParent, attributes },
            { context: { ...remoteParent, spanId: '00000000000000ff', isRemote: false } },
        ],
    }, parent);
    const child = tracer.startSpan('child', { startTime: at(i, 5), kind: SpanKind.CLIENT },
        trace.setSpan(ROOT_CONTEXT, root));
    child.addEvent('empty event', at(i, 6));
    child.addEvent('full event', attributes, at(i, 7));
    child.recordException({ name: 'TypeError', message: 'no é', stack: 'at x\n at y' }, at(i, 8));
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'went wrong: ö' });
    child.end(at(i, 999999999));
    root.setStatus({ code: i % 2 ? SpanStatusCode.OK : SpanStatusCode.UNSET });
    root.end(at(i + 1, 0));
}

// What goes over the limits below is counted in the dropped_*_count fields.
function makeOverfullSpan(tracer) {
    const many = Object.fromEntries([...Array(40).keys()].map((k) => [`k${k}`, k]));
    const links = [...Array(7).keys()].map(() => ({ context: remoteParent, attributes: many }));
    const span = tracer.startSpan('overfull', { attributes: many, links, startTime: at(9, 1) },
        ROOT_CONTEXT);
    for (let i = 0; i < 9; i++)
        span.addEvent(`event ${i}`, many, at(9, i + 2));
    span.end(at(9, 100));
}

export async function makeTraces(exporter, count) {
    const provider = new TracerProvider({
        resource: resource(),
        idGenerator: new CountingIds(),
        spanLimits: {
            attributeCountLimit: 32, eventCountLimit: 5, linkCountLimit: 4,
            attributePerEventCountLimit: 32, attributePerLinkCountLimit: 32,
        },
        spanProcessors: [new BatchSpanProcessor({
            exporter, scheduledDelayMillis: LONG_MS, maxQueueSize: 1 << 20,
        })],
    });
    const full = provider.getTracer('interop/tracer', '4.5.6', { schemaUrl: SCHEMA });
    for (let i = 0; i < count; i++)
        makeSpan(full, i);
    makeOverfullSpan(full);
    provider.getTracer('bare').startSpan('bare', { startTime: at(0, 0) }, ROOT_CONTEXT)
        .end(at(0, 0));
    await provider.shutdown();
    return 2 * count + 2;
}

// Delta for some kinds of instrument, cumulative for the others, so that both are sent.
export function temporalityOf(instrument) {
    const delta = [InstrumentType.COUNTER, InstrumentType.OBSERVABLE_COUNTER];
    return delta.includes(instrument) ? AggregationTemporality.DELTA
        : AggregationTemporality.CUMULATIVE;
}

function recordMetrics(meter, i) {
    const labels = { ...attributes, 'series': i };
    const options = { description: 'Größe of things', unit: 'By' };
    meter.createCounter('counter.ints', { ...options, valueType: 0 }).add(41 + i, labels);
    meter.createCounter('counter.doubles', options).add(0.25 + i, labels);
    meter.createUpDownCounter('updown', { unit: '{thing}' }).add(-7 - i, labels);
    meter.createGauge('gauge').record(-273.15 - i, labels);
    meter.createGauge('gauge').record(0, { series: i, zero: true });
    const histogram = meter.createHistogram('histogram', { unit: 's' });
    [0, 0.004, 0.3, 7, 11, 12000].forEach((v) => histogram.record(v + i, labels));
    const unbounded = meter.createHistogram('histogram.sums.only');
    [1, 2.5].forEach((v) => unbounded.record(v, labels));
    const exponential = meter.createHistogram('histogram.exponential');
    [0, 0, 1e-6, 1, 3, 1e9].forEach((v) => exponential.record(v * (i + 1), labels));
}

function observeMetrics(meter, count) {
    const each = (value) => (result) => {
        for (let i = 0; i < count; i++)
            result.observe(value + i, { series: i });
    };
    meter.createObservableGauge('observed.gauge', { unit: '1' }).addCallback(each(-0.125));
    meter.createObservableCounter('observed.counter').addCallback(each(1000));
    meter.createObservableUpDownCounter('observed.updown').addCallback(each(-50));
}

export async function makeMetrics(exporter, count) {
    const view = (instrumentName, type, options) =>
        ({ instrumentName, aggregation: { type, options } });
    const provider = new MeterProvider({
        resource: resource(),
        readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: LONG_MS })],
        views: [
            view('histogram', AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
                { boundaries: [0, 0.005, 0.5, 10, 10000] }),
            view('histogram.sums.only', AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
                { boundaries: [], recordMinMax: false }),
            view('histogram.exponential', AggregationType.EXPONENTIAL_HISTOGRAM, { maxSize: 20 }),
        ],
    });
    const full = provider.getMeter('interop/meter', '0.1', { schemaUrl: SCHEMA });
    for (let i = 0; i < count; i++)
        recordMetrics(full, i);
    observeMetrics(full, count);
    provider.getMeter('bare').createCounter('bare').add(1);
    await provider.shutdown();
    return 11 * count + 1;
}

function makeRecord(logger, i) {
    const bodies = ['a line of text: ß\n', '', 42, -0.5, true, nested, ['list', 1, { k: [] }],
        new Uint8Array([222, 173, 190, 239]), undefined];
    const severities = [SeverityNumber.UNSPECIFIED, SeverityNumber.TRACE, SeverityNumber.DEBUG2,
        SeverityNumber.INFO, SeverityNumber.WARN3, SeverityNumber.ERROR, SeverityNumber.FATAL4];
    bodies.forEach((body, k) => {
        const severity = severities[(i + k) % severities.length];
        logger.emit({
            body,
            timestamp: at(i, k),
            observedTimestamp: at(i, k + 100),
            severityNumber: severity,
            severityText: SeverityNumber[severity],
            eventName: k % 2 ? `event.${k}` : undefined,
            attributes: k % 3 ? { ...nested, number: i } : {},
            context: k % 2 ? trace.setSpanContext(ROOT_CONTEXT, remoteParent) : ROOT_CONTEXT,
        });
    });
    return bodies.length;
}

export async function makeLogs(exporter, count) {
    const provider = new LoggerProvider({
        resource: resource(),
        logRecordLimits: { attributeCountLimit: 18 },
        processors: [new BatchLogRecordProcessor({
            exporter, scheduledDelayMillis: LONG_MS, maxQueueSize: 1 << 20,
        })],
    });
    const full = provider.getLogger('interop/logger', '7', { schemaUrl: SCHEMA });
    let items = 1;
    for (let i = 0; i < count; i++)
        items += makeRecord(full, i);
    provider.getLogger('bare').emit({ timestamp: at(0, 0), observedTimestamp: at(0, 0) });
    await provider.shutdown();
    return items;
}
