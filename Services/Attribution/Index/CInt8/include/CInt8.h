#ifndef CINT8_H
#define CINT8_H
#include <stddef.h>
#include <stdint.h>

/// The exact dot product of two rows of `count` signed bytes; count is at most 65,536, so the sum fits 32 bits.
int32_t cint8_dot(const int8_t *a, const int8_t *b, size_t count);

/// Which instructions `cint8_dot` uses here: "avx512-vnni", "avx2" or "portable". All give the same number.
const char *cint8_name(void);

/// Reads every byte once and returns their sum: the plain read that a scan's bandwidth is measured against.
uint64_t cint8_read(const uint8_t *bytes, size_t count);

#endif
