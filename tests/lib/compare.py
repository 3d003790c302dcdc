# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's ops and the restore network in Sumi, PyTorch and OpenVINO in turn: tests/bench --compare.

For every shape, in each of some rounds, each engine runs the op for a moment, one after the other, so that what else
the machine does falls on all. A round's figure is its best run; a ratio is the median, over the rounds, of an engine's
figure over Sumi's in the same precision (above 1: Sumi is faster). Sums count each shape as often as its network has
it. The second figure of a ratio is the same from processor times, which other programs disturb less.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

# the peers' threads wait asleep, as Sumi's do: where other programs run too, each barrier of PyTorch's would otherwise
# spin for a time slice (4 ms)
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers

KINDS = ['conv', 'linear', 'attention', 'norm', 'other', 'all']


def measure(run, seconds):
    """(best wall, mean processor) seconds of one run, after one to warm up."""
    run()
    wall = float('inf')
    begin, c, runs = time.perf_counter(), time.process_time(), 0
    while True:
        w = time.perf_counter()
        run()
        runs += 1
        wall = min(wall, time.perf_counter() - w)
        if time.perf_counter() - begin >= seconds:
            return wall, (time.process_time() - c) / runs


class Sumi:
    def __init__(self, exe, threads, precision):
        self.name = 'sumi ' + precision
        self.command = [exe, 'bench', '--json', '--threads', str(threads)]
        self.command += ['--precision', precision]

    def rows(self, *arguments):
        out = subprocess.run(self.command + list(arguments), stdout=subprocess.PIPE, check=True).stdout
        return json.loads(out)['rows']

    def measure(self, section, name, seconds):
        network, _, rest = name.partition(' ')
        for row in self.rows(section, '--filter', name, '--seconds', str(seconds)):
            if row.get('network') == network and row['name'] == rest and not row['sum']:
                return row['best_s'], row['cpu_s']
        raise SystemExit(f'tests/bench: sumi bench {section} knows no “{name}”')


class Peer:
    """An engine of peers.py; one shape is prepared at a time."""

    def __init__(self, engine):
        self.engine = engine
        self.name = engine.name
        self.run = None

    def prepare(self, make):
        self.run = None
        try:
            self.run = make(self.engine)
        except Exception as error:  # an engine may not know an op; the others go on
            print(f'{self.name}: {error}', file=sys.stderr)

    def measure(self, section, name, seconds):
        return measure(self.run, seconds) if self.run else None


def engines(options):
    found = []
    for module, kind in (('torch', peers.Torch), ('openvino', peers.OpenVino)):
        if module in options.without:
            continue
        try:
            found += [Peer(kind(bf16, options.threads)) for bf16 in (False, True)
                      if ('bf16' if bf16 else 'f32') in options.precisions]
        except ImportError as error:
            print(f'{module} is not installed in {sys.executable}: left out ({error})', file=sys.stderr)
    return found


def interleave(all_engines, section, name, options):
    """[engine][round] → (wall, cpu), None for an engine that cannot."""
    times = [[] for _ in all_engines]
    for _ in range(options.rounds):
        for i, engine in enumerate(all_engines):
            times[i].append(engine.measure(section, name, options.seconds))
    return times


def ratios(ours, theirs):
    """Medians over the rounds, of wall and processor time."""
    return tuple(statistics.median(t[i] / o[i] for o, t in zip(ours, theirs)) for i in (0, 1))


def show(name, all_engines, times, n_sumi):
    """One line: Sumi's milliseconds, then each peer's ratio against each of Sumi's."""
    best = [min(t[0] for t in rounds) if rounds and None not in rounds else None for rounds in times]
    cells = ['%10.3f' % (1e3 * b) for b in best[:n_sumi]]
    for rounds, peer in zip(times[n_sumi:], all_engines[n_sumi:]):
        for ours, mine in zip(times[:n_sumi], all_engines[:n_sumi]):
            if peer.name.split()[-1] != mine.name.split()[-1]:
                continue
            cells.append('%6.2f (%5.2f)' % ratios(ours, rounds) if None not in rounds else '%14s' % '–')
    print('%-44s' % name, *cells, flush=True)


