# SPDX-License-Identifier: Apache-2.0
"""The tables that are printed, medians: one of the scenarios, and one of those that are held against a bar."""
import statistics


def number(result, key, how, factor=1):
    return format(result['median'][key] * factor, how) if key in result['median'] else '-'


def times(median, name):
    return '/'.join(f'{median[f"{name}_{share}"]:.2f}' for share in ('p50', 'p99', 'p99.9'))


def notes(result):
    """What only some kinds have."""
    median, parts = result['median'], []
    if 'bytes' in median:
        parts.append(f'{median["bytes"]:.0f} B held for each')
    if 'live' in median:
        parts.append(f'{median["live"]:.0f} traces live')
    if 'paced' in median:
        parts.append(f'relay at this rate {median["paced"]:.3f}')
    if 'mebibytes' in median:
        parts.append(f'{median["mebibytes"]:.1f} MiB a scrape')
    if 'answer_p50' in median:
        parts.append(f'ms p50/p99/p99.9: answer {times(median, "answer")}, arrival {times(median, "arrival")}')
        parts += [f'{name} {times(median, name + "_answer")}, {times(median, name + "_arrival")}'
                  for name in ('relay', 'proxy') if f'{name}_answer_p50' in median]
    if median.get('load_cpus', 1) == 0:
        parts.append('load and sink on the same CPUs')
    if median.get('dropped'):
        parts.append(f'{median["dropped"]:.0f} dropped')
    return '; '.join(parts)


COLUMNS = (  # heading, width, how it is printed
    ('scenario', -24, lambda r: r['scenario']),
    ('items/s', 9, lambda r: number(r, 'rate', '.0f')),
    ('CPU-s/M', 9, lambda r: number(r, 'cost', '.3f')),
    ('min-max', 15, lambda r: '{:.3f}-{:.3f}'.format(*r['spread'])),
    ('ns/item', 9, lambda r: number(r, 'cost', '.0f', 1000)),
    ('x sink', 8, lambda r: number(r, 'x_sink', '.2f')),
    ('x relay', 9, lambda r: number(r, 'x_relay', '.2f')),
    ('x proxy', 9, lambda r: number(r, 'x_proxy', '.2f')),
    ('peak MiB', 10, lambda r: number(r, 'peak', '.1f')),
    ('', -2, lambda r: ''),
    ('notes', 0, notes),
)


def pad(text, width):
    return text.ljust(-width) if width < 0 else text.rjust(width)


def heading():
    return ''.join(pad(name, width) for name, width, _ in COLUMNS)


def line(result):
    return ''.join(pad(show(result), width) for _, width, show in COLUMNS).rstrip()


def markdown(results):
    columns = [(name, show) for name, _, show in COLUMNS if name]
    yield '| ' + ' | '.join(name for name, _ in columns) + ' |'
    yield '|---|' + '---:|' * (len(columns) - 2) + '---|'
    for result in results:
        yield '| ' + ' | '.join(show(result) for _, show in columns) + ' |'


# --- bars ---

def found(bar, result):
    """The measure of a bar; None where it was not measured."""
    how, _, other = bar.measure.partition(' ')
    if not other:
        return result['median'].get(how)
    compare = {'more': lambda run: run['cost'] / run['beside'] - 1, 'plus': lambda run: run['cost'] - run['beside'],
               'times': lambda run: run['cost'] / run['beside']}
    return statistics.median(map(compare[how], result['runs']))


def bars(scenarios, results):
    """Rows of the bars' table."""
    words = {'cost': 'CPU-s/M', 'x_relay': 'x relay', 'x_proxy': 'x proxy', 'bytes': 'bytes for each item held'}
    for scenario, result in zip(scenarios, results):
        for bar in scenario.bars:
            value = found(bar, result)
            if value is not None:
                met = 'aim' if value <= bar.aim else 'must' if value <= bar.must else 'missed'
                yield (scenario.name, words.get(bar.measure, bar.measure), f'{bar.must:.4g}', f'{bar.aim:.4g}',
                       f'{value:.3g}', met)


def bars_text(rows):
    widths = (-16, -26, 8, 8, 8)
    for row in [('scenario', 'bar', 'must', 'aim', 'found', ''), *rows]:
        yield ''.join(pad(cell, width) for cell, width in zip(row, widths)) + '  ' + row[-1]


def bars_markdown(rows):
    if not rows:
        return
    yield ''
    yield '| scenario | bar | must | aim | found | |'
    yield '|---|---|---:|---:|---:|---|'
    for row in rows:
        yield '| ' + ' | '.join(row) + ' |'
