// x86-64 with AVX-512: 32 registers of 16 floats.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define TABLE engine_kernels_avx512
#define FUSED 1
#define GEMM_ROWS 12
#define GEMM_VECTORS 2
#define DOT_ROWS 4
#define DOT_COLUMNS 4
#include "kernels.inc"
#pragma clang attribute pop
#endif
typedef int engine_kernels_avx512_is_compiled;
