# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's shapes in PyTorch and OpenVINO.

Each engine is a class with a name, `has()`, and `prepare(shape)`, which returns a function that runs the op once. Data
are random; what the engine may prepare beforehand (packed weights, a compiled model) is not timed. Values lie as the
engine likes them: channels last, and in bf16 for PyTorch's bf16.
"""
import copy
import math

import numpy as np

GROUPS = 32


def rng(*shape, scale=1.0):
    return (np.random.default_rng(7).standard_normal(shape) * scale).astype(np.float32)


class Torch:
    def __init__(self, bf16, threads):
        import torch
        self.torch = torch
        self.name = 'torch bf16' if bf16 else 'torch f32'
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)

    def tensor(self, *shape, scale=1.0):
        t = self.torch.from_numpy(rng(*shape, scale=scale)).to(self.dtype)
        return t.contiguous(memory_format=self.torch.channels_last) if len(shape) == 4 else t

    def prepare(self, s):
        """s: the "shape" of a row of `sumi bench ops --json`. Returns a function, None for an unknown op."""
        F = self.torch.nn.functional
        op = s['op']
        h, w, ci, co, rows = s['height'], s['width'], s['ci'], s['co'], s['rows']
        if op == 'conv2d':
            k, stride, pad = s['kernel'], s['stride'], s['pad']
            x, wt = self.tensor(1, ci, h, w), self.tensor(co, ci, k, k, scale=(ci * k * k) ** -.5)
            b = self.tensor(co)
            return lambda: F.conv2d(x, wt, b, stride, pad)
        if op == 'linear':
            x, wt, b = self.tensor(rows, ci), self.tensor(co, ci, scale=ci ** -.5), self.tensor(co)
            return lambda: F.linear(x, wt, b)
        if op == 'attention':
            e = ci // s['heads']
            q = self.tensor(1, rows, s['heads'] * e).view(1, rows, s['heads'], e).transpose(1, 2)
            kv = self.tensor(1, s['keys'], s['heads'] * e).view(1, s['keys'], s['heads'], e).transpose(1, 2)
            return lambda: F.scaled_dot_product_attention(q, kv, kv)
        if op in ('group-norm', 'group-norm-silu'):
            x, g, b = self.tensor(1, ci, h, w), self.tensor(ci), self.tensor(ci)
            if op == 'group-norm':
                return lambda: F.group_norm(x, GROUPS, g, b)
            return lambda: F.silu(F.group_norm(x, GROUPS, g, b), inplace=True)
        if op == 'layer-norm':
            x, g, b = self.tensor(rows, ci), self.tensor(ci), self.tensor(ci)
            return lambda: F.layer_norm(x, (ci,), g, b)
        if op == 'geglu':
            x = self.tensor(rows, 2 * ci)
            return lambda: x[:, :ci] * F.gelu(x[:, ci:])
        if op == 'rms-silu':
            x, g = self.tensor(1, ci, h, w), self.tensor(ci, 1, 1)
            a, c = self.tensor(ci, 1, 1), self.tensor(ci, 1, 1)
            return lambda: F.silu(x * (x * x).mean(1, keepdim=True).add(1e-6).rsqrt() * g * (1 + a) + c)
        return None

    def network(self, net, inputs):
        t = self.torch
        net = copy.deepcopy(net).to(memory_format=t.channels_last).to(self.dtype)
        x = [i.contiguous(memory_format=t.channels_last).to(self.dtype) if i.dim() == 4 else i.to(self.dtype)
             for i in inputs]
        return lambda: net(*x).float().numpy()


class OpenVino:
    def __init__(self, bf16, threads):
        import openvino
        self.ov = openvino
        self.name = 'openvino bf16' if bf16 else 'openvino f32'
        self.config = {'INFERENCE_PRECISION_HINT': 'bf16' if bf16 else 'f32', 'INFERENCE_NUM_THREADS': threads,
                       'NUM_STREAMS': 1, 'PERFORMANCE_HINT': 'LATENCY'}
        self.core = openvino.Core()

    def compile(self, model, fill=True):
        request = self.core.compile_model(model, 'CPU', self.config).create_infer_request()
        if fill:
            for i, port in enumerate(model.inputs):
                request.set_input_tensor(i, self.ov.Tensor(rng(*port.shape)))
        return request.infer

    def nhwc(self, op, h, w, c):
        """A picture as [1, H, W, C] outside, which is how the plug-in keeps it, so nothing is reordered."""
        x = op.parameter([1, h, w, c], np.float32)
        return x, op.transpose(x, np.array([0, 3, 1, 2]))

    def prepare(self, s):
        import openvino.opset13 as op
        h, w, ci, co, rows = s['height'], s['width'], s['ci'], s['co'], s['rows']
        kind = s['op']
        inputs = None
        back = None
        if kind == 'conv2d':
            k, stride, pad = s['kernel'], s['stride'], s['pad']
            x, y = self.nhwc(op, h, w, ci)
            wt = rng(co, ci, k, k, scale=(ci * k * k) ** -.5)
            y = op.add(op.convolution(y, wt, [stride] * 2, [pad] * 2, [pad] * 2, [1, 1]), rng(1, co, 1, 1))
            back = True
        elif kind == 'linear':
            x = op.parameter([rows, ci], np.float32)
            y = op.add(op.matmul(x, rng(co, ci, scale=ci ** -.5), False, True), rng(1, co))
        elif kind == 'attention':
            e = ci // s['heads']
            inputs = [op.parameter([1, n, s['heads'], e], np.float32) for n in (rows, s['keys'], s['keys'])]
            q, k, v = [op.transpose(i, np.array([0, 2, 1, 3])) for i in inputs]
            y = op.transpose(op.scaled_dot_product_attention(q, k, v), np.array([0, 2, 1, 3]))
        elif kind in ('group-norm', 'group-norm-silu'):
            x, y = self.nhwc(op, h, w, ci)
            y = op.group_normalization(y, rng(ci), rng(ci), GROUPS, 1e-5)
            y = op.swish(y) if kind == 'group-norm-silu' else y
            back = True
        elif kind == 'layer-norm':
            x = op.parameter([rows, ci], np.float32)
            y = op.mvn(x, np.array([1]), True, 1e-5, 'inside_sqrt')
            y = op.add(op.multiply(y, rng(1, ci)), rng(1, ci))
        elif kind == 'geglu':
            x = op.parameter([rows, 2 * ci], np.float32)
            halves = op.split(x, np.array(1), 2)
            y = op.multiply(halves.output(0), op.gelu(halves.output(1), 'erf'))
        elif kind == 'rms-silu':
            x, y = self.nhwc(op, h, w, ci)
            mean = op.reduce_mean(op.multiply(y, y), np.array([1]), True)
            y = op.divide(y, op.sqrt(op.add(mean, np.float32(1e-6))))
            y = op.swish(op.add(op.multiply(y, rng(1, ci, 1, 1)), rng(1, ci, 1, 1)))
            back = True
        else:
            return None
        if back:
            y = op.transpose(y, np.array([0, 2, 3, 1]))
        return self.compile(self.ov.Model([y], inputs or [x]))

    def network(self, net, inputs):
        """Returns a function that runs it and returns what its output is."""
        model = self.ov.convert_model(net, example_input=inputs)
        model.reshape({n: self.ov.PartialShape(list(i.shape)) for n, i in enumerate(inputs)})
        infer = self.compile(model, fill=False)
        arrays = [i.numpy() for i in inputs]
        return lambda: infer(arrays)[0]


def restore(path):
    """The restore network (core/model/restore-net.h) of a weights file, in PyTorch."""
    import json
    import torch
    from safetensors import safe_open
    from torch.nn import functional as F

    with safe_open(path, 'pt') as f:
        config = json.loads(f.metadata()['sumi.config'])
        w = {k: f.get_tensor(k).float() for k in f.keys()}

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for k, v in w.items():
                self.register_buffer(k.replace('.', '_'), v.view(-1, 1, 1) if k.endswith('.g') else v)

        def p(self, name):
            return getattr(self, name.replace('.', '_'))

        def conv(self, x, name, stride=1, pad=0):
            return F.conv2d(x, self.p(name + '.weight'), self.p(name + '.bias'), stride, pad)

        def linear(self, x, name):
            return F.linear(x, self.p(name + '.weight'), self.p(name + '.bias'))

        def rms(self, x, name):
            return x * (x.square().mean(1, keepdim=True) + 1e-6).rsqrt() * self.p(name + '.g')

        def block(self, x, t, name):
            h = self.conv(F.silu(self.rms(x, name + '.n1')), name + '.c1', 1, 1)
            a, c = self.linear(t, name + '.e')[:, :, None, None].chunk(2, 1)
            y = self.conv(F.silu(self.rms(h, name + '.n2') * (1 + a) + c), name + '.c2', 1, 1)
            return (self.conv(x, name + '.k') if name + '.k.weight' in w else x) + y

        def forward(self, u, b, e, cond):
            """u: scaled by c_in; cond: log(sigma)/4, log2(factor)/4, noise, [1, 3]. Returns F."""
            v = cond[:, :, None] * self.p('f')
            v = torch.cat([v.sin(), v.cos()], 2).flatten(1)
            t = F.silu(self.linear(F.silu(self.linear(v, 'emb.0')), 'emb.2'))
            h = self.conv(F.pixel_unshuffle(torch.cat([u, b, e], 1), config['p']), 'inp', 1, 1)
            keep, levels = [], len(config['ch'])
            for i in range(levels):
                for j in range(config['nb'][i]):
                    h = self.block(h, t, f'enc.{i}.{j}')
                if i < levels - 1:
                    keep.append(h)
                    h = self.conv(h, f'dn.{i}', 2)
            for i in reversed(range(levels - 1)):
                h = F.interpolate(self.conv(h, f'up.{i}'), scale_factor=2, mode='nearest')
                h = torch.cat([h, keep.pop()], 1)
                for j in range(config['nb'][i]):
                    h = self.block(h, t, f'dec.{i}.{j}')
            return F.pixel_shuffle(self.conv(F.silu(self.rms(h, 'no')), 'out', 1, 1), config['p'])

    return Net().eval()


def restore_inputs(u, b, e, sigma, factor, noise):
    import torch
    cond = torch.tensor([[math.log(sigma) / 4, math.log2(factor) / 4, noise]])
    return u / math.sqrt(1 + sigma * sigma), b, e, cond


def check_restore(net, path):
    """The largest relative difference to the activations that Sumi's own tests are held against."""
    from safetensors.torch import load_file
    golden = load_file(path)
    worst = 0
    for case in sorted({k.split('.')[0] for k in golden}):
        g = {k[len(case) + 1:]: v for k, v in golden.items() if k.startswith(case + '.')}
        out = net(*restore_inputs(g['u'], g['b'], g['e'], g['sigma'].item(), g['factor'].item(), g['noise'].item()))
        sigma = g['sigma'].item()
        d = g['u'] / (1 + sigma * sigma) + out * sigma / math.sqrt(1 + sigma * sigma)
        worst = max(worst, ((d - g['D']).abs().max() / g['D'].abs().max()).item())
    return worst
