# SPDX-License-Identifier: Apache-2.0
"""A picture for each scenario, as SVG: its runs beside the ceilings, or latencies by quantile."""
import math
import os
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 320, 70, 50, 50
COLOURS = {'weir': '#2a6f97', 'sink': '#b8b8b8', 'relay': '#8d99ae', 'proxy': '#8d99ae'}
QUANTILES = ('p50', 'p90', 'p99', 'p99.9', 'max')


def text(x, y, words, anchor='middle', size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def frame(result, unit, marks):
    """The head, the axis and its marks: pairs of height and label."""
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>')
    yield text(LEFT, 20, f'{result["scenario"]}: {result["about"]}', 'start', 14)
    yield text(LEFT, 38, unit, 'start', 11)
    for y, label in marks:
        yield f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield text(LEFT - 6, y + 4, label, 'end', 11)


def step(top):
    """A round distance between marks, about five of them."""
    power = 10 ** math.floor(math.log10(top / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 >= top)


def bars(result):
    """Nanoseconds of CPU time for each item: a bar for each run of each."""
    groups = [(name, [run[key] * 1000 for run in result['runs']])
              for name, key in (('weir', 'cost'), ('relay', 'relay'), ('proxy', 'proxy'), ('sink', 'sink'))
              if key in result['runs'][0]]
    top = max(max(values) for _, values in groups) * 1.1
    bottom, scale = HEIGHT - BOTTOM, (HEIGHT - BOTTOM - TOP) / top
    marks, at = [], 0.0
    while at <= top:
        marks.append((bottom - at * scale, f'{at:g}'))
        at += step(top)
    yield from frame(result, 'nanoseconds of CPU time for each item', marks)
    wide = (WIDTH - LEFT - 20) / len(groups)
    for place, (name, values) in enumerate(groups):
        left, bar = LEFT + place * wide + wide * 0.15, wide * 0.7 / len(values)
        for number, value in enumerate(values):
            yield (f'<rect x="{left + number * bar:.1f}" y="{bottom - value * scale:.1f}" width="{bar * 0.9:.1f}" '
                   f'height="{value * scale:.1f}" fill="{COLOURS[name]}"/>')
        middle = sorted(values)[len(values) // 2]
        yield text(left + wide * 0.35, bottom + 18, f'{name} {middle:.0f}')


def curves(result):
    """Milliseconds by quantile, the scale logarithmic."""
    median = result['median']
    lines = [(name, prefix, what) for name, prefix in (('weir', ''), ('relay', 'relay_'), ('proxy', 'proxy_'))
             for what in ('answer', 'arrival') if f'{prefix}{what}_p50' in median]
    values = [max(median[f'{prefix}{what}_{q}'], 1e-3) for _, prefix, what in lines for q in QUANTILES]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high += high == low

    def height(value):
        return HEIGHT - BOTTOM - (math.log10(max(value, 1e-3)) - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    yield from frame(result, f'milliseconds at {median["rate"]:.0f} items a second',
                     [(height(10.0 ** power), f'{10.0 ** power:g}') for power in range(low, high + 1)])
    places = [LEFT + 30 + number * (WIDTH - LEFT - 170) / (len(QUANTILES) - 1) for number in range(len(QUANTILES))]
    for x, name in zip(places, QUANTILES):
        yield text(x, HEIGHT - BOTTOM + 18, name)
    labels = []
    for name, prefix, what in lines:
        points = [(x, height(median[f'{prefix}{what}_{q}'])) for x, q in zip(places, QUANTILES)]
        dash = ' stroke-dasharray="5 4"' if what == 'answer' else ''
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"{dash}/>'
        labels.append((points[-1][1] + 4, f'{name} {what}'))
    y = 0.0
    for wanted, words in sorted(labels):
        y = max(wanted, y + 13)  # none stands on another
        yield text(places[-1] + 8, y, words, 'start', 11)


def write(folder, results):
    os.makedirs(folder, exist_ok=True)
    for result in results:
        lines = curves(result) if 'answer_p50' in result['median'] else bars(result)
        with open(os.path.join(folder, f'{result["scenario"]}.svg'), 'w') as file:
            file.write('\n'.join([*lines, '</svg>', '']))
