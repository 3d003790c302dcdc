/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions compiled once per instruction set and picked at run time, where compiler and system can; loops in them are
 * vectorised by the compiler. */
#pragma once

#if defined(__x86_64__) && defined(__gnu_linux__) && ! defined(__clang__) && ! defined(__SANITIZE_ADDRESS__)
#define SUMI_CLONES       __attribute__ ((target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default")))
/* The same results to the last bit on each: no set that fuses products with sums. */
#define SUMI_CLONES_EXACT __attribute__ ((target_clones ("avx2", "default")))
#else
#define SUMI_CLONES
#define SUMI_CLONES_EXACT
#endif
