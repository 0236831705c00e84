#include "CInt8.h"

// Integers only: every variant adds the same exact products, so which one runs cannot be seen in the result.

static int32_t dot_portable(const int8_t *a, const int8_t *b, size_t count) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += (int32_t)a[i] * (int32_t)b[i];
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static int32_t dot_avx2(const int8_t *a, const int8_t *b, size_t count) {
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256i a0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i)));
        __m256i b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + i)));
        __m256i a1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i + 16)));
        __m256i b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + i + 16)));
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(a0, b0));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(a1, b1));
    }
    s0 = _mm256_add_epi32(s0, s1);
    __m128i h = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1));
    int32_t sum = _mm_cvtsi128_si32(h);
    for (; i < count; i++) sum += (int32_t)a[i] * (int32_t)b[i];
    return sum;
}

// vpdpbusd multiplies unsigned by signed bytes: a + 128 is unsigned, and 128 times the sum of b is taken off again.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) static int32_t dot_vnni(const int8_t *a, const int8_t *b, size_t count) {
    const __m512i flip = _mm512_set1_epi8((char)0x80), ones = _mm512_set1_epi8(1);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0, c0 = s0, c1 = s0;
    size_t i = 0;
    for (; i + 128 <= count; i += 128) {
        __m512i b0 = _mm512_loadu_si512(b + i), b1 = _mm512_loadu_si512(b + i + 64);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(_mm512_loadu_si512(a + i), flip), b0);
        s1 = _mm512_dpbusd_epi32(s1, _mm512_xor_si512(_mm512_loadu_si512(a + i + 64), flip), b1);
        c0 = _mm512_dpbusd_epi32(c0, ones, b0);
        c1 = _mm512_dpbusd_epi32(c1, ones, b1);
    }
    for (; i + 64 <= count; i += 64) {
        __m512i b0 = _mm512_loadu_si512(b + i);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(_mm512_loadu_si512(a + i), flip), b0);
        c0 = _mm512_dpbusd_epi32(c0, ones, b0);
    }
    int32_t sum = _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1)) - 128 * _mm512_reduce_add_epi32(_mm512_add_epi32(c0, c1));
    for (; i < count; i++) sum += (int32_t)a[i] * (int32_t)b[i];
    return sum;
}
#endif

typedef int32_t (*dot_function)(const int8_t *, const int8_t *, size_t);

static dot_function choose(const char **name) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) return *name = "avx512-vnni", dot_vnni;
    if (__builtin_cpu_supports("avx2")) return *name = "avx2", dot_avx2;
#endif
    return *name = "portable", dot_portable;
}

static dot_function chosen;
static const char *chosen_name;

// Runs before main, so that no call has to ask and no two threads race for the answer.
__attribute__((constructor)) static void prepare(void) { chosen = choose(&chosen_name); }

int32_t cint8_dot(const int8_t *a, const int8_t *b, size_t count) { return chosen(a, b, count); }
const char *cint8_name(void) { return chosen_name; }

uint64_t cint8_read(const uint8_t *bytes, size_t count) {
    uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const uint64_t *w = (const uint64_t *)(bytes + i);
        s0 += w[0], s1 += w[1], s2 += w[2], s3 += w[3];
    }
    for (; i < count; i++) s0 += bytes[i];
    return s0 + s1 + s2 + s3;
}
