# SPDX-License-Identifier: Apache-2.0
"""Where and of what the numbers were taken."""
import datetime
import os
import re
import shlex
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')


def said(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ''


def _first(path, pattern):
    try:
        with open(path) as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1) if match else ''


def describe(build):
    compiler = _first(f'{build}/Makefile', r'^CC = (.*)$')
    return {
        'command': shlex.join(sys.argv),
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'commit': said('git', '-C', TOP, 'describe', '--always', '--dirty', '--abbrev=12'),
        'compiler': (said(*compiler.split(), '--version').splitlines() or [compiler])[0],
        'flags': _first(f'{build}/Makefile', r'^CFLAGS = (.*)$'),
        'sanitizers': _first(f'{build}/Makefile', r'^SANITIZER_CFLAGS = (.*)$'),
        'cpu': _first('/proc/cpuinfo', r'^model name\s*: (.*)$'),
        'cpus': len(os.sched_getaffinity(0)),
        'memory_gib': round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2 ** 30, 1),
        'kernel': ' '.join((os.uname().sysname, os.uname().release, os.uname().machine)),
        'system': _first('/etc/os-release', r'^PRETTY_NAME="?(.*?)"?$'),
    }


def doubts(about):
    """Why the numbers of this build should not be believed."""
    if about['sanitizers'].strip():
        yield 'the build has sanitizers'
    if not re.search(r'-O[23s]', about['flags']):
        yield f'the build is not optimised (CFLAGS: {about["flags"]})'


def markdown(about):
    built = f'{about["compiler"]}, {about["flags"]}'
    yield f'{about["cpu"]}, {about["cpus"]} CPUs, {about["memory_gib"]} GiB; {about["system"]}, {about["kernel"]}; {built};'
    yield f'commit {about["commit"]}, {about["date"]}:'
    yield ''
    yield f'    {about["command"]}'
    yield ''
