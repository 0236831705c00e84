#pragma once
/* The SHA256_* trio is deprecated in favour of EVP, which costs 50 ns more on a 65-byte Merkle node. We keep it, here only. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

static inline void ccrypto_sha256(unsigned char *out, const void *data, size_t count) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, data, count);
  SHA256_Final(out, &context);
}

static inline void ccrypto_sha256_prefixed(unsigned char *out, unsigned char prefix, const void *data, size_t count) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, &prefix, 1);
  SHA256_Update(&context, data, count);
  SHA256_Final(out, &context);
}

/* One update of 65 bytes: the context's own copy loop runs once. */
static inline void ccrypto_sha256_pair(unsigned char *out, unsigned char prefix, const void *left, const void *right) {
  unsigned char node[65];
  SHA256_CTX context;
  node[0] = prefix;
  memcpy(node + 1, left, 32);
  memcpy(node + 33, right, 32);
  SHA256_Init(&context);
  SHA256_Update(&context, node, sizeof node);
  SHA256_Final(out, &context);
}

/* Macros, which Swift does not import. */
static inline int ccrypto_gcm_get_tag(EVP_CIPHER_CTX *context, void *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag);
}
static inline int ccrypto_gcm_set_tag(EVP_CIPHER_CTX *context, void *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag);
}
static inline BIO *ccrypto_bio_memory(void) { return BIO_new(BIO_s_secmem()); }
static inline long ccrypto_bio_contents(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

/* Without a callback OpenSSL asks for a passphrase on the terminal and a service would hang. */
static inline int ccrypto_refuse_passphrase(char *buffer, int size, int writing, void *user) {
  (void)buffer; (void)size; (void)writing; (void)user;
  return -1;
}
static inline EVP_PKEY *ccrypto_read_private_pem(BIO *bio) {
  return PEM_read_bio_PrivateKey(bio, NULL, ccrypto_refuse_passphrase, NULL);
}
static inline EVP_PKEY *ccrypto_read_public_pem(BIO *bio) {
  return PEM_read_bio_PUBKEY(bio, NULL, ccrypto_refuse_passphrase, NULL);
}

/* OSSL_PARAM keeps the pointers that it is given, so the list is built where they live long enough. */
static inline int ccrypto_hkdf_sha256(const unsigned char *key, size_t key_count, const unsigned char *salt, size_t salt_count,
                                      const unsigned char *info, size_t info_count, unsigned char *out, size_t count) {
  char digest[] = "SHA256";
  OSSL_PARAM params[5];
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
  int status = 0;
  params[0] = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
  params[1] = OSSL_PARAM_construct_octet_string("key", (void *)key, key_count);
  params[2] = OSSL_PARAM_construct_octet_string("salt", (void *)salt, salt_count);
  params[3] = OSSL_PARAM_construct_octet_string("info", (void *)info, info_count);
  params[4] = OSSL_PARAM_construct_end();
  if (context) status = EVP_KDF_derive(context, out, count, params);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return status;
}
