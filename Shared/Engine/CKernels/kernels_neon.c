// 64-bit ARM: 32 registers of 4 floats.
#if defined(__aarch64__)
#define TABLE engine_kernels_neon
#define FUSED 1
#define GEMM_ROWS 6
#define GEMM_VECTORS 1
#define DOT_ROWS 2
#define DOT_COLUMNS 2
#include "kernels.inc"
#endif
typedef int engine_kernels_neon_is_compiled;
