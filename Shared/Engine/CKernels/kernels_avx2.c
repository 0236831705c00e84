// x86-64 with AVX2 and FMA: 16 registers of 8 floats.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define TABLE engine_kernels_avx2
#define FUSED 1
#define GEMM_ROWS 6
#define GEMM_VECTORS 1
#define DOT_ROWS 2
#define DOT_COLUMNS 2
#include "kernels.inc"
#pragma clang attribute pop
#endif
typedef int engine_kernels_avx2_is_compiled;