def head(all_engines, n_sumi):
    cells = ['%10s' % (e.name.replace('sumi', 'ms').strip()) for e in all_engines[:n_sumi]]
    print('%-44s' % '', *cells, *['%14s' % e.name for e in all_engines[n_sumi:]])


def add(sums, times, count):
    """Adds count times of a shape to the sums of the rounds; an engine without the op gets Sumi's own time."""
    for i, rounds in enumerate(times):
        for r, t in enumerate(rounds):
            wall, cpu = t or times[0][r]
            s = sums[i][r]
            sums[i][r] = (s[0] + count * wall, s[1] + count * cpu)


def compare_ops(all_engines, n_sumi, options):
    rows = [r for r in all_engines[0].rows('ops', '--list', *(['--filter', options.filter] if options.filter else []))
            if not r['sum'] and ('networks' not in options or r['network'] in options.networks)]
    sums = {}
    head(all_engines, n_sumi)
    for row in rows:
        for engine in all_engines[n_sumi:]:
            engine.prepare(lambda e, s=row['shape']: e.prepare(s))
        name = row['network'] + ' ' + row['name']
        times = interleave(all_engines, 'ops', name, options)
        show('%3d × %s' % (row['count'], name), all_engines, times, n_sumi)
        for kind in (row['kind'], 'all'):
            new = [[(0, 0)] * options.rounds for _ in all_engines]
            add(sums.setdefault((row['network'], kind), new), times, row['count'])
    print()
    head(all_engines, n_sumi)
    for network in dict.fromkeys(r['network'] for r in rows):
        for kind in KINDS:
            if (network, kind) in sums:
                show('= %s %s' % (network, kind), all_engines, sums[network, kind], n_sumi)


def compare_restore(all_engines, n_sumi, options):
    """The shipped weights, whole, on a picture of 512×512."""
    try:
        import torch
        import safetensors  # noqa: F401
    except ImportError as error:
        print(f'the restore network needs PyTorch and safetensors: left out ({error})', file=sys.stderr)
        return
    if options.filter and options.filter not in 'restore 512x512':
        return
    torch.set_grad_enabled(False)
    net = peers.restore(options.weights)
    print('\nrestore in PyTorch against tests/golden, as Sumi is tested: %.1e' %
          peers.check_restore(net, options.golden))
    maps = [torch.from_numpy(peers.rng(1, 3, 512, 512, scale=.3)) for _ in range(2)]
    inputs = peers.restore_inputs(maps[0], maps[1], torch.ones(1, 3, 512, 512), 80, 2, 0)
    for engine in all_engines[n_sumi:]:
        engine.prepare(lambda e: e.network(net, inputs))
    times = interleave(all_engines, 'networks', 'restore 512x512', options)
    head(all_engines, n_sumi)
    show('restore 512x512, the whole network', all_engines, times, n_sumi)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sumi', required=True)
    p.add_argument('--weights', required=True)
    p.add_argument('--golden', required=True)
    p.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument('--seconds', type=float, default=0.1)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--filter')
    p.add_argument('--precisions', nargs='+', default=['f32', 'bf16'])
    p.add_argument('--without', nargs='+', default=[])
    p.add_argument('--networks', nargs='+', default=argparse.SUPPRESS)
    p.add_argument('--ops', action='store_true')
    p.add_argument('--whole', action='store_true')
    options = p.parse_args()
    found = engines(options)
    if not found:
        raise SystemExit('tests/bench: neither PyTorch nor OpenVINO to compare with; --python names another Python')
    ours = [Sumi(options.sumi, options.threads, p) for p in options.precisions]
    if not options.whole:
        compare_ops(ours + found, len(ours), options)
    if not options.ops:
        compare_restore(ours + found, len(ours), options)


main()
