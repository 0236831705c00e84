#pragma once
/* Contexts are pointers in C globals, which Swift 6 does not read: what needs one stands here. Verification takes libsecp256k1's
 * built-in context; signing makes one of its own, blinded by fresh randomness, since it is rare and its key is worth the microseconds. */
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

/* key: 65 bytes out, uncompressed. */
static inline int csecp_recover(unsigned char *key, const unsigned char *signature, int recovery, const unsigned char *hash) {
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey point;
  size_t count = 65;
  if (!secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed, signature, recovery)) return 0;
  if (!secp256k1_ecdsa_recover(secp256k1_context_static, &point, &parsed, hash)) return 0;
  return secp256k1_ec_pubkey_serialize(secp256k1_context_static, key, &count, &point, SECP256K1_EC_UNCOMPRESSED);
}

/* Refuses signatures whose s is in the upper half. key: 65 bytes, uncompressed. */
static inline int csecp_verify(const unsigned char *key, const unsigned char *signature, const unsigned char *hash) {
  secp256k1_ecdsa_signature parsed;
  secp256k1_pubkey point;
  if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, key, 65)) return 0;
  if (!secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &parsed, signature)) return 0;
  return secp256k1_ecdsa_verify(secp256k1_context_static, &parsed, hash, &point);
}

static inline int csecp_is_low(const unsigned char *signature) {
  secp256k1_ecdsa_signature parsed;
  if (!secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &parsed, signature)) return 0;
  return !secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL, &parsed);
}

static inline secp256k1_context *csecp_context(const unsigned char *seed) {
  secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  if (context && !secp256k1_context_randomize(context, seed)) {
    secp256k1_context_destroy(context);
    return NULL;
  }
  return context;
}

/* RFC 6979, s in the lower half. signature: 64 bytes out. */
static inline int csecp_sign(unsigned char *signature, int *recovery, const unsigned char *hash, const unsigned char *key,
                             const unsigned char *seed) {
  secp256k1_ecdsa_recoverable_signature made;
  secp256k1_context *context = csecp_context(seed);
  int status = 0;
  if (!context) return 0;
  status = secp256k1_ecdsa_sign_recoverable(context, &made, hash, key, NULL, NULL) &&
           secp256k1_ecdsa_recoverable_signature_serialize_compact(context, signature, recovery, &made);
  secp256k1_context_destroy(context);
  return status;
}

/* point: 65 bytes out, uncompressed. */
static inline int csecp_public(unsigned char *point, const unsigned char *key, const unsigned char *seed) {
  secp256k1_pubkey made;
  size_t count = 65;
  secp256k1_context *context = csecp_context(seed);
  int status = 0;
  if (!context) return 0;
  status = secp256k1_ec_seckey_verify(context, key) && secp256k1_ec_pubkey_create(context, &made, key) &&
           secp256k1_ec_pubkey_serialize(context, point, &count, &made, SECP256K1_EC_UNCOMPRESSED);
  secp256k1_context_destroy(context);
  return status;
}
