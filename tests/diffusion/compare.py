#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds sumi simulate against k-diffusion and diffusers, in double precision: tests/diffusion/compare.py [SUMI].

No test of the suite: it needs PyTorch, diffusers and k-diffusion, of which `pip install --no-deps k-diffusion` is
enough, since only its sampling.py is read. Prints the largest difference of any state over all numbers of steps; exits
1 where one is above LIMIT. Samplers that add noise are compared with that noise left out.
"""
import importlib
import json
import subprocess
import sys
import types

import numpy
import torch

# diffusers rounds its tables to f32; before it is imported, that can be had in f64
torch.set_default_dtype(torch.float64)
torch.float32 = torch.float64
numpy.float32 = numpy.float64

SUMI = sys.argv[1] if len(sys.argv) > 1 else "build/core/tools/sumi"
LIMIT = 1e-8  # dpm2-ancestral without its noise makes 2e-10 of rounding
WEIGHT, MEAN, STD = (torch.tensor(v) for v in ([1 / 3, 2 / 3], [-2.0, 1.0], [0.3, 0.5]))
failed = False


def denoise(x, sigma, **_):
    sigma = torch.as_tensor(sigma).reshape(-1, 1)
    v, each = STD**2 + sigma**2, x.reshape(-1, 1)
    share = torch.softmax(torch.log(WEIGHT) - ((each - MEAN) ** 2 / v + torch.log(v)) / 2, 1)
    return (share * (MEAN + STD**2 / v * (each - MEAN))).sum(1).reshape(x.shape)


def simulate(sampler, settings, schedule, process, steps, start):
    line = [SUMI, "simulate", "--json", "--data", "mixture:1,-2,0.3;2,1,0.5", "--sampler", sampler]
    line += ["--schedule", schedule, "--process", process, "--steps", str(steps)]
    line += ["--start=" + ",".join("%.17g" % v for v in start)]
    line += ["--settings", settings] if settings else []
    out = json.loads(subprocess.check_output(line))
    return torch.tensor(out["sigmas"]), torch.tensor(out["states"])


def report(whose, sampler, settings, worst):
    global failed
    failed |= not worst < LIMIT
    print(f"{whose:12} {sampler:20} {settings:28} {worst:.1e}{'' if worst < LIMIT else '  TOO MUCH'}")


def difference(mine, theirs):
    return max(float((a - b.flatten()).abs().max() / (1 + b.abs().max())) for a, b in zip(mine, theirs))


def load_k_diffusion():
    """Its sampling.py alone, with what that file imports and does not need here left empty."""
    places = importlib.util.find_spec("k_diffusion").submodule_search_locations
    package, utils = types.ModuleType("k_diffusion"), types.ModuleType("k_diffusion.utils")
    package.__path__ = list(places)
    utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    integrate = types.ModuleType("scipy.integrate")
    integrate.quad = lambda f, a, b, **_: (gauss(f, a, b), 0)
    scipy = types.ModuleType("scipy")
    scipy.integrate = integrate
    ode, tqdm = types.ModuleType("torchdiffeq"), types.ModuleType("tqdm.auto")
    ode.odeint = None
    tqdm.tqdm, tqdm.trange = (lambda x, **_: x), (lambda n, **_: range(n))
    empty = {"k_diffusion": package, "k_diffusion.utils": utils, "scipy": scipy, "scipy.integrate": integrate,
             "tqdm.auto": tqdm, "torchdiffeq": ode, "torchsde": types.ModuleType("torchsde")}
    sys.modules |= empty
    module = importlib.import_module("k_diffusion.sampling")
    for name in empty:
        del sys.modules[name]
    return module


def gauss(f, a, b):
    x, w = numpy.polynomial.legendre.leggauss(16)
    return float(sum(w * [f((b - a) / 2 * v + (a + b) / 2) for v in x])) * (b - a) / 2


def compare_k_diffusion():
    k = load_k_diffusion()
    start = torch.tensor([-80.0, -30.0, 3.0, 55.0, 80.0])

    def nothing(*_):
        return torch.zeros_like(start)

    rows = [("euler", k.sample_euler, {}, ""), ("heun", k.sample_heun, {}, ""), ("dpm2", k.sample_dpm_2, {}, ""),
            ("lms", k.sample_lms, {}, ""), ("dpmpp-2m", k.sample_dpmpp_2m, {}, ""),
            ("dpmpp-3m", k.sample_dpmpp_3m_sde, {"eta": 0, "noise_sampler": nothing}, ""),
            ("dpmpp-2m-sde", k.sample_dpmpp_2m_sde, {"eta": 1, "noise_sampler": nothing, "solver_type": "heun"},
             "eta=1,s-noise=0,solver=heun")]
    for sampler, function in (("euler-ancestral", k.sample_euler_ancestral), ("dpmpp-sde", k.sample_dpmpp_sde),
                              ("dpm2-ancestral", k.sample_dpm_2_ancestral), ("dpmpp-2m-sde", k.sample_dpmpp_2m_sde),
                              ("dpmpp-2s-ancestral", k.sample_dpmpp_2s_ancestral)):
        for eta, settings in ((0, "eta=0"), (1, "eta=1,s-noise=0")):
            rows.append((sampler, function, {"eta": eta, "noise_sampler": nothing}, settings))
    for sampler, function, arguments, settings in rows:
        worst = 0
        for schedule in ("karras", "exponential"):
            for steps in (2, 3, 5, 10, 20, 100):
                sigmas, mine = simulate(sampler, settings, schedule, "edm", steps, start)
                states = []
                end = function(denoise, start, sigmas, disable=True, callback=lambda d: states.append(d["x"].clone()),
                               **arguments)
                worst = max(worst, difference(mine, states + [end]))
        report("k-diffusion", sampler, settings, worst)


def compare_diffusers():
    import diffusers

    table = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    trailing, zero = {"timestep_spacing": "trailing"}, {"final_sigmas_type": "zero"}
    ddim = {"clip_sample": False, "set_alpha_to_one": True}
    pndm = {"set_alpha_to_one": True, "timestep_spacing": "leading", "steps_offset": 0}
    # to σ = 0: whether it ends there too; deis ends at the table's first σ, unipc's bh1 there is not a number
    rows = [("ddim", "", "leading", "DDIM", ddim | {"timestep_spacing": "leading", "steps_offset": 0}, True),
            ("ddim", "offset=1", "leading", "DDIM", ddim | {"timestep_spacing": "leading", "steps_offset": 1}, True),
            ("ddim", "", "trailing", "DDIM", ddim | trailing, True),
            ("plms", "", "leading", "PNDM", pndm | {"skip_prk_steps": True}, True),
            ("pndm", "", "leading", "PNDM", pndm | {"skip_prk_steps": False}, True),
            ("dpmpp-2m", "", "trailing", "DPMSolverMultistep", trailing | zero | {"solver_order": 2}, True),
            ("dpmpp-3m", "", "trailing", "DPMSolverMultistep", trailing | zero |
             {"solver_order": 3, "solver_type": "heun", "lower_order_final": False}, True)]
    for order, variant in ((2, "bh2"), (3, "bh2"), (3, "bh1")):
        rows.append(("unipc", f"order={order},variant={variant}", "trailing", "UniPCMultistep",
                     trailing | zero | {"solver_order": order, "solver_type": variant}, variant == "bh2"))
    for order in (0, 1, 2):
        rows.append(("deis", f"order={order},space=log-sigma", "trailing", "DEISMultistep",
                     trailing | {"solver_order": order + 1, "lower_order_final": False}, False))
    start = torch.tensor([-14.0, -5.0, 0.3, 9.0, 15.0])
    for sampler, settings, schedule, name, arguments, to_zero in rows:
        worst = 0
        for steps in (10, 20, 50):
            scheduler = getattr(diffusers, name + "Scheduler")(**table, **arguments)
            scheduler.set_timesteps(steps)
            kept = scheduler.alphas_cumprod
            state, states = None, []
            for t in scheduler.timesteps:
                alpha = kept[int(t)] ** 0.5
                sigma = ((1 - kept[int(t)]) / kept[int(t)]) ** 0.5
                state = start.reshape(-1, 1, 1, 1) * alpha if state is None else state
                x = state / alpha
                states.append(x)
                state = scheduler.step((x - denoise(x, sigma)) / sigma, t, state).prev_sample
            mine = simulate(sampler, settings, schedule, "ddpm-scaled-linear", steps, start)[1]
            if sampler in ("plms", "pndm"):  # more calls than steps: the end alone
                mine, states = mine[-1:], [state]
            elif to_zero:
                states.append(state)
            worst = max(worst, difference(mine, states))
        report("diffusers", sampler, settings, worst)


compare_k_diffusion()
compare_diffusers()
sys.exit(failed)
