# SPDX-License-Identifier: Apache-2.0
"""The table that is printed: one line a scenario, medians."""

COLUMNS = (  # heading, width, how it is printed
    ('scenario', -24, lambda r: r['scenario']),
    ('items/s', 10, lambda r: number(r, 'rate', '.0f')),
    ('CPU-s/M', 9, lambda r: number(r, 'cost', '.3f')),
    ('min-max', 14, lambda r: '{:.3f}-{:.3f}'.format(*r['spread'])),
    ('ns/item', 9, lambda r: number(r, 'cost', '.0f', 1000)),
    ('x sink', 8, lambda r: number(r, 'x_sink', '.2f')),
    ('x relay', 9, lambda r: number(r, 'x_relay', '.2f')),
    ('x proxy', 9, lambda r: number(r, 'x_proxy', '.2f')),
    ('peak MiB', 10, lambda r: number(r, 'peak', '.1f')),
    ('dropped', 9, lambda r: number(r, 'dropped', '.0f')),
)


def number(result, key, how, factor=1):
    return format(result['median'][key] * factor, how) if key in result['median'] else '-'


def pad(text, width):
    return text.ljust(-width) if width < 0 else text.rjust(width)


def heading():
    return ''.join(pad(name, width) for name, width, _ in COLUMNS)


def line(result):
    return ''.join(pad(show(result), width) for _, width, show in COLUMNS)


def markdown(results):
    yield '| ' + ' | '.join(name for name, _, _ in COLUMNS) + ' |'
    yield '|---|' + '---:|' * (len(COLUMNS) - 1)
    for result in results:
        yield '| ' + ' | '.join(show(result) for _, _, show in COLUMNS) + ' |'
